"""The page with answers given to it: what a healthy server with the bundled model never sends."""

import base64
import json

from server_cases import IDLE, fill

# Answers in place of the network's. `pieces` are byte strings, each a chunk of its own; after the last the body ends,
# or breaks where `breaks` is set.
ANSWER = """
    const [status, headers, pieces, breaks] = arguments;
    window.asked = [];
    window.network ??= window.fetch;
    window.fetch = async (path, options) => {
        if (!String(path).endsWith("v1/infill")) return window.network(path, options);
        window.asked.push({ authorization: options.headers.Authorization ?? null, body: options.body });
        let next = 0;
        const body = new ReadableStream({
            pull(controller) {
                if (next < pieces.length) controller.enqueue(Uint8Array.from(atob(pieces[next++]), (c) => c.charCodeAt(0)));
                else if (breaks) controller.error(new TypeError("network error"));
                else controller.close();
            },
        });
        return new Response(body, { status, headers });
    };
"""


def answer(page, pieces, status=200, headers=None, breaks=False):
    page.run(ANSWER, status, headers or {}, [base64.b64encode(piece).decode() for piece in pieces], breaks)


def refusal(message, param=None):
    return [json.dumps({"error": {"message": message, "type": "x", "param": param, "code": None}}).encode()]


def stream(start, steps, text, end="\n"):
    """A whole stream: steps are lists of changes."""
    length = len(start["positions"])
    start = {"id": "infill-1", "model": "m", "length": length, "steps": len(steps) - 1, "sampler": "analytic", "seed": 7, **start}
    done = {"text": text, "tokens": [], "seed": 7, "steps": len(steps) - 1, "sampler": "analytic", "networkEvaluations": len(steps),
            "seconds": 0.5, "usage": {"prompt_tokens": 0, "completion_tokens": length, "total_tokens": length}}
    events = [("start", start)]
    for index, changes in enumerate(steps):
        events.append(("step", {"step": index + 1, "time": 1 - (index + 1) / len(steps), "open": None, "changes": changes}))
    events.append(("done", done))
    told = [f"event: {name}{end}data: {json.dumps(data, ensure_ascii=False)}{end}{end}" for name, data in events]
    return f": hello{end}{end}".join(told).encode()


def change(position, text, **more):
    return {"position": position, "token": 1, "text": text, "probability": 0.5, "alternatives": [], **more}


OPEN = {"token": None, "text": None, "fixed": False}


def ask(page):
    fill(page)
    page.click("#run")


def chunks(page, url):
    """Events are read however the network cuts them, with either line end"""
    text = "né “🙂”\n"
    steps = [[change(index, character)] for index, character in enumerate(text)]
    for end in ("\n", "\r\n"):
        whole = stream({"mask": 9, "positions": [OPEN] * len(text)}, steps, text, end)
        for size in (1, 2, 7, len(whole)):
            answer(page, [whole[at:at + size] for at in range(0, len(whole), size)])
            ask(page)
            page.wait(IDLE + f" && document.getElementById('text').textContent === {json.dumps(text)}", f"{size} bytes a chunk")


def shorter(page, url):
    """A text that is shorter than the one before it, while a position of that one is looked at"""
    for text in ("a longer text", "short"):
        answer(page, [stream({"mask": 9, "positions": [OPEN] * len(text)}, [[change(i, c)] for i, c in enumerate(text)], text)])
        fill(page)
        page.run("document.getElementById('composer').requestSubmit()")
        page.wait(IDLE + f" && document.getElementById('text').textContent === '{text}'", text)
        page.run("[...document.querySelectorAll('#text > span')].at(-1).dispatchEvent(new PointerEvent('pointerover', { bubbles: true }))")
        assert page.text("#inspector .token") == text[-1]


def pieces(page, url):
    """Pieces of a character are joined; what never becomes one is shown as U+FFFD"""
    tokens = [b" \xe2\x80", b"\x9c", b"\xf0\x9f", b"\x99", b"\x82", b"\xe2\x80", b"x"]
    steps = [[change(index, None, bytes=list(token))] for index, token in enumerate(tokens[:-1])] + [[change(6, "x")]]
    answer(page, [stream({"mask": 50257, "positions": [OPEN] * 7}, steps, "")])
    ask(page)
    page.wait(IDLE + " && !document.querySelector('#text .empty')", "the end")
    spans = page.run("return [...document.querySelectorAll('#text > span')].map((span) => span.textContent)")
    assert spans == [" “", "", "🙂", "", "", "\ufffd", "x"], spans
    page.hover("return document.querySelectorAll('#text > span')[2]")
    page.wait("document.querySelectorAll('#inspector .entry').length === 3", "the three pieces")
    tokens = page.run("return [...document.querySelectorAll('#inspector .token')].map((each) => each.firstChild.data)")
    assert tokens == ["F0 9F", "99", "82"] and page.text("#inspector .whole") == "🙂 in 3 pieces", tokens
    page.run("scrubber.value = 4; scrubber.dispatchEvent(new Event('input'))")
    spans = page.run("return [...document.querySelectorAll('#text > span')].map((span) => span.textContent)")
    assert spans == [" “", "", "◌", "", "", "", ""], spans


def uniform(page, url):
    """In a uniform chain everything is open until the end tells which change was the last"""
    noise = [{"token": 1, "text": letter, "fixed": False} for letter in "qxz"]
    steps = [[change(0, "a")], [change(1, "y"), change(0, "c")], [change(1, "a")], [change(0, "b")]]
    answer(page, [stream({"mask": None, "positions": noise}, steps, "baz")])
    ask(page)
    page.wait(IDLE + " && document.getElementById('text').textContent === 'baz'", "the end")
    kinds = "return [...document.querySelectorAll('#text > span')].map((span) => span.className.split(' ')[0] + span.textContent)"
    assert page.run(kinds) == ["settledb", "settleda", "settledz"], page.run(kinds)
    page.run("scrubber.value = 2; scrubber.dispatchEvent(new Event('input'))")
    assert page.run(kinds) == ["openc", "openy", "settledz"], page.run(kinds)


def keys(page, url):
    """A server that wants a key gets it from a field that appears, and no address ever has it"""
    answer(page, refusal("give a key"), status=401)
    ask(page)
    page.wait("document.activeElement.id === 'key'", "the field of the key")
    page.write("secret-1")
    page.press("Enter")
    page.wait("window.asked.length === 2", "another try")
    asked = page.run("return window.asked[1]")
    assert asked["authorization"] == "Bearer secret-1", asked
    assert "secret-1" not in page.run("return location.href") + asked["body"]
    assert page.run("return JSON.stringify([Object.values(sessionStorage), Object.values(localStorage)])") == '[["secret-1"],[]]'
    page.wait("document.activeElement.id === 'key'", "the field again, since the key was refused")
    assert "does not accept this key" in page.text("#problem-message"), page.text("#problem-message")
    page.write("secret-2")
    page.press("Enter")
    page.wait("window.asked.length === 3", "a third try")
    assert page.run("return window.asked[2].authorization") == "Bearer secret-2"
    page.run("sessionStorage.clear()")


def busy(page, url):
    """A busy server is named so, with the time after which to try again"""
    for status, word in ((429, "busy"), (503, "takes no requests")):
        answer(page, refusal("eight requests wait"), status=status, headers={"Retry-After": "2"})
        ask(page)
        page.wait("document.getElementById('problem-wait').textContent.includes('in 2 s')", "the time to wait")
        assert word in page.text("#problem-message") and "eight requests wait" in page.text("#problem-message")
        page.wait("document.getElementById('problem-wait').textContent.includes('now')", "the end of the wait")
        page.click("#retry")
        page.wait("window.asked.length === 2", "another try")
        page.wait("!document.body.classList.contains('running')", "its end")


def lost(page, url):
    """A connection that breaks off, and an error within the stream, leave what was written and say so"""
    whole = stream({"mask": 9, "positions": [OPEN] * 3}, [[change(0, "a")], [change(1, "b")], [change(2, "c")]], "abc")
    # Up to the first half of the third step.
    half = whole[:whole.index(b'"step": 3')]
    complete = half[:half.rindex(b"event:")]
    late = b'event: error\ndata: {"error": {"message": "the deadline has passed", "param": null}}\n\n'
    for pieces, breaks, words in (
            ([half], True, "connection to the server was lost"), ([half], False, "before the text was complete"),
            ([complete, late], False, "The deadline has passed.")):
        answer(page, pieces, breaks=breaks)
        ask(page)
        page.wait("!document.getElementById('problem').hidden", words)
        assert words in page.text("#problem-message"), page.text("#problem-message")
        page.wait("document.getElementById('text').textContent === 'ab'", "what was written")


def fluid(page, url):
    """1024 positions and 1024 steps stay fluid, and no span is made twice"""
    steps = [[change(step % 1024, "ab c"[step % 4], alternatives=[{"token": t, "text": "x", "probability": 0.1} for t in range(8)])]
             for step in range(1025)]
    answer(page, [stream({"mask": 9, "positions": [OPEN] * 1024}, steps, "")])
    fill(page, steps=1024, length="")
    page.run("""
        window.gaps = [];
        let last = performance.now();
        const tick = (now) => { window.gaps.push(now - last); last = now; requestAnimationFrame(tick); };
        requestAnimationFrame(tick);
    """)
    page.click("#run")
    page.wait("document.querySelectorAll('#text > span').length === 1024", "the spans")
    page.run("window.span = document.querySelector('#text > span'); speed.value = '240'; speed.dispatchEvent(new Event('change'))")
    page.wait("document.getElementById('play').textContent === 'Replay'", "the end of playback")
    page.run("window.gaps.length = 0")
    page.click("#play")
    page.wait("scrubber.value === '1025'", "a replay of 1025 steps at 240 a second", 15)
    gaps = sorted(page.run("return window.gaps"))
    assert page.run("return window.span.isConnected"), "spans are kept"
    cost = page.run("""
        const began = performance.now();
        for (let i = 0; i < 200; i += 1) {
            scrubber.value = (i * 617) % 1026;
            scrubber.dispatchEvent(new Event("input"));
            document.getElementById("text").offsetHeight;
        }
        return (performance.now() - began) / 200;
    """)
    print(f"        frames of the replay: median {gaps[len(gaps) // 2]:.1f} ms, 95 of 100 within "
          f"{gaps[len(gaps) * 95 // 100]:.1f} ms; a jump of the slider with layout {cost:.1f} ms")
    assert gaps[len(gaps) // 2] < 40 and cost < 50, "too slow"


CASES = [chunks, shorter, pieces, uniform, keys, busy, lost, fluid]

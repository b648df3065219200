"""The page with scripted responses, which a healthy server with the bundled model never sends."""

import base64
import json

from reference import shown
from server_cases import IDLE, fill, finish, start

# Responses instead of the network's. `pieces` are byte strings, one chunk each; after the last the body ends,
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
    """A complete stream; each step is a list of changes."""
    length = len(start["positions"])
    start = {"id": "infill-1", "model": "m", "length": length, "steps": len(steps) - 1, "sampler": "analytic", "seed": 7, **start}
    done = {"text": text, "tokens": [], "seed": 7, "steps": len(steps) - 1, "sampler": "analytic", "networkEvaluations": len(steps), "finish_reason": "length",
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
    start(page)


def chunks(page, url):
    """Events are parsed wherever the network splits them, with either line ending"""
    text = "né “🙂”\n"
    steps = [[change(index, character)] for index, character in enumerate(text)]
    for end in ("\n", "\r\n"):
        whole = stream({"mask": 9, "positions": [OPEN] * len(text)}, steps, text, end)
        for size in (1, 2, 7, len(whole)):
            answer(page, [whole[at:at + size] for at in range(0, len(whole), size)])
            ask(page)
            page.wait(IDLE + f" && document.getElementById('text').textContent === {json.dumps(text)}", f"{size} bytes a chunk")


def shorter(page, url):
    """A text that is shorter than the one before it, while one of its positions is selected"""
    for text in ("a longer text", "short"):
        answer(page, [stream({"mask": 9, "positions": [OPEN] * len(text)}, [[change(i, c)] for i, c in enumerate(text)], text)])
        fill(page)
        start(page)
        finish(page)
        assert page.text("#text") == text
        page.run("[...document.querySelectorAll('#text span')].at(-1).dispatchEvent(new PointerEvent('pointerover', { bubbles: true }))")
        assert page.text("#inspector .token") == text[-1]


def pieces(page, url):
    """Pieces of a character are joined; an incomplete character is a faint mark"""
    tokens = [b" \xe2\x80", b"\x9c", b"\xf0\x9f", b"\x99", b"\x82", b"\xe2\x80", b"x"]
    steps = [[change(index, None, bytes=list(token))] for index, token in enumerate(tokens[:-1])] + [[change(6, "x")]]
    answer(page, [stream({"mask": 50257, "positions": [OPEN] * 7}, steps, "")])
    ask(page)
    page.wait(IDLE + " && document.getElementById('play').textContent === 'Replay'", "the end")
    spans = [text for _, text in shown(page)]
    assert spans == [" “", "", "🙂", "", "", "◌", "x"], spans
    faint = page.run("return document.querySelectorAll('#text .partial').length")
    assert faint == 1, "what never became a character is a faint mark"
    page.hover("return document.querySelectorAll('#text span')[2]")
    page.wait("document.querySelectorAll('#inspector .entry').length === 3", "the three pieces")
    tokens = page.run("return [...document.querySelectorAll('#inspector .token')].map((each) => each.firstChild.data)")
    assert tokens == ["F0 9F", "99", "82"] and page.text("#inspector .whole") == "🙂 in 3 pieces", tokens
    page.run("scrubber.value = 4; scrubber.dispatchEvent(new Event('input'))")
    assert [text for _, text in shown(page)] == [" “", "", "◌", "", "", "", ""], shown(page)
    page.run("scrubber.value = 3; scrubber.dispatchEvent(new Event('input'))")
    assert page.run("return document.querySelectorAll('#text .partial').length") == 1, "so is one that is not whole yet"


def uniform(page, url):
    """In a uniform chain every position is open until the end of the run, when its last change is known"""
    noise = [{"token": 1, "text": letter, "fixed": False} for letter in "qxz"]
    steps = [[change(0, "a")], [change(1, "y"), change(0, "c")], [change(1, "a")], [change(0, "b")]]
    answer(page, [stream({"mask": None, "positions": noise}, steps, "baz")])
    ask(page)
    finish(page)
    assert page.text("#text") == "baz"
    assert shown(page) == [["settled", "b"], ["settled", "a"], ["settled", "z"]], shown(page)
    page.run("scrubber.value = 2; scrubber.dispatchEvent(new Event('input'))")
    assert shown(page) == [["open", "c"], ["open", "y"], ["settled", "z"]], shown(page)


def words(page, url):
    """Tokens of several letters, and a text that ends before its length: nothing after the end is shown"""
    tokens = ["<|endoftext|>", "Once", " there", " was", " a", " fox", ".", "<|endoftext|>", " zzz", "\n", " qqq"]
    ids = [2047 if token == "<|endoftext|>" else index for index, token in enumerate(tokens)]
    order = [9, 3, 7, 8, 1, 5, 0, 6, 2, 4, 10]
    steps = [[change(place, tokens[place], token=ids[place])] for place in order]
    start_event = {"mask": 2048, "end_of_text": 2047, "positions": [OPEN] * len(tokens)}
    answer(page, [stream(start_event, steps, "Once there was a fox.")])
    ask(page)
    page.wait(IDLE + " && document.getElementById('play').textContent === 'Replay'", "the end")
    seen = "return [...document.querySelectorAll('#text span')].filter((each) => each.checkVisibility() && each.textContent).map((each) => each.textContent).join('')"
    assert page.run(seen) == "Once there was a fox.", page.run(seen)
    assert page.run("return document.querySelectorAll('#text .end').length") == 1, "one mark of the end"
    page.hover_until("return document.querySelector('#text .end')",
                     "document.querySelector('#inspector .token')?.textContent.includes('end of the text')", "the end of the text")
    assert page.text("#result") == "Once there was a fox."
    page.run("scrubber.value = 2; scrubber.dispatchEvent(new Event('input'))")
    assert [text for _, text in shown(page) if text.strip()] == [" was"], shown(page)
    page.run("document.getElementById('text').focus()")
    page.press("End")
    assert "Position 8 of" in page.text("#inspector .place"), "the keys stay within the text"


def revising(page, url):
    """A remasked token frees its space, and temporary text moves nothing"""
    steps = [[change(0, "wide enough to push", token=5)], [change(0, None, token=None)], [change(1, "b", token=2)], [change(0, "a", token=3)], []]
    answer(page, [stream({"mask": 9, "positions": [OPEN] * 2}, steps, "ab")])
    ask(page)
    page.wait(IDLE + " && document.getElementById('text').textContent === 'ab'", "the end")
    place = "return document.querySelectorAll('#text span')[1].getBoundingClientRect().left"
    lefts = set()
    for step, state in ((0, ["", ""]), (1, ["wide enough to push", ""]), (2, ["", ""]), (3, ["", "b"]), (4, ["a", "b"])):
        page.run("scrubber.value = arguments[0]; scrubber.dispatchEvent(new Event('input'))", step)
        assert [text for _, text in shown(page)] == state, (step, shown(page))
        lefts.add(page.run(place))
    assert len(lefts) == 1, lefts


def quiet(page, url):
    """Screen readers announce the start and the end once each, however many steps there are"""
    page.run("""
        window.said = [];
        const observer = new MutationObserver((changes) => {
            for (const { target } of changes) {
                const region = (target.closest ? target : target.parentElement).closest("[aria-live], [role=status], [role=alert]");
                if (region) window.said.push(region.textContent);
            }
        });
        observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    """)
    steps = [[change(index % 50, "x")] for index in range(120)]
    answer(page, [stream({"mask": 9, "positions": [OPEN] * 50}, steps, "x" * 50)])
    fill(page)
    page.run("window.said.length = 0")
    page.click("#run")
    page.wait("document.getElementById('status').textContent === 'Done.'", "the end of the run")
    page.run("speed.value = '240'; speed.dispatchEvent(new Event('change'))")
    page.wait("document.getElementById('play').textContent === 'Replay'", "the end of playback")
    page.click("#play")
    page.wait("document.getElementById('play').textContent === 'Replay'", "the end of a replay")
    said = page.run("return window.said")
    assert [each for each in said if each] == ["Running…", "Done."], said


def one_error(page, url):
    """An error is shown once, at the field it concerns"""
    visible = """
        return [...document.querySelectorAll(".fault, #problem, #status")]
            .filter((each) => each.checkVisibility() && each.textContent.trim()).map((each) => each.id);
    """
    for message, field, place in (
            ("the template has 300 tokens; this server takes 256", "template", "template-fault"),
            ("steps is 5000; expected 1 to 1024", "steps", "steps-fault"),
            ("top_p is 2; expected a number from 0 to 1", "top_p", "top_p-fault"),
            ("something that has no field", None, "problem"), ("the weather is bad", "weather", "problem")):
        answer(page, refusal(message, field), status=400)
        ask(page)
        page.wait(f"[...document.querySelectorAll('#{place}')].some((each) => each.checkVisibility() && each.textContent.trim())", message)
        assert page.run(visible) == [place], (message, page.run(visible))
        assert message[1:] in page.text(f"#{place}"), page.text(f"#{place}")
        if field in ("template", "steps", "top_p"):
            focused = page.run("return [document.activeElement.id, document.activeElement.getAttribute('aria-invalid')]")
            assert focused == [field, "true"] and page.is_shown(f"#{field}"), focused


def keys(page, url):
    """If the server requires a key, a field for it appears, and the key is never part of an address"""
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
    """A busy server is reported as busy, with the time until the next attempt"""
    for status, word in ((429, "busy"), (503, "not accepting requests")):
        answer(page, refusal("eight requests wait"), status=status, headers={"Retry-After": "2"})
        ask(page)
        page.wait("document.getElementById('problem-wait').textContent.includes('in 2 s')", "the time to wait")
        assert word in page.text("#problem-message") and "eight requests wait" in page.text("#problem-message")
        page.wait("document.getElementById('problem-wait').textContent.includes('now')", "the end of the wait")
        page.click("#retry")
        page.wait("window.asked.length === 2", "another try")
        page.wait("!document.body.classList.contains('running')", "its end")


def lost(page, url):
    """After a lost connection, or an error within the stream, the text written so far remains, with a message"""
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
    """1024 positions and 1024 steps remain fluid, and no span is created twice"""
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
    page.wait("document.querySelectorAll('#text span').length === 1024", "the spans")
    page.run("speed.value = '240'; speed.dispatchEvent(new Event('change'))")
    page.wait("document.getElementById('play').textContent === 'Replay'", "the end of playback")
    page.run("window.span = document.querySelector('#text span'); window.gaps.length = 0")
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


CASES = [chunks, shorter, pieces, uniform, words, revising, quiet, one_error, keys, busy, lost, fluid]

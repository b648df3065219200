"""The page with the server's own responses."""

import json
import time

from reference import Run, differences, joined, read, shown

TEMPLATE = "She opened the letter. [[*]] Then she wept."
# The same as typed text, where the blank before a hole belongs to the text.
TYPED = "She opened the letter. ___… Then she wept."
IDLE = "!document.body.classList.contains('running') && document.querySelector('#text span, #columns .text span')"


def write(page, text):
    """Switches to the editor, and types."""
    page.run("if (!document.body.classList.contains('editing')) document.getElementById('edit').click()")
    page.type("#template", text)


def fill(page, template=TEMPLATE, steps=32, seed="7", length="96"):
    write(page, template)
    page.run("document.getElementById('settings').open = true")
    for field, value in (("steps", steps), ("seed", seed), ("length", length)):
        page.type(f"#{field}", str(value))


def start(page):
    page.run("document.getElementById('status').textContent = ''")
    page.click("#run")


def finish(page, seconds=90):
    page.wait("document.getElementById('status').textContent.startsWith('Done')", "the end of the run", seconds)
    page.wait("document.getElementById('play').textContent === 'Replay'", "the end of playback", seconds)


def run(page, **fields):
    fill(page, **fields)
    start(page)
    finish(page)


def scrub(page, step):
    page.run("""
        const slider = document.getElementById("scrubber");
        slider.value = arguments[0];
        slider.dispatchEvent(new Event("input"));
    """, step)


def running(page, url):
    """A complete run shows the server's text around the given text"""
    run(page)
    asked = json.loads(page.run("return window.bodies.at(-1)"))
    assert (asked["template"], asked["steps"], asked["seed"], asked["length"]) == (TEMPLATE, 32, 7, 96), asked
    expected = Run.again(page, url)
    found = read(page)
    assert found == expected.done["text"] == joined(expected), (found, expected.done["text"])
    assert found.startswith("She opened the letter. ")
    assert f"{expected.done['networkEvaluations']} evaluations" in page.text("#facts"), page.text("#facts")
    assert page.text("#used-seed") == "7"


def scrubbing(page, url):
    """Scrubbing shows every position as it was at that step"""
    run(page)
    expected = Run.again(page, url)
    assert len(expected.steps) == 33
    for step in (33, 20, 0, 1, 32, 16, 17, 5, 33):
        scrub(page, step)
        wrong = differences(expected, step, shown(page))
        assert not wrong, f"step {step}: {wrong[:5]}"
    scrub(page, 16)
    still_open = expected.steps[15]["open"]
    assert page.text("#clock") == f"Step 16 of 32 · {still_open} open", page.text("#clock")
    page.click("#back")
    assert not differences(expected, 15, shown(page))
    page.click("#forward")
    page.click("#forward")
    assert not differences(expected, 17, shown(page))


def hovering(page, url):
    """Hovering a position shows its token, its step, its probability and its alternatives"""
    run(page)
    expected = Run.again(page, url)
    # Filters leave few alternatives to a position of which the model is sure.
    index = next(i for i, state in enumerate(expected.states(33)[:expected.last])
                 if not state["fixed"] and state["text"] and state["text"].strip().isalpha() and state["step"] <= 32
                 and len(state["alternatives"]) > 1)
    state = expected.states(33)[index]
    token = json.dumps(state["text"].replace(" ", "␣"))
    seen = page.hover_until(
        f"return document.querySelectorAll('#text span')[{index}]", f"""(() => {{
            const panel = document.getElementById('inspector');
            if (panel.querySelector('.token')?.textContent !== {token} || !panel.querySelector('.bars')) return null;
            return {{
                history: panel.querySelector('.history').textContent,
                shares: [...panel.querySelectorAll('.share')].map((each) => each.textContent),
                widths: [...panel.querySelectorAll('.fill')].map((each) => parseFloat(each.style.width)),
            }};
        }})()""", "the alternatives of the position")
    assert f"step {state['step']}," in seen["history"], seen["history"]
    shares, widths = seen["shares"], seen["widths"]
    listed = state["alternatives"] + ([] if any(a["token"] == state["token"] for a in state["alternatives"]) else [state])
    assert len(shares) == len(listed) > 1, shares
    for width, row in zip(widths, listed):
        assert abs(width - max(row["probability"] * 100, 0.5)) < 0.01, (width, row)
    page.hover_until(
        "return document.querySelector('#text span')",
        "document.querySelector('#inspector .history')?.textContent === 'You gave this.'", "a given position")


def pausing(page, url):
    """Pause stops the display while the stream is recorded; replay shows it again"""
    fill(page, steps=600)
    start(page)
    page.wait("document.getElementById('clock').textContent.includes('of 600') && Number(scrubber.value) > 5", "some steps")
    page.click("#play")
    # The letters of all that is written. Line breaks and pieces of characters look different in the final layout, where what is masked
    # again later is drawn over an open position.
    letters = lambda: "".join(text for kind, text in shown(page) if kind != "given" and text not in ("\n", "↵", "◌"))
    held = page.run("return scrubber.value"), letters()
    page.wait("!document.getElementById('forward').disabled", "steps recorded during the pause")
    page.wait("document.getElementById('status').textContent.startsWith('Done')", "the end of the run", 240)
    assert (page.run("return scrubber.value"), letters()) == held, "the display moved"
    assert int(held[0]) < 601
    page.run("speed.value = '240'; speed.dispatchEvent(new Event('change'))")
    page.click("#play")
    page.wait("scrubber.value === '601'", "playback to the end", 20)
    page.wait("document.getElementById('play').textContent === 'Replay'", "the end of playback")
    page.click("#play")
    seen = []
    for _ in range(6):
        seen.append(page.run("return new Promise((done) => setTimeout(() => done(Number(scrubber.value)), 150))"))
    assert seen == sorted(seen) and 20 < seen[2] < 400, f"replay at 240 steps a second passed {seen}"
    page.wait("scrubber.value === '601'", "the end of the replay", 20)


def stopping(page, url):
    """Stop cancels the request and keeps what was written"""
    fill(page, steps=1000, length="256")
    start(page)
    page.wait("document.getElementById('clock').textContent.includes('of 1000') && Number(scrubber.value) > 2", "some steps")
    page.click("#stop")
    page.wait(IDLE, "the stop", 5)
    assert "Stopped at step" in page.text("#status"), page.text("#status")
    assert 2 < page.run("return Number(scrubber.value)") < 1001


def comparing(page, url):
    """Side by side, one prompt and seed at 8, 32 and 128 steps, with times and evaluations"""
    fill(page)
    page.click("#compare")
    page.wait("document.getElementById('status').textContent.startsWith('Done')", "the end of the runs", 180)
    page.wait("![...document.querySelectorAll('#columns .open')].length", "the end of playback")
    assert "look for" in page.text("#versus .note"), "what there is to see"
    for index, steps in enumerate((8, 32, 128)):
        expected = Run.again(page, url, index - 3).done
        assert (expected["steps"], str(expected["seed"])) == (steps, "7"), expected
        column = f"#columns article:nth-child({index + 1})"
        assert read(page, f"{column} .text") == expected["text"], steps
        note = page.text(f"{column} .note")
        assert f"· {expected['networkEvaluations']} evaluations" in note and "s ·" in note, note
    page.run("noise.value = 64; noise.dispatchEvent(new Event('input'))")
    counts = page.run("return [...document.querySelectorAll('#columns .text')].map((text) => text.querySelectorAll('.open').length)")
    assert all(0 < count < 96 for count in counts), f"half way, open positions: {counts}"


def fitting(page, url):
    """A template that cannot fit is refused with its field marked"""
    fill(page, template="A sentence that is longer than its length. [[4]]", length="8")
    start(page)
    page.wait("document.getElementById('template').getAttribute('aria-invalid')", "the mark")
    assert "length of 8" in page.text("#template-fault"), page.text("#template-fault")
    assert page.run("return document.activeElement.id + document.activeElement.getAttribute('aria-invalid')") == "templatetrue"


def faults(page, url):
    """A wrong number is marked at its field, by the page or by the server"""
    fill(page, steps="many")
    page.click("#run")
    assert "whole number" in page.text("#steps-fault"), page.text("#steps-fault")
    for field, value in (("steps", "100000"), ("length", "999999"), ("seed", "99999999999999999999")):
        fill(page)
        page.type(f"#{field}", value)
        page.click("#run")
        page.wait(f"document.getElementById('{field}').getAttribute('aria-invalid')", f"the mark at {field}")
        assert page.text(f"#{field}-fault"), field
    page.type("#seed", "7")
    assert page.run("return document.getElementById('seed').getAttribute('aria-invalid')") is None, "typing clears the mark"


def linking(page, url):
    """The link reproduces the text in a new tab, with the seed that was drawn"""
    run(page, seed="")
    text, seed = page.text("#text"), page.text("#used-seed")
    link = page.run("return location.href")
    assert f"seed={seed}" in link and page.value("#seed") == "", link
    page.new_tab()
    page.open(link)
    finish(page)
    assert page.text("#text") == text
    assert page.value("#template") in (TYPED, TEMPLATE) and (page.value("#seed"), page.value("#length")) == (seed, "96")
    page.click("#copy-link")
    page.wait("document.getElementById('status').textContent.startsWith('Link')", "the copied link")


def reusing(page, url):
    """The result can be edited again, with everything that looks like a hole escaped"""
    run(page, template="\\[[3]] and \\___ [[12]]", length="")
    text = page.text("#text")
    page.click("#reuse")
    assert page.value("#template") == text.replace("[[", "\\[[").replace("___", "\\___"), page.value("#template")
    assert page.run("return document.activeElement.id") == "template"


def hostile(page, url):
    """Markup, right-to-left text and emoji are text, on the page as in the text area"""
    markup = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    for text in (markup, "שלום עולם، مرحبا بالعالم", "🙂👩‍👩‍👧‍👦 naïve é"):
        fill(page, template="", length="")
        # The driver types no characters beyond the basic plane.
        page.run("template.value = arguments[0]; template.dispatchEvent(new Event('input'))", text + " ____________")
        start(page)
        finish(page)
        assert page.text("#text").startswith(text), page.text("#text")
        assert page.run("return document.querySelectorAll('#text :not(span, div), #mirror :not(span, mark), img').length") == 0


def enormous(page, url):
    """A megabyte of text is refused with a message, and the page remains usable"""
    write(page, "x")
    page.run("template.value = 'word '.repeat(210000) + '[[*]]'; template.dispatchEvent(new Event('input')); template.focus()")
    began = time.monotonic()
    page.write("!")
    page.run("return new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    assert time.monotonic() - began < 2, f"a key took {time.monotonic() - began:.1f} s"
    page.click("#run")
    page.wait("document.getElementById('problem-message').textContent + document.getElementById('template-fault').textContent",
              "the refusal", 60)
    run(page)


CASES = [running, scrubbing, hovering, pausing, stopping, comparing, fitting, faults, linking, reusing, hostile, enormous]

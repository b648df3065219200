"""The page with the server's own answers."""

import json
import time

from reference import Run, differences, joined, shown

TEMPLATE = "She opened the letter. [[*]] Then she wept."
IDLE = "!document.body.classList.contains('running') && document.querySelector('#text > span, #columns .text > span')"


def fill(page, template=TEMPLATE, steps=32, seed="7", length="96"):
    page.type("#template", template)
    for field, value in (("steps", steps), ("seed", seed), ("length", length)):
        page.type(f"#{field}", str(value))


def run(page, **fields):
    fill(page, **fields)
    page.click("#run")
    page.wait("document.body.classList.contains('running') || document.querySelector('#text > span')", "a run")
    page.wait(IDLE, "the end of the run", 60)
    page.wait("document.getElementById('play').textContent === 'Replay'", "the end of playback")


def scrub(page, step):
    page.run("""
        const slider = document.getElementById("scrubber");
        slider.value = arguments[0];
        slider.dispatchEvent(new Event("input"));
    """, step)


def typing(page, url):
    """Typing a template tints its holes and counts its positions"""
    page.type("#template", "“[[24]]?” said Pierre. [[*]] \\[[x]]")
    holes = page.run("return [...document.querySelectorAll('#mirror mark')].map((mark) => mark.textContent)")
    assert holes == ["[[24]]", "[[*]]"], holes
    page.type("#length", "100")
    assert "100 positions" in page.text("#meter"), page.text("#meter")
    page.type("#template", "a [[x]] b")
    assert page.run("return document.querySelector('#mirror mark.wrong').textContent") == "[[x]]"


def freeing(page, url):
    """A freed selection becomes a hole of its size, and undo brings it back"""
    text = "The old prince came in."
    page.type("#template", text)
    select = "const area = document.getElementById('template'); area.focus(); area.setSelectionRange(4, 15)"
    page.run(select)
    page.click("#free")
    page.wait("document.getElementById('template').value.includes('[[')", "the hole")
    assert page.value("#template") == "The [[10]] came in.", page.value("#template")
    page.press("Control", "z")
    assert page.value("#template") == text, page.value("#template")
    page.run(select)
    page.press("Control", "m")
    page.wait("document.getElementById('template').value === 'The [[10]] came in.'", "the hole by the key")
    page.run("document.getElementById('template').setSelectionRange(0, 0)")
    page.click("#hole")
    page.write("3")
    assert page.value("#template") == "[[3]]The [[10]] came in.", "the size of a new hole is typed over"
    page.run("document.getElementById('template').setSelectionRange(3, 12)")
    page.click("#free")
    page.wait("document.getElementById('template').value === '[[17]] came in.'", "a selection that cuts two holes")


def running(page, url):
    """A run to the end writes what the server says, around what is given"""
    run(page)
    expected = Run(url, template=TEMPLATE, steps=32, seed=7, length=96)
    found = page.run("return document.getElementById('text').textContent")
    assert found == expected.done["text"] == joined(expected.states(33)), (found, expected.done["text"])
    assert found.startswith("She opened the letter. ") and found.endswith(" Then she wept.")
    assert f"{expected.done['networkEvaluations']} evaluations" in page.text("#facts"), page.text("#facts")
    assert page.text("#used-seed") == "7"


def scrubbing(page, url):
    """Scrubbing shows every position as it was at that step"""
    run(page)
    expected = Run(url, template=TEMPLATE, steps=32, seed=7, length=96)
    assert len(expected.steps) == 33
    for step in (33, 20, 0, 1, 32, 16, 17, 5, 33):
        scrub(page, step)
        wrong = differences(expected.states(step), shown(page))
        assert not wrong, f"step {step}: {wrong[:5]}"
    scrub(page, 16)
    still_open = expected.steps[15]["open"]
    assert page.text("#clock") == f"Step 16 of 32 · {still_open} open", page.text("#clock")
    page.click("#back")
    assert not differences(expected.states(15), shown(page))
    page.click("#forward")
    page.click("#forward")
    assert not differences(expected.states(17), shown(page))


def hovering(page, url):
    """Hovering a position shows its token, its step, its probability and its alternatives"""
    run(page)
    expected = Run(url, template=TEMPLATE, steps=32, seed=7, length=96)
    index = next(i for i, state in enumerate(expected.states(33))
                 if not state["fixed"] and state["text"] and state["text"].isalpha() and state["step"] <= 32)
    state = expected.states(33)[index]
    # The last steps of the run may still pass below the pointer: what counts is what stands there in the end.
    token = json.dumps(state["text"])
    seen = page.hover_until(
        f"return document.querySelectorAll('#text > span')[{index}]", f"""(() => {{
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
    assert len(shares) == len(listed) >= 8, shares
    for width, row in zip(widths, listed):
        assert abs(width - max(row["probability"] * 100, 0.5)) < 0.01, (width, row)
    page.hover_until(
        "return document.querySelector('#text > span')",
        "document.querySelector('#inspector .history')?.textContent.startsWith('Given')", "a given position")


def pausing(page, url):
    """Pause holds the display while the stream is recorded; replay runs through it again"""
    fill(page, steps=600)
    page.click("#run")
    page.wait("Number(document.getElementById('scrubber').value) > 5", "some steps")
    page.click("#play")
    held = page.run("return [scrubber.value, document.getElementById('text').textContent]")
    page.wait("!document.getElementById('forward').disabled", "steps recorded during the pause")
    page.wait(IDLE, "the end of the run", 120)
    assert page.run("return [scrubber.value, document.getElementById('text').textContent]") == held, "the display moved"
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
    page.click("#run")
    page.wait("Number(document.getElementById('scrubber').value) > 2", "some steps")
    page.click("#stop")
    page.wait(IDLE, "the stop", 5)
    assert "Stopped at step" in page.text("#status"), page.text("#status")
    assert 2 < page.run("return Number(scrubber.value)") < 1001


def comparing(page, url):
    """Side by side, one prompt and seed at 8, 32 and 128 steps, with times and evaluations"""
    fill(page)
    page.click("#compare")
    page.wait("document.querySelectorAll('#columns .text > span').length > 2 * 96", "three columns", 60)
    page.wait(IDLE, "the end of the runs", 60)
    page.wait("![...document.querySelectorAll('#columns .empty')].length", "the end of playback")
    for index, steps in enumerate((8, 32, 128)):
        expected = Run(url, template=TEMPLATE, steps=steps, seed=7, length=96).done
        column = f"#columns article:nth-child({index + 1})"
        assert page.text(f"{column} .text") == expected["text"], steps
        note = page.text(f"{column} .note")
        assert f"· {expected['networkEvaluations']} evaluations" in note and "s ·" in note, note
    page.run("noise.value = 64; noise.dispatchEvent(new Event('input'))")
    counts = page.run("return [...document.querySelectorAll('#columns .text')].map((text) => text.querySelectorAll('.empty').length)")
    assert all(0 < count < 81 for count in counts), f"half way, open positions: {counts}"


def fitting(page, url):
    """A template that cannot fit is refused with its field marked"""
    fill(page, template="A sentence that is longer than its length. [[4]]", length="8")
    page.click("#run")
    page.wait("document.getElementById('template').getAttribute('aria-invalid')", "the mark")
    assert "length is 8" in page.text("#template-fault"), page.text("#template-fault")
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
    """The link makes the same text in a new tab, with the seed that was drawn"""
    run(page, seed="")
    text, seed = page.text("#text"), page.text("#used-seed")
    link = page.run("return location.href")
    assert f"seed={seed}" in link and page.value("#seed") == "", link
    page.new_tab()
    page.open(link)
    page.wait(IDLE, "the run of the link", 60)
    page.wait("document.getElementById('play').textContent === 'Replay'", "the end of playback")
    assert page.text("#text") == text
    assert (page.value("#template"), page.value("#seed"), page.value("#length")) == (TEMPLATE, seed, "96")
    page.click("#copy-link")
    page.wait("document.getElementById('status').textContent.startsWith('Link')", "the copied link")


def reusing(page, url):
    """The text becomes a template again, with what looks like a hole escaped"""
    run(page, template="\\[[3]] and [[12]]", length="")
    text = page.text("#text")
    page.click("#reuse")
    assert page.value("#template") == "\\" + text.replace("[[", "\\[[")[1:], page.value("#template")
    assert page.run("return document.activeElement.id") == "template"


def hostile(page, url):
    """Markup, right-to-left text and emoji are text, on the page as in the text area"""
    markup = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    for text in (markup, "שלום עולם، مرحبا بالعالم", "🙂👩‍👩‍👧‍👦 naïve é"):
        fill(page, template=text.replace("🙂", "") + " [[12]]", length="")
        # The driver types no characters beyond the basic plane.
        page.run("template.value = arguments[0]; template.dispatchEvent(new Event('input'))", text + " [[12]]")
        page.click("#run")
        page.wait("document.getElementById('text').textContent.startsWith(arguments[0])".replace(
            "arguments[0]", repr(text)), f"the run of {text}", 30)
        page.wait(IDLE, "its end")
        assert page.run("return document.querySelectorAll('#text :not(span), #mirror :not(span, mark), img').length") == 0


def enormous(page, url):
    """A megabyte of text is refused in words, and the page stays alive"""
    page.run("template.value = 'word '.repeat(210000) + '[[*]]'; template.dispatchEvent(new Event('input')); template.focus()")
    began = time.monotonic()
    page.write("!")
    page.run("return new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    assert time.monotonic() - began < 2, f"a key took {time.monotonic() - began:.1f} s"
    page.click("#run")
    page.wait("document.getElementById('problem-message').textContent + document.getElementById('template-fault').textContent",
              "the refusal", 30)
    run(page)


CASES = [typing, freeing, running, scrubbing, hovering, pausing, stopping, comparing, fitting, faults, linking, reusing, hostile, enormous]

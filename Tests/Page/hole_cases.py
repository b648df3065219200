"""Holes: typed, made from words, dragged wider, deleted; and the text that forms in them."""

import json
import re

from arrival_cases import model_of
from reference import Run, read
from server_cases import fill, finish, start, write


def marks(page):
    return page.run("return [...document.querySelectorAll('#mirror mark')].map((mark) => mark.textContent)")


def select(page, first, last=None):
    page.run("""
        const area = document.getElementById("template");
        area.focus();
        area.setSelectionRange(arguments[0], arguments[1]);
        document.dispatchEvent(new Event("selectionchange"));
    """, first, first if last is None else last)


def typing(page, url):
    """Typing three underscores makes a hole; the server's notation is accepted as well"""
    write(page, "“___?” said ______ [[24]] \\[[x]] \\___ ")
    assert marks(page) == ["___", "______", "[[24]]"], marks(page)
    page.write("____…")
    assert marks(page)[-1] == "____…" and "4 holes" in page.text("#meter"), page.text("#meter")
    write(page, "a [[x]] b")
    assert page.run("return document.querySelector('#mirror mark.wrong').textContent") == "[[x]]"
    # The tint covers the letters of the text area: both have the same layout and height.
    heights = page.run("return ['template', 'mirror'].map((id) => document.getElementById(id).clientHeight)")
    assert heights[0] == heights[1], heights


# A template of the server, the typed text for it with tokens of one letter, and with tokens of 3.4 letters that begin with
# the blank before a word.
NOTATION = [
    ("She wept. [[*]] Then", "She wept. ___… Then", "She wept. [[*]] Then"),
    ("She wept.[[*]] Then", "She wept.___… Then", "She wept. ___… Then"),
    ("a[[4]] b.[[end]]", "a____ b.∎", "a ______________ b.∎"),
    ("“[[5]]?” said", "“_____?” said", "“_________________?” said"),
    ("x ___ y [[1]]", "x \\___ y [[1]]", "x \\___ y [[1]]"),
    ("\\[[3]] ∎", "\\[[3]] \\∎", "\\[[3]] \\∎"),
    ("[[500]]", "[[500]]", "[[500]]"),
    ("a [[x]] b", "a [[x]] b", "a [[x]] b"),
    # A bracket or a backslash before a hole; backslashes before a bracket, and elsewhere.
    (r"\[[[3]]]", "[___]", "[__________]"),
    (r"\\[[4]]", r"\\____", r"\\______________"),
    (r"\[[[500]]", r"\[[[500]]", r"\[[[500]]"),
    (r"a\\[b \ [ [[2]]", r"a\\[b \ [ [[2]]", r"a\\[b \ [ [[2]]"),
]


def notation(page, url):
    """Typed text and the server's template convert to each other without loss, for tokens of any length"""
    found = page.run_async("""
        const done = arguments[arguments.length - 1];
        const pieces = [{ charactersPerToken: 1, takeBlank: false }, { charactersPerToken: 3.4, takeBlank: true }];
        import("/page/holes.js").then(({ fromTemplate, toTemplate, escaped }) => done({
            ways: arguments[0].map((template) => pieces.map((each) => {
                const typed = fromTemplate(template, each);
                return [typed, toTemplate(typed, each)];
            })),
            texts: arguments[1].map((text) => toTemplate(escaped(text), pieces[0])),
        }));
    """, [template for template, *_ in NOTATION], ["a ___ b", "∎", "a [[3]] \\", "____…", "\\___ \\[[ [[[ \\∎"])
    for (template, *typed), ways in zip(NOTATION, found["ways"]):
        assert [way[0] for way in ways] == typed, (template, ways)
        assert [way[1] for way in ways] == [template] * 2, (template, ways)
    assert found["texts"] == ["a ___ b", "∎", "a \\[[3]] \\", "____…", r"\___ \\\[[ \[\[[ \∎"], found["texts"]


def making(page, url):
    """A selection becomes a hole as wide as its words, undo restores it, and Backspace deletes a hole as a whole"""
    text = "The old prince came in."
    write(page, text)
    select(page, 4, 15)
    assert page.text("#free") == "Make this a hole"
    page.click("#free")
    made = "The __________ came in."
    assert page.value("#template") == made, page.value("#template")
    page.press("Control", "z")
    assert page.value("#template") == text, page.value("#template")
    select(page, 4, 15)
    page.press("Control", "m")
    assert page.value("#template") == made, page.value("#template")
    select(page, 14)
    page.press("Backspace")
    assert page.value("#template") == "The  came in.", page.value("#template")
    page.press("Control", "z")
    assert page.value("#template") == made
    select(page, 2, 6)
    page.click("#free")
    assert page.value("#template") == "Th____________ came in.", "a selection that cuts a hole takes all of it"
    select(page, 0)
    page.click("#free")
    assert page.value("#template").startswith("____________Th"), page.value("#template")


def dragging(page, url):
    """A hole is dragged wider and narrower by its right edge, never to zero width, and undo reverts it"""
    write(page, "It was ______ of all.")
    unit = page.run("return document.querySelector('#mirror mark').getBoundingClientRect().width / 6")
    edge = "return [document.querySelector('.handle'), document.querySelector('#mirror mark')].map((each) => each.getBoundingClientRect())"
    handle, mark = page.run(edge)
    assert abs(handle["x"] + handle["width"] / 2 - mark["x"] - mark["width"]) < 2, "the handle is at the edge"
    assert handle["width"] >= 24, "wide enough for a finger"
    page.drag(".handle", int(10 * unit))
    wide = len(marks(page)[0])
    assert 14 <= wide <= 17 and page.value("#template").endswith(" of all."), page.value("#template")
    handle, mark = page.run(edge)
    assert abs(handle["x"] + handle["width"] / 2 - mark["x"] - mark["width"]) < 2, "the handle has come along"
    page.drag(".handle", -int((wide + 2) * unit))
    assert marks(page) == ["___"], marks(page)
    select(page, 9)
    for button, width in (("#wider", 7), ("#narrower", 3)):
        page.click(button)
        assert marks(page) == ["_" * width], marks(page)
    page.click("#endless")
    assert marks(page) == ["___…"] and page.run("return endless.getAttribute('aria-pressed')") == "true"
    page.click("#fill-up")
    assert page.value("#template") == "It was  of all." and not page.is_shown("#hole-size")


def filling(page, url):
    """The holes of a run are as wide as they were typed, and what is given stays as it is"""
    fill(page, template="My name is ____________ and I live ___ here.", length="")
    start(page)
    finish(page)
    expected = Run.again(page, url)
    sizes = [int(each) for each in re.findall(r"\[\[([0-9]+)\]\]", json.loads(page.run("return window.bodies.at(-1)"))["template"])]
    per_token = model_of(url)["tokenizer"]["characters_per_token"]
    assert sizes == [max(1, round(width / per_token)) for width in (12, 3)], sizes
    assert read(page) == expected.done["text"], read(page)
    colours = page.run("""
        return ["given", "settled"].map((kind) => getComputedStyle(document.querySelector(`#text .${kind}`)).color);
    """)
    ink = page.run("return getComputedStyle(document.body).color")
    assert colours[0] == ink and colours[1] != ink, colours
    page.click("#edit")
    assert page.value("#template") == "My name is ____________ and I live ___ here."


def steady(page, url):
    """During a run each position keeps its line, and given text its place at the start of the line"""
    fill(page, steps=400, length="160")
    start(page)
    page.wait("document.getElementById('clock').textContent.includes('of 400')", "the run")
    seen = set()
    lines = "return [...document.querySelectorAll('#text span:not(.joined)')].filter((each) => each.className).map((each) => each.parentElement.closest('.line')?.offsetTop)"
    for _ in range(12):
        found = page.run("return document.querySelectorAll('#text .line').length > 1") and page.run(lines)
        if found and len(found) == 160:
            seen.add(tuple(found))
        overflow = page.run("""
            const sheet = document.getElementById("text").getBoundingClientRect();
            return Math.max(0, ...[...document.querySelectorAll("#text .line")].map((line) => line.getBoundingClientRect().right - sheet.right));
        """)
        assert overflow <= 0, f"a line stands {overflow} pixels out of the sheet"
        page.run("return new Promise((done) => setTimeout(done, 60))")
    assert len(seen) == 1, f"{len(seen)} ways to break the lines"
    page.press("Escape")


CASES = [typing, notation, making, dragging, filling, steady]

"""Accessibility of the page: keyboard only, the width of a phone, light and dark, reduced motion."""

from reference import Run
from server_cases import IDLE, TEMPLATE, fill, finish, run, start

# The lowest contrast of visible text against its background (WCAG 2.2, relative luminance), and its element.
CONTRAST = """
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const rgba = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = ([r, g, b]) => [r, g, b]
        .map((value) => value / 255)
        .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
        .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
    const behind = (element) => {
        for (let each = element; each; each = each.parentElement) {
            const color = rgba(getComputedStyle(each).backgroundColor);
            if (color[3] === 255) return color;
        }
        return rgba("white");
    };
    const found = [];
    for (const element of document.querySelectorAll("body *")) {
        const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        const isField = element.matches("input, textarea");
        if (!(own || isField) || !element.checkVisibility() || element.disabled || element.matches(".open, .partial") || element.closest("[aria-hidden], .unseen")) continue;
        const [one, other] = [luminance(rgba(getComputedStyle(element).color)), luminance(behind(element))];
        const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        found.push([ratio, `${element.tagName} ${element.id || element.className} ${element.textContent.slice(0, 20)}`]);
    }
    return found.sort((a, b) => a[0] - b[0]).slice(0, 5);
"""


def assert_contrast(page):
    page.run("return new Promise((done) => setTimeout(done, 1200))")
    least = page.run(CONTRAST)
    assert least and least[0][0] >= 4.5, least


def tab_to(page, wanted, most=60):
    """Presses Tab until the element has the focus, and checks that the focus is always visible."""
    for _ in range(most):
        page.press("Tab")
        name, outline = page.run("""
            const { id, textContent, tagName } = document.activeElement;
            return [id || tagName, getComputedStyle(document.activeElement).outlineStyle];
        """)
        # After the last field come the browser's own controls, and then the first field.
        assert outline != "none" or name == "BODY", f"the focus on {name} is not seen"
        if name == wanted:
            return
    raise AssertionError(f"{most} times Tab did not lead to {wanted}")


def keyboard(page, url):
    """Everything by keyboard: text, settings, run, slider, positions, stop, with the focus always visible"""
    page.wait("document.querySelector('#text span')", "the recorded run", 300)
    page.run("document.activeElement.blur()")
    tab_to(page, "edit")
    page.press("Enter")
    assert page.run("return document.activeElement.id") == "template"
    page.press("Control", "a")
    page.write("To " + "_" * 40 + " be")
    tab_to(page, "run")
    tab_to(page, "SUMMARY")
    page.press("Space")
    tab_to(page, "steps")
    page.write("48")
    tab_to(page, "seed")
    page.write("3")
    page.run("document.getElementById('status').textContent = ''")
    page.press("Enter")
    finish(page)
    page.run("document.activeElement.blur()")
    tab_to(page, "scrubber")
    page.press("Home")
    assert page.value("#scrubber") == "0"
    for _ in range(3):
        page.press("Right")
    assert page.value("#scrubber") == "3" and page.text("#clock").startswith("Step 3 of 48"), page.text("#clock")
    page.press("End")
    page.run("document.activeElement.blur()")
    tab_to(page, "text")
    expected = Run.again(page, url)
    states = expected.states(49)
    assert "You gave this" in page.text("#inspector .history")
    for _ in range(3):
        page.press("Right")
    current = page.run("return [...document.querySelectorAll('#text span')].findIndex((span) => span.classList.contains('current'))")
    assert current == 3 and not states[3]["fixed"], current
    assert "probability" in page.text("#inspector .history") and page.text("#spoken").startswith("Position 4:")
    page.press("End")
    assert page.text("#inspector .place").startswith(f"Position {expected.last + 1} of"), page.text("#inspector .place")
    page.press("Home")
    page.press("Space")
    page.wait("document.getElementById('play').textContent === 'Pause'", "playback by the space bar")
    # Analytic steps always evaluate the network, so this run lasts.
    page.run("""
        document.getElementById("sampler").value = "analytic";
        document.getElementById("sampler").dispatchEvent(new Event("input"));
    """)
    page.run("document.getElementById('steps').focus()")
    page.press("Control", "a")
    page.write("1000")
    page.press("Enter")
    page.wait("document.body.classList.contains('running')", "another run")
    page.wait("document.getElementById('clock').textContent.includes('of 1000')", "its steps")
    page.press("Escape")
    page.wait(IDLE, "the stop", 5)
    assert "Stopped" in page.text("#status"), page.text("#status")


def phone(page, url):
    """At 360 pixels nothing scrolls sideways; result and buttons are in one view, and no panel covers the letter that is touched"""
    width = "return document.documentElement.scrollWidth"
    page.window(360, 740, mobile=True)
    page.wait("document.querySelector('#text span')", "the recorded run", 300)
    assert page.run(width) == 360, page.run(width)
    run(page, template="A_very_long_word_" * 8 + " [[*]]", length="200")
    page.run("scrollTo(0, 0)")
    start(page)
    finish(page)
    page.run("return new Promise((done) => setTimeout(done, 800))")
    assert page.run(width) == 360, page.run(width)
    rectangles = "return ['#text', '#run'].map((each) => document.querySelector(each).getBoundingClientRect())"
    text, button = page.run(rectangles)
    seen = min(text["bottom"], button["top"]) - max(text["top"], 0)
    assert text["top"] > -1 and seen >= min(text["height"], 300) and button["bottom"] <= 740, (text, button)
    for index in (0, -1):
        page.run("""
            const spans = [...document.querySelectorAll("#text .settled:not(.joined)")].filter((each) => each.textContent.trim());
            window.touched = spans.at(arguments[0]);
            // At the very foot of the window, where the panel will be.
            scrollBy(0, window.touched.getBoundingClientRect().bottom - innerHeight + 8);
            window.touched.dispatchEvent(new MouseEvent("click", { bubbles: true }));
        """, index)
        letter, panel = page.run("return [window.touched, document.getElementById('inspector')].map((each) => each.getBoundingClientRect())")
        assert page.is_shown("#inspector .bars") and page.run(width) == 360
        assert letter["bottom"] <= panel["top"] and letter["top"] >= 0, (letter, panel)
        page.click("#inspector .close")
        assert not page.is_shown("#inspector"), "the panel is closed"
    fill(page)
    assert page.run(width) == 360, page.run(width)
    page.click("#compare")
    page.wait("document.getElementById('status').textContent.startsWith('Done')", "the end of the runs", 180)
    assert page.run(width) == 360, page.run(width)
    lefts = page.run("return [...document.querySelectorAll('#columns article')].map((each) => each.offsetLeft)")
    assert len(set(lefts)) == 1, lefts
    run(page)
    page.run("scrubber.value = 14; scrubber.dispatchEvent(new Event('input'))")


def light(page, url):
    """Light: every text has a contrast of 4.5 or more"""
    page.media(prefers_color_scheme="light")
    assert_contrast(page)
    run(page)
    page.run("scrubber.value = 14; scrubber.dispatchEvent(new Event('input'))")
    page.hover("return document.querySelector('#text .settled')")
    assert_contrast(page)
    page.run("settings.open = true; steps.value = 'x'; run.click()")
    assert_contrast(page)


def dark(page, url):
    """Dark: the page follows the system, with the same contrast"""
    page.media(prefers_color_scheme="dark")
    assert page.run("return getComputedStyle(document.body).backgroundColor") == "rgb(21, 22, 26)"
    assert_contrast(page)
    run(page)
    page.run("scrubber.value = 14; scrubber.dispatchEvent(new Event('input'))")
    page.hover("return document.querySelector('#text .settled')")
    assert_contrast(page)


def motion(page, url):
    """Reduced motion: nothing fades if the system requests it"""
    duration = "return getComputedStyle(document.querySelector('#text .settled:not(.fresh)')).transitionDuration"
    run(page, template=TEMPLATE)
    assert page.run(duration).startswith("0.9s"), page.run(duration)
    page.media(prefers_reduced_motion="reduce")
    assert page.run(duration) == "0s", page.run(duration)


CASES = [keyboard, phone, light, dark, motion]

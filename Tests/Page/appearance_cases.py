"""The page for everybody: keyboard alone, a phone's width, light and dark, little motion."""

from reference import Run, shown
from server_cases import IDLE, TEMPLATE, fill, run

# The least contrast of visible text against what lies behind it (WCAG 2.2, relative luminance), and whose it is.
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
        if (!(own || isField) || !element.checkVisibility() || element.disabled || element.closest("[aria-hidden], .unseen")) continue;
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


def keyboard(page, url):
    """The whole way by keyboard: text, run, slider, positions, stop, with the focus always seen"""
    page.run("document.activeElement.blur()")
    visited = []
    for _ in range(40):
        page.press("Tab")
        name, outline = page.run("""
            const { id, textContent } = document.activeElement;
            return [id || textContent, getComputedStyle(document.activeElement).outlineStyle];
        """)
        assert outline != "none", f"the focus on {name} is not seen"
        visited.append(name)
        if name in ("template", "steps", "seed", "length"):
            page.press("Control", "a")
            page.write({"template": "To [[40]] be", "steps": "48", "seed": "3", "length": ""}[name])
            if name == "length":
                page.press("Backspace")
        if name == "run":
            break
    expected = ["template", "free", "hole", "fill", "steps", "sampler", "length", "seed", "run"]
    assert [name for name in visited if name in expected] == expected, visited
    page.press("Enter")
    page.wait(IDLE, "the run", 60)
    page.wait("document.getElementById('play').textContent === 'Replay'", "the end of playback")
    for _ in range(20):
        page.press("Tab")
        if page.run("return document.activeElement.id") == "scrubber":
            break
    page.press("Home")
    assert page.value("#scrubber") == "0"
    for _ in range(3):
        page.press("Right")
    assert page.value("#scrubber") == "3" and page.text("#clock").startswith("Step 3 of 48"), page.text("#clock")
    page.press("End")
    while page.run("return document.activeElement.id") != "text":
        page.press("Tab")
    states = Run(url, template="To [[40]] be", steps=48, seed=3).states(49)
    assert "Given" in page.text("#inspector .history")
    for _ in range(3):
        page.press("Right")
    current = page.run("return [...document.querySelectorAll('#text > span')].findIndex((span) => span.classList.contains('current'))")
    assert current == 3 and not states[3]["fixed"], current
    assert "probability" in page.text("#inspector .history") and page.text("#spoken").startswith("Position 4:")
    page.press("End")
    assert "Position 46 of" in page.text("#inspector .place") or len(shown(page)) != 46
    page.press("Home")
    page.press("Space")
    page.wait("document.getElementById('play').textContent === 'Pause'", "playback by the space bar")
    page.run("document.getElementById('steps').focus()")
    page.press("Control", "a")
    page.write("1000")
    page.press("Enter")
    page.wait("document.body.classList.contains('running')", "another run")
    page.wait("document.getElementById('clock').textContent.includes('of 1000')", "its steps")
    page.press("Escape")
    page.wait(IDLE, "the stop", 5)
    assert "Stopped" in page.text("#status")


def phone(page, url):
    """At 360 pixels nothing scrolls sideways, and the columns stand below each other"""
    page.window(360, 740, mobile=True)
    width = "return document.documentElement.scrollWidth"
    assert page.run(width) == 360, page.run(width)
    run(page, template="A_very_long_word_" * 8 + "[[*]]", length="200")
    assert page.run(width) == 360, page.run(width)
    page.run("document.querySelectorAll('#text .settled')[20].click()")
    assert page.is_shown("#inspector .bars") and page.run(width) == 360
    fill(page)
    page.click("#compare")
    page.wait("document.querySelectorAll('#columns .text > span').length > 2 * 96", "three columns", 60)
    page.wait(IDLE, "the end of the runs", 60)
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
    page.run("steps.value = 'x'; run.click()")
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
    """Little motion: nothing fades where the system asks for that"""
    duration = "return getComputedStyle(document.querySelector('#text > span:not(.fresh)')).transitionDuration"
    run(page, template=TEMPLATE)
    page.run("document.querySelector('#text > span').classList.remove('fresh')")
    assert page.run(duration) == "0.9s", page.run(duration)
    page.media(prefers_reduced_motion="reduce")
    assert page.run(duration) == "0s", page.run(duration)


CASES = [keyboard, phone, light, dark, motion]

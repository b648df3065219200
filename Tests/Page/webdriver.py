"""A small client of the WebDriver protocol (W3C) over urllib: the test needs a dozen of its calls, and no package.

Elements are addressed by CSS selectors, each time anew. What drives Chromium alone (media features, window metrics,
the network log) goes through chromedriver's way to the DevTools protocol.
"""

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {
    "Tab": "\ue004", "Enter": "\ue007", "Shift": "\ue008", "Control": "\ue009", "Escape": "\ue00c", "Space": " ",
    "End": "\ue010", "Home": "\ue011", "Left": "\ue012", "Up": "\ue013", "Right": "\ue014", "Down": "\ue015",
    "Backspace": "\ue003",
}


class DriverError(Exception):
    """An error response of the driver."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Browser:
    """A separate headless Chromium with a fresh profile."""

    def __init__(self):
        driver = shutil.which("chromedriver")
        if driver is None:
            raise SystemExit("page test: chromedriver is missing; install the packages chromium and chromium-driver")
        port = free_port()
        self.base = f"http://127.0.0.1:{port}"
        self.driver = subprocess.Popen([driver, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait_for_driver()
        options = {
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     "--no-first-run", "--disable-background-networking", "--disable-component-update"],
        }
        capabilities = {
            "browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self.session = f"/session/{answer['sessionId']}"

    def close(self):
        try:
            self._call("DELETE", self.session)
        finally:
            self.driver.terminate()
            self.driver.wait()

    def _wait_for_driver(self):
        for _ in range(100):
            try:
                self._call("GET", "/status")
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("page test: chromedriver did not start")

    def _call(self, method, path, body=None):
        data = None if method == "GET" else json.dumps(body or {}).encode()
        request = urllib.request.Request(
            self.base + path, data=data, method=method, headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise DriverError(f"{value['error']}: {value['message'].splitlines()[0]}") from None

    def call(self, method, path, body=None):
        return self._call(method, self.session + path, body)

    def devtools(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    # Pages and tabs

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def open_prepared(self, url, script):
        """Opens a page in which a script runs before the page's own."""
        made = self.devtools("Page.addScriptToEvaluateOnNewDocument", source=script)
        try:
            self.open("about:blank")
            self.open(url)
        finally:
            self.devtools("Page.removeScriptToEvaluateOnNewDocument", identifier=made["identifier"])

    def new_tab(self):
        handle = self.call("POST", "/window/new", {"type": "tab"})["handle"]
        self.call("POST", "/window", {"handle": handle})

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script, *arguments):
        """Runs a script that calls its last argument with its result."""
        return self.call("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def wait(self, condition, what, seconds=30):
        """Waits until a script's value is true, and returns it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = self.run(f"return {condition}")
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError(f"waited {seconds} s for: {what}")

    # Elements

    def find(self, selector):
        return self.call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.call("POST", f"/element/{self.find(selector)}/click")

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0]).textContent", selector)

    def value(self, selector):
        return self.run("return document.querySelector(arguments[0]).value", selector)

    def is_shown(self, selector):
        return self.run("return document.querySelector(arguments[0]).checkVisibility()", selector)

    def type(self, selector, text):
        """Replaces the content of a field as a user would: selects all and types."""
        self.run("document.querySelector(arguments[0]).focus(); document.querySelector(arguments[0]).select()", selector)
        self.press("Backspace")
        self.call("POST", f"/element/{self.find(selector)}/value", {"text": text})

    # Keys and pointer

    def press(self, *names):
        """Presses keys together, the last one with the others held."""
        keys = [KEYS.get(name, name) for name in names]
        actions = [{"type": "keyDown", "value": key} for key in keys]
        actions += [{"type": "keyUp", "value": key} for key in reversed(keys)]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def write(self, text):
        """Types into whatever has the focus."""
        actions = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def hover(self, script, shift=0):
        """Scrolls the element that a script returns into view and moves the pointer to its middle."""
        element = self.run(f"""
            const element = (() => {{ {script} }})();
            element.scrollIntoView({{ block: "center", behavior: "instant" }});
            return element;
        """)
        move = {"type": "pointerMove", "duration": 0, "origin": element, "x": shift, "y": 0}
        self.call("POST", "/actions", {"actions": [
            {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [move]}]})

    def drag(self, selector, dx, dy=0):
        """Presses on the middle of an element, moves by this distance in four steps and releases."""
        origin = {ELEMENT: self.find(selector)}
        moves = [{"type": "pointerMove", "duration": 30, "origin": "pointer", "x": dx // 4, "y": dy // 4} for _ in range(4)]
        self.call("POST", "/actions", {"actions": [
            {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [
                {"type": "pointerMove", "duration": 0, "origin": origin, "x": 0, "y": 0},
                {"type": "pointerDown", "button": 0}, *moves, {"type": "pointerUp", "button": 0}]}]})

    def hover_until(self, script, condition, what):
        """Moves the pointer there repeatedly, because layout may lag on a busy machine, until a script's value is true."""
        for attempt in range(20):
            self.hover(script, shift=attempt % 2)
            try:
                return self.wait(condition, what, seconds=2)
            except AssertionError:
                continue
        raise AssertionError(f"hovered 20 times for: {what}")

    # What is seen and logged

    def window(self, width, height, mobile=False):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if mobile else 1,
                      mobile=mobile)

    def media(self, **features):
        """Media features, as prefers_color_scheme="dark"."""
        self.devtools("Emulation.setEmulatedMedia", features=[
            {"name": name.replace("_", "-"), "value": value} for name, value in features.items()])

    def screenshot(self, path):
        """The whole page, as high as it is."""
        size = self.devtools("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = self.devtools("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(shot["data"]))

    def log(self, kind):
        return self.call("POST", "/se/log", {"type": kind})

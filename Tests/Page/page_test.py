"""Drives a headless Chromium through the page of a running `sedd serve` and checks what it shows.

    page_test.py --url http://127.0.0.1:8080 --screenshots DIR [--only NAME]...

Every case has a fresh page and leaves a screenshot. After all of them the browser's own log is read: no error of the page,
no violation of its security policy, no request to another origin. Needs no package: see webdriver.py.
"""

import argparse
import json
import pathlib
import sys
import time
import traceback

import answer_cases
import appearance_cases
import arrival_cases
import hole_cases
import reference
import server_cases
from webdriver import Browser

CASES = arrival_cases.CASES + hole_cases.CASES + server_cases.CASES + answer_cases.CASES + appearance_cases.CASES


def fresh(page, url):
    """The page as on a first visit."""
    page.window(1200, 900)
    page.media(prefers_color_scheme="light", prefers_reduced_motion="no-preference")
    page.open("about:blank")
    page.open(url + "/")
    page.run("sessionStorage.clear()")
    page.run(reference.KEEP_REQUESTS)
    page.wait("document.getElementById('model').textContent", "the model's name")


class Logs:
    """The browser's logs, collected after each case, because a navigation clears some of them."""

    def __init__(self):
        self.errors = []
        self.urls = set()

    def gather(self, page):
        for entry in page.log("browser"):
            # The browser logs every response of 400 and above as an error; the cases provoke those.
            if entry["level"] == "SEVERE" and not (entry["source"] == "network" and "/v1/" in entry["message"]):
                self.errors.append(entry["message"])
        for entry in page.log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.urls.add(message["params"]["request"]["url"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--screenshots", type=pathlib.Path, required=True)
    parser.add_argument("--only", action="append", default=[], help="names of cases")
    arguments = parser.parse_args()
    url = arguments.url.rstrip("/")
    unknown = set(arguments.only) - {case.__name__ for case in CASES}
    if unknown:
        sys.exit(f"page test: no case is called {', '.join(sorted(unknown))}; "
                 f"expected some of {', '.join(case.__name__ for case in CASES)}")
    arguments.screenshots.mkdir(parents=True, exist_ok=True)

    passed, failed = 0, 0
    logs = Logs()
    page = Browser()

    def report(is_passed, what, why=""):
        nonlocal passed, failed
        passed, failed = passed + is_passed, failed + (not is_passed)
        print(f"{'passed' if is_passed else 'FAILED'}  {what}{why and chr(10) + why}", flush=True)

    try:
        try:
            fresh(page, url)
        except Exception as error:
            logs.gather(page)
            sys.exit(f"page test: the page at {url} does not start: {error}\n" + "\n".join(logs.errors))
        for case in CASES:
            if arguments.only and case.__name__ not in arguments.only:
                continue
            began = time.monotonic()
            why = ""
            try:
                fresh(page, url)
                case(page, url)
            except Exception:
                why = "".join("        " + line for line in traceback.format_exc().splitlines(keepends=True)[-7:])
            page.screenshot(arguments.screenshots / f"{case.__name__}.png")
            logs.gather(page)
            report(not why, f"{case.__doc__} ({time.monotonic() - began:.1f} s)", why)
    finally:
        page.close()
    report(not logs.errors, "No error in the browser's log", "".join(f"        {each}\n" for each in logs.errors[:10]))
    others = sorted(each for each in logs.urls if not each.startswith((url + "/", "data:", "about:")))
    report(len(logs.urls) > 5 and not others, "No request to another origin", "".join(f"        {each}\n" for each in others))
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

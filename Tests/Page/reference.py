"""The server's responses to a client of a few lines, without the page: the page must show the same."""

import json
import urllib.request


# Records the page's requests, so that they can be repeated.
KEEP_REQUESTS = """
    window.bodies = [];
    const network = window.fetch;
    window.fetch = (path, options) => {
        if (options?.body) window.bodies.push(options.body);
        return network(path, options);
    };
"""


class Run:
    """A run built from its events, with the state of every position after every step."""

    def __init__(self, url, **request):
        """The response to a request; without one, the recorded run for arriving visitors."""
        body = json.dumps({"alternatives": 8, **request}).encode()
        post = urllib.request.Request(
            url + "/v1/infill", data=body, headers={"Content-Type": "application/json"}, method="POST")
        with urllib.request.urlopen(post if request else url + "/v1/demonstration", timeout=300) as response:
            events = [parse(block) for block in response.read().decode().split("\n\n") if "data:" in block]
        self.start = events[0][1]
        self.steps = [data for name, data in events if name == "step"]
        self.done = events[-1][1]
        names = [name for name, _ in events]
        assert names[0] == "start" and names[-1] == "done" and set(names[1:-1]) == {"step"}, names

    @classmethod
    def again(cls, browser, url, index=-1):
        """The server's response to a repeated request of the page."""
        return cls(url, **json.loads(browser.run("return window.bodies.at(arguments[0])", index)))

    @property
    def last(self):
        """The last position of the text: its end, if it has one."""
        end = self.start.get("end_of_text")
        tokens = [state["token"] for state in self.states(len(self.steps))]
        return next((place for place, token in enumerate(tokens) if place > 0 and token == end), len(tokens) - 1)

    def states(self, step):
        """Positions after a step, each as its latest event reported it, with the step of that event."""
        states = [{**position, "step": 0} for position in self.start["positions"]]
        for event in self.steps[:step]:
            for change in event["changes"]:
                states[change["position"]] = {**change, "fixed": False, "step": event["step"]}
        return states


def parse(block):
    lines = [line for line in block.split("\n") if not line.startswith(":")]
    fields = dict(line.split(": ", 1) for line in lines)
    return fields["event"], json.loads(fields["data"])


def shown(browser):
    """Each position as the page shows it: its kind and its text. Open positions have the width of their text, which is invisible."""
    return browser.run("""
        return [...document.querySelectorAll("#text span")].map((span) => {
            const kind = span.className.split(" ")[0];
            return [kind, kind === "open" ? span.dataset.now ?? "" : span.textContent];
        });
    """)


def differences(run, step, spans):
    """Where the page differs from a run's states of an absorbing chain, in words; pieces of a character count together. What a sampler
    masks again is drawn over its open position until then."""
    found = []
    states, last = run.states(step), run.states(len(run.steps))
    for index, (state, final, (kind, text)) in enumerate(zip(states, last, spans, strict=True)):
        is_kept = state["token"] is not None and state["token"] == final["token"]
        expected = "given" if state["fixed"] else "settled" if is_kept else "open"
        # Positions that form one character in the result are one group from the first step on, a faint mark until it is complete.
        if (kind, text) in (("joined", ""), ("open", "◌")) and expected != "given":
            continue
        if "bytes" in state:
            if kind not in (expected, "joined", "open"):
                found.append(f"{index}: {kind} for a piece that is {expected}")
            continue
        # The end of a text is a mark, not the letters of its token.
        told = "" if state["token"] == run.start.get("end_of_text") else state["text"] or ""
        if expected == "open":
            told = told.replace("\n", "↵")
        if (kind, text) != (expected, told):
            found.append(f"{index}: {kind} {text!r}, expected {expected} {told!r}")
    return found


def joined(run):
    """The text of a finished run."""
    states = [state for state in run.states(len(run.steps))[:run.last + 1] if state["token"] != run.start.get("end_of_text")]
    parts = [bytes(state["bytes"]) if "bytes" in state else state["text"].encode() for state in states]
    return b"".join(parts).decode("utf-8", "replace")


def read(browser, selector="#text"):
    """The text of a finished run as displayed; bytes that never became a character are a faint mark."""
    text = browser.run("""
        const spans = [...document.querySelectorAll(arguments[0] + " span")];
        return spans.filter((span) => span.checkVisibility()).map((span) => span.textContent).join("");
    """, selector)
    return text.replace("◌", "\ufffd")

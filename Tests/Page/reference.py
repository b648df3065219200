"""What the server says to a client of a few lines, without the page: the page must show the same."""

import json
import urllib.request


class Run:
    """A run told by its events, with the state of every position after every step."""

    def __init__(self, url, **request):
        body = json.dumps({"alternatives": 8, **request}).encode()
        post = urllib.request.Request(
            url + "/v1/infill", data=body, headers={"Content-Type": "application/json"}, method="POST")
        with urllib.request.urlopen(post, timeout=120) as response:
            events = [parse(block) for block in response.read().decode().split("\n\n") if "data:" in block]
        self.start = events[0][1]
        self.steps = [data for name, data in events if name == "step"]
        self.done = events[-1][1]
        names = [name for name, _ in events]
        assert names[0] == "start" and names[-1] == "done" and set(names[1:-1]) == {"step"}, names

    def states(self, step):
        """Positions after a step, each as the event told it, with the step that it is from."""
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
    """Each position as the page shows it: its kind and its text."""
    return browser.run("""
        return [...document.querySelectorAll("#text > span")].map((span) => [span.className.split(" ")[0], span.textContent]);
    """)


def differences(states, spans):
    """Where the page differs from the states of an absorbing chain, in words; pieces of a character count together."""
    found = []
    for index, (state, (kind, text)) in enumerate(zip(states, spans, strict=True)):
        expected = "given" if state["fixed"] else "open" if state["token"] is None else "settled"
        if "bytes" in state:
            if kind not in (expected, "joined"):
                found.append(f"{index}: {kind} for a piece that is {expected}")
        elif (kind, text) != (expected, state["text"] or ""):
            found.append(f"{index}: {kind} {text!r}, expected {expected} {state['text']!r}")
    return found


def joined(states):
    """The text of a finished run."""
    parts = [bytes(state["bytes"]) if "bytes" in state else state["text"].encode() for state in states]
    return b"".join(parts).decode("utf-8", "replace")

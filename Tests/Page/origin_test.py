"""What a page of another origin may do: a headless Chromium calls `sedd serve` as the openai package does in a browser.

    origin_test.py --sedd SEDD --model MODEL

Two pages with one content are served under origins of their own; the server allows one of them. Each page sends what the
package sends: a JSON body, a bearer token and its x-stainless headers, so that the browser asks with a preflight before.
"""

import argparse
import http.server
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

from webdriver import Browser

KEY = "sk-of-the-test"
# openai-node 6, in a browser.
HEADERS = {
    "accept": "application/json", "content-type": "application/json", "x-stainless-arch": "unknown",
    "x-stainless-lang": "js", "x-stainless-os": "Unknown", "x-stainless-package-version": "6.9.1",
    "x-stainless-retry-count": "0", "x-stainless-runtime": "browser:chrome", "x-stainless-runtime-version": "120.0.0",
    "x-stainless-timeout": "600",
}
FETCH = """
    const [url, options] = arguments;
    window.answer = null;
    fetch(url, options).then(async (answer) => {
        window.answer = {status: answer.status, text: await answer.text(), ignored: answer.headers.get("x-ignored-parameters"),
                         id: answer.headers.get("x-request-id")};
    }).catch((error) => { window.answer = {failure: String(error)}; });
"""


class Blank(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>another origin</title>")

    def log_message(self, *_):
        pass


def origin():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Blank)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://localhost:{server.server_port}"


def call(page, url, body=None, key=KEY):
    """The response to the request, or the reason why it failed."""
    headers = dict(HEADERS) if body is not None else {k: v for k, v in HEADERS.items() if k != "content-type"}
    if key:
        headers["authorization"] = f"Bearer {key}"
    options = {"method": "GET" if body is None else "POST", "headers": headers}
    if body is not None:
        options["body"] = json.dumps(body)
    page.run(FETCH, url, options)
    page.wait("window.answer", "an answer", 30)
    return page.run("return window.answer")


def allowed(page, url):
    body = {"prompt": "Once upon", "max_tokens": 4, "seed": 1, "temperature": 0, "frequency_penalty": 0.5}
    whole = call(page, f"{url}/v1/completions", body)
    assert whole.get("status") == 200, whole
    text = json.loads(whole["text"])["choices"][0]["text"]
    assert text and whole["id"] and "frequency_penalty" in whole["ignored"], whole
    streamed = call(page, f"{url}/v1/completions", {**body, "stream": True, "stream_options": {"include_usage": True}})
    parts = [line[6:] for line in streamed["text"].split("\n") if line.startswith("data: ")]
    assert parts[-1] == "[DONE]", streamed
    chunks = [json.loads(part) for part in parts[:-1]]
    assert "".join(c["text"] for chunk in chunks for c in chunk["choices"]) == text, (text, streamed)
    assert chunks[-1]["usage"]["completion_tokens"] == 4, chunks[-1]
    models = call(page, f"{url}/v1/models")
    assert models.get("status") == 200 and json.loads(models["text"])["data"], models


def errors(page, url):
    for body, key, status in (({"prompt": "a"}, "wrong", 401), ({"prompt": "a", "n": 0}, KEY, 400),
                              ({"messages": []}, KEY, 400), ({"prompt": "a"}, None, 401)):
        answer = call(page, f"{url}/v1/completions", body, key)
        assert answer.get("status") == status and json.loads(answer["text"])["error"]["message"], (body, key, answer)
    chat = call(page, f"{url}/v1/chat/completions", {"messages": [{"role": "user", "content": "a"}]})
    assert chat.get("status") in (400, 404) and "/v1/completions" in chat["text"], chat


def refused(page, url):
    answer = call(page, f"{url}/v1/completions", {"prompt": "a", "max_tokens": 1})
    assert "failure" in answer, answer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sedd", required=True)
    parser.add_argument("--model", required=True)
    arguments = parser.parse_args()
    good, other = origin(), origin()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        keys = pathlib.Path(folder, "keys.txt")
        keys.touch(0o600)
        keys.write_text(KEY + "\n")
        server = subprocess.Popen(
            [arguments.sedd, "serve", "--model", arguments.model, "--port", "0", "--api-keys", keys, "--allow-origin", good],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        page = None
        try:
            # The server prints its address once it accepts requests.
            line = server.stdout.readline()
            url = re.search(r"http://\S+", line)
            if url is None:
                sys.exit(f"page test: the server did not start: {line!r}")
            page = Browser()
            for case, place, what in ((allowed, good, "A page of an allowed origin completes, streams and lists models"),
                                      (errors, good, "It can read why it was refused"),
                                      (refused, other, "A page of another origin gets nothing")):
                page.open(place)
                try:
                    case(page, url[0])
                    print(f"passed  {what}", flush=True)
                except Exception as error:  # The next case uses a new page.
                    failed += 1
                    print(f"FAILED  {what}\n{type(error).__name__}: {error}", flush=True)
        finally:
            if page is not None:
                page.close()
            server.terminate()
            server.wait(30)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

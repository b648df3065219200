"""A small HTTP client over asyncio that can misbehave: send fragments, disconnect early, read slowly."""

import asyncio
import json


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


def request_bytes(method, path, body=b"", headers=None, host="localhost"):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
    lines += [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + body


async def read_answer(reader):
    """The next final response; its `interim` holds the statuses before it."""
    interim = []
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        if status >= 200:
            break
        interim.append(status)
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:] if ": " in line)}
    body = b""
    if headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readline()
    elif "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    elif status != 204:
        body = await reader.read()
    answer = Answer(status, headers, body)
    answer.interim = interim
    return answer


async def send(port, method, path, body=b"", headers=None):
    """One request on a new connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    try:
        writer.write(request_bytes(method, path, body, {"Connection": "close", **(headers or {})}))
        await writer.drain()
        return await read_answer(reader)
    finally:
        writer.close()


async def post(port, path, value, headers=None):
    return await send(port, "POST", path, json.dumps(value).encode(), headers)

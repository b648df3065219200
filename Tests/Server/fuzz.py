"""Malformed requests and broken connections by the thousand: no crash, memory flat, and the server answers as before."""

import argparse
import asyncio
import json
import random
import sys
import time

from http_client import post, read_answer, request_bytes
from server import Server

good = {"template": "It was [[8]].", "steps": 2, "seed": 1, "stream": False}
bodies = [
    {"prompt": "The old prince ", "max_tokens": 8, "n": 2, "seed": 3, "stream": False, "steps": 2, "stop": ["a"], "echo": True},
    {"template": "She [[8]] and [[*]].", "length": 40, "steps": 2, "seed": 1, "alternatives": 3, "stream": True},
    {"segments": [{"text": "a"}, {"hole": 4}, {"hole": "*"}], "length": 20, "steps": 1, "stream": False},
]
values = [None, True, -1, 0, 1, 2**31, -(2**63), -(2**63) - 1, 2**63, 2**64, -9.223372036854775808e18, 10**30, 1e308, 0.5, "", "x" * 5000, "\u0000", "\ud83d", "[[", "[[9999999999999999999]]",
          "[[1]]" * 3000, [], {}, [[]], [None], [1, 2, 3], ["a"] * 100, {"a": 1}, {"text": 1}, {"hole": 1}, [{"hole": 10**9}], "é" * 600]


def deep(pick):
    """Arrays in arrays, or objects in objects, nested far deeper than any real request."""
    depth = pick.choice([3, 100, 600, 5000, 100_000])
    opening, closing = pick.choice([(b"[", b"]"), (b'{"a":', b"}")])
    inside = opening * depth + b"1" + (closing * depth if pick.random() < 0.8 else b"")
    return pick.choice([inside, b'{"prompt":' + inside + b"}"])


def mutated(pick):
    """A body that is malformed in one of many ways."""
    body = dict(pick.choice(bodies))
    kind = pick.randrange(7)
    if kind == 0:
        body[pick.choice(list(body))] = pick.choice(values)
    elif kind == 1:
        body[pick.choice(["", "steps", "prompt", "template", "colour", "x" * 3000, "\u0000"])] = pick.choice(values)
    elif kind == 2:
        return json.dumps(body).encode()[: pick.randrange(1, 60)]
    elif kind == 3:
        data = bytearray(json.dumps(body).encode())
        for _ in range(pick.randrange(1, 6)):
            data[pick.randrange(len(data))] = pick.randrange(256)
        return bytes(data)
    elif kind == 4:
        return pick.randbytes(pick.randrange(0, 400))
    elif kind == 5:
        return deep(pick)
    else:
        del body[pick.choice(list(body))]
        body[pick.choice(["n", "steps", "seed", "max_tokens", "length"])] = pick.choice(values)
    return json.dumps(body).encode()


async def lines(port, pick):
    """Requests that violate HTTP, or are valid but rare; each must be answered, or the connection closed."""
    body = mutated(pick)
    good_body = json.dumps(good).encode()
    plain = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    kind = pick.randrange(12)
    half = False
    if kind == 0:  # many in one write, the client's side closed behind them
        data, half = plain * pick.randrange(1, 40) + request_bytes("POST", "/v1/infill", good_body) + plain, pick.random() < 0.5
    elif kind == 1:  # HTTP/1.0, with or without a body
        data = pick.choice([b"GET / HTTP/1.0\r\n\r\n", request_bytes("POST", "/v1/infill", body).replace(b"HTTP/1.1", b"HTTP/1.0")])
    elif kind == 2:  # a body that is announced, and asked for or not
        data = request_bytes("POST", pick.choice(["/v1/infill", "/v1/completions", "/nothing"]), b"",
                             {"Expect": pick.choice(["100-continue", "100-Continue", "tea"]), "Content-Length": str(len(good_body))})
        data += good_body if pick.random() < 0.5 else b""
        half = True
    elif kind == 3:  # long lines
        data = pick.choice([b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n", b"%s / HTTP/1.1\r\n\r\n"]) % (
            b"a" * pick.choice([10, 8000, 17_000, 200_000]))
    elif kind == 4:  # methods and versions
        data = f"{pick.choice(['TRACE', 'PUT', 'CONNECT', 'PROPFIND', 'BREW', 'get', 'PRI'])} {pick.choice(['/', '*', '/v1/infill', 'a:1', '//'])} HTTP/{pick.choice(['1.1', '1.0', '0.9', '2.0', '1.2', '9'])}\r\nHost: a\r\n\r\n".encode()
        half = True
    elif kind == 5:  # chunks, right and wrong
        chunk = pick.choice([b"%x\r\n%s\r\n0\r\n\r\n" % (len(good_body), good_body), b"zz\r\n", b"ffffffffffffffffff\r\n", b"5\r\nab\r\n", b"0\r\nX: y\r\n\r\n"])
        data = request_bytes("POST", "/v1/infill", b"", {"Content-Length": None, "Transfer-Encoding": pick.choice(["chunked", "gzip, chunked", "chunked, gzip"])}) + chunk
        half = True
    elif kind == 6:  # hosts
        data = pick.choice([b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a b/\xff\r\n\r\n"])
    elif kind == 7:  # another protocol
        data = pick.choice([b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + pick.randbytes(200), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"SSH-2.0-OpenSSH\r\n",
                            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + pick.randbytes(50)])
        half = True
    elif kind == 8:  # a good request that comes byte by byte
        data = None
    elif kind == 9:  # paths
        data = b"GET /" + bytes(pick.choice(b"%/.2eEfF?#&=\\:@ a\x80") for _ in range(pick.randrange(1, 60))) + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    elif kind == 10:  # answered before its body is there
        data, half = request_bytes("POST", "/v1/infill", b"x" * pick.choice([10, 100_000]), {"Content-Type": "text/plain"}), pick.random() < 0.5
    else:  # what is left of a request
        data, half = request_bytes("POST", "/v1/infill", good_body), True
        data = data[: pick.randrange(1, len(data))]
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    try:
        if data is None:
            for byte in request_bytes("POST", "/v1/infill", good_body, {"Connection": "close"}):
                writer.write(bytes([byte]))
                await asyncio.sleep(0)
        else:
            writer.write(data)
        if half or (data is not None and b"close" not in data):
            writer.write_eof()
        first = await asyncio.wait_for(read_answer(reader), 60)
        statuses = [first.status]
        while True:
            try:
                statuses.append((await asyncio.wait_for(read_answer(reader), 60)).status)
            except asyncio.IncompleteReadError:
                break
        if kind == 0:
            assert statuses == [200] * len(statuses) and len(statuses) >= 3, statuses
        if kind == 8:
            assert statuses == [200], statuses
        return statuses[-1]
    except asyncio.TimeoutError:
        return f"no answer in a minute (kind {kind})"
    except (OSError, asyncio.IncompleteReadError):
        return "closed by the server"
    finally:
        writer.close()


async def connection(port, pick):
    """One broken exchange; returns the status that came back, or what was done instead of waiting for one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    path = pick.choice(["/v1/completions", "/v1/infill", "/v1/infill", "/v1/models", "/" + "a" * pick.randrange(50), "/page/../../etc/passwd"])
    body = mutated(pick)
    try:
        kind = pick.randrange(10)
        if kind == 0:  # no HTTP at all
            writer.write(pick.randbytes(pick.randrange(1, 300)))
        elif kind == 1:  # a body that never ends as announced
            writer.write(request_bytes("POST", path, body, {"Content-Length": str(len(body) + 100)}))
        elif kind == 2:  # lengths and encodings that contradict each other
            writer.write(request_bytes("POST", path, body, {"Content-Length": pick.choice(["-1", "x", "1e9", "99999999999999999999"]),
                                                            "Transfer-Encoding": pick.choice([None, "chunked", "gzip"])}))
        elif kind == 3:  # headers of all sizes
            writer.write(request_bytes("POST", path, body, {f"X-{i}": "a" * pick.randrange(2000) for i in range(pick.randrange(150))}))
        else:
            writer.write(request_bytes(pick.choice(["POST"] * 8 + ["GET", "PUT", "BREW"]), path, body,
                                       {"Content-Type": pick.choice(["application/json"] * 8 + ["text/plain", "", None]), "Connection": "close"}))
        await writer.drain()
        if kind < 3 or pick.random() < 0.2:
            if pick.random() < 0.5:
                await asyncio.sleep(pick.random() * 0.02)
            writer.transport.abort()
            return "left"
        answer = await asyncio.wait_for(read_answer(reader), 60)
        if answer.status >= 400 and answer.body:
            assert set(json.loads(answer.body)["error"]) == {"message", "type", "param", "code"}, answer.body[:300]
        return answer.status
    except (OSError, asyncio.IncompleteReadError):
        return "closed by the server"
    finally:
        writer.close()


async def run(server, count, seed, at_once):
    pick = random.Random(seed)
    outcomes, done = {}, 0

    async def worker():
        nonlocal done
        while done < count:
            done += 1
            outcome = await (lines if pick.random() < 0.4 else connection)(server.port, pick)
            outcomes[outcome] = outcomes.get(outcome, 0) + 1

    await asyncio.gather(*(worker() for _ in range(at_once)))
    return outcomes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sedd", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    failures = []
    with Server(options.sedd, options.model) as server:
        before = asyncio.run(post(server.port, "/v1/infill", good)).json()
        # Memory that the first requests of each kind allocate permanently is not counted.
        asyncio.run(run(server, options.count // 5, options.seed + 1, 16))
        first, start = server.resident_mib(), time.monotonic()
        outcomes = asyncio.run(run(server, options.count, options.seed, 16))
        time.sleep(2)
        last = server.resident_mib()
        print(f"{options.count} requests in {time.monotonic() - start:.0f} s: "
              + ", ".join(f"{outcomes[key]} x {key}" for key in sorted(outcomes, key=str)))
        print(f"memory {first:.0f} -> {last:.0f} MiB, {server.open_files()} open files")
        if not server.is_alive():
            failures.append(f"the server has ended with {server.process.poll()}")
        else:
            after = asyncio.run(post(server.port, "/v1/infill", good)).json()
            if after["text"] != before["text"]:
                failures.append("the same request gives another text")
            if server.stop() != 0:
                failures.append("SIGTERM did not end it with code 0")
        failures += [f"{count} x {name}" for name, count in outcomes.items() if "no answer" in str(name)]
        if outcomes.get(500, 0):
            failures.append(f"{outcomes[500]} answers of status 500")
        if last > first * 1.1 + 20:
            failures.append("memory has grown")
    for failure in failures:
        print("FAILED", failure)
    print(f"{5 - len(failures)} passed, {len(failures)} failed")
    sys.exit(1 if failures else 0)


main()

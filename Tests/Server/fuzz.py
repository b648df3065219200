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
values = [None, True, -1, 0, 1, 2**31, -(2**63), 10**30, 1e308, 0.5, "", "x" * 5000, "\u0000", "\ud83d", "[[", "[[9999999999999999999]]",
          "[[1]]" * 3000, [], {}, [[]], [None], [1, 2, 3], ["a"] * 100, {"a": 1}, {"text": 1}, {"hole": 1}, [{"hole": 10**9}], "é" * 600]


def deep(pick):
    """Arrays in arrays, or objects in objects, as far down as no sensible client goes."""
    depth = pick.choice([3, 100, 600, 5000, 100_000])
    opening, closing = pick.choice([(b"[", b"]"), (b'{"a":', b"}")])
    inside = opening * depth + b"1" + (closing * depth if pick.random() < 0.8 else b"")
    return pick.choice([inside, b'{"prompt":' + inside + b"}"])


def mutated(pick):
    """A body that is wrong in one of many ways."""
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
    except (ConnectionError, asyncio.IncompleteReadError):
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
            outcome = await connection(server.port, pick)
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
        # What the first requests of each kind make for good is not counted.
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
        if outcomes.get(500, 0):
            failures.append(f"{outcomes[500]} answers of status 500")
        if last > first * 1.1 + 20:
            failures.append("memory has grown")
    for failure in failures:
        print("FAILED", failure)
    print(f"{5 - len(failures)} passed, {len(failures)} failed")
    sys.exit(1 if failures else 0)


main()

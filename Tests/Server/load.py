"""How long requests take: alone, among eight and among thirty-two; what sharing evaluations brings; a soak with clients that leave, a flood of idle connections and malformed bodies.

    load.py --sedd SEDD --model DIR                 latencies, batching, a late short request
    load.py --sedd SEDD --model DIR --soak SECONDS  the soak alone
"""

import argparse
import asyncio
import json
import multiprocessing
import random
import signal
import socket
import statistics
import subprocess
import sys
import time

from http_client import post, read_answer, request_bytes, send
from server import Server


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def line(name, seconds):
    shares = "  ".join(f"p{int(100 * share)} {percentile(seconds, share):7.3f}" for share in (0.5, 0.95, 0.99))
    print(f"{name:34} {len(seconds):5} requests  {shares} s", flush=True)


def ask(seed, length=256, steps=64):
    return {"template": "[[*]]", "length": length, "steps": steps, "seed": seed, "stream": False}


async def timed(port, value):
    start = time.monotonic()
    answer = await post(port, "/v1/infill", value)
    assert answer.status == 200, answer.body
    return time.monotonic() - start, answer.json()


async def latencies(port, clients, requests):
    seconds, numbers = [], iter(range(requests))

    async def client():
        for number in numbers:
            seconds.append((await timed(port, ask(number, length=128, steps=32)))[0])

    start = time.monotonic()
    await asyncio.gather(*(client() for _ in range(clients)))
    elapsed = time.monotonic() - start
    line(f"{clients} clients, 128 tokens, 32 steps", seconds)
    print(f"{'':34} {requests / elapsed:5.1f} requests/s, {requests * 128 / elapsed:.0f} tokens/s")


def offline(sedd, model, count, steps):
    """The same work by `sedd sample`: the time that its samples took, without the start of the process, and their texts."""
    result = subprocess.run(
        [sedd, "sample", "--model", model, "--count", str(count), "--steps", str(steps), "--seed", "0", "--jsonl"],
        capture_output=True, text=True, check=True)
    lines = [json.loads(text) for text in result.stdout.splitlines()]
    return sum(item["seconds"] for item in lines), [item["text"] for item in lines]


async def eight(port, steps):
    start = time.monotonic()
    answers = await asyncio.gather(*(timed(port, ask(seed, steps=steps)) for seed in range(8)))
    return time.monotonic() - start, [answer["text"] for _, answer in answers]


def batching(server, sedd, model, rounds=7, steps=128):
    """Eight requests at once, and the same eight offline, by turns."""
    ratios = []
    for _ in range(rounds):
        expected, texts = offline(sedd, model, 8, steps)
        found, served = asyncio.run(eight(server.port, steps))
        ratios.append(found / expected)
        if served != texts:
            return ["eight requests at once are not what sedd sample writes for their seeds"]
    print(f"eight requests at once over sedd sample --count 8: {statistics.median(ratios):.3f} "
          f"({min(ratios):.3f} to {max(ratios):.3f}, {rounds} rounds by turns), texts equal")
    return [] if statistics.median(ratios) <= 1.15 else ["eight requests take more than 1.15 times as long as offline"]


async def late(port):
    long = [asyncio.create_task(timed(port, ask(seed, steps=256))) for seed in range(8)]
    await asyncio.sleep(0.5)
    short = await timed(port, ask(99, length=32, steps=8))
    page = []
    for _ in range(20):
        start = time.monotonic()
        await send(port, "GET", "/")
        page.append(time.monotonic() - start)
    others = await asyncio.gather(*long)
    print(f"a ninth, short request that arrives late: {short[0]:.3f} s; the eight long ones {min(s for s, _ in others):.1f} "
          f"to {max(s for s, _ in others):.1f} s; the page meanwhile {1000 * statistics.median(page):.1f} ms, at most {1000 * max(page):.1f}")
    failures = []
    if short[0] > 0.25 * min(s for s, _ in others):
        failures.append("the short request was held back")
    if max(page) > 0.5:
        failures.append("the page did not stay live")
    return failures


class Flood:
    """Connections from another address that say nothing, or not enough, more than the server has places; whoever is closed comes back
    after a second."""

    def __init__(self, port, size):
        self.port, self.size, self.opened, self.stopping = port, size, 0, False

    async def hold(self, pick):
        while not self.stopping:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=("127.0.0.2", 0))
                self.opened += 1
                kind = pick.randrange(4)
                if kind == 1:
                    writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                elif kind == 2:
                    writer.write(b"POST /v1/infill HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
                elif kind == 3:
                    writer.write(b"GET /v1/mod")
                while await asyncio.wait_for(reader.read(4096), 30):
                    pass
                writer.close()
            except (OSError, asyncio.TimeoutError):
                pass
            await asyncio.sleep(1)

    async def run(self, end):
        pick = random.Random(9)
        tasks = [asyncio.create_task(self.hold(pick)) for _ in range(self.size)]
        await asyncio.sleep(max(0, end - time.monotonic()))
        self.stopping = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Health:
    """Asks `/healthz` on connections of its own, from a process of its own (the clients of this one would hold it up), and notes how
    long each answer takes."""

    def __init__(self, port, seconds):
        fresh = multiprocessing.get_context("spawn")  # a fork would share the event loop of this process
        self.receiver, sender = fresh.Pipe(duplex=False)
        self.process = fresh.Process(target=Health.ask, args=(port, seconds, sender), daemon=True)
        self.process.start()
        sender.close()

    @staticmethod
    def ask(port, seconds, sender):
        end, times, faults = time.monotonic() + seconds, [], 0
        while time.monotonic() < end:
            start = time.monotonic()
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                    answer = b""
                    while more := connection.recv(4096):
                        answer += more
                if answer.startswith(b"HTTP/1.1 200"):
                    times.append(time.monotonic() - start)
                else:
                    faults += 1
            except OSError:
                faults += 1
            time.sleep(0.25)
        sender.send((times, faults))

    def result(self):
        """Seconds of every answer, and the number of checks that failed."""
        if not self.receiver.poll(60):
            return [], 1
        return self.receiver.recv()


async def kept_alive(port, end, count):
    """Small requests on one connection, as many as fit: what each leaves behind would show."""
    while time.monotonic() < end:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
            while time.monotonic() < end:
                writer.write(request_bytes("POST", "/v1/completions", b'{"max_tokens": 1, "steps": 1}'))
                count(f"kept alive {(await read_answer(reader)).status}")
            writer.close()
        except (OSError, asyncio.IncompleteReadError):
            count("kept alive: closed by the server")


async def soak(server, seconds, clients=24, flood=600):
    """Full load, with clients that leave in the middle, read nothing or send half a request, bodies that are malformed, a flood of idle
    connections, and one connection that is kept alive."""
    pick, times, outcomes, memory = random.Random(4), [], {}, []
    end = time.monotonic() + seconds

    def count(name):
        outcomes[name] = outcomes.get(name, 0) + 1

    async def client(number):
        while time.monotonic() < end:
            value = {**ask(pick.randrange(10**6), pick.choice([32, 64, 128, 256]), pick.choice([8, 16, 32, 64])), "stream": pick.random() < 0.5}
            kind = pick.random()
            try:
                if kind < 0.25:
                    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                    data = request_bytes("POST", "/v1/infill", json.dumps(value).encode())
                    writer.write(data if pick.random() < 0.8 else data[: len(data) // 2])
                    await asyncio.sleep(pick.random())
                    if pick.random() < 0.5:
                        writer.transport.abort()
                    else:
                        writer.close()
                    count("left")
                    continue
                if kind < 0.35:
                    body = pick.choice([b"{", b'{"seed": -9223372036854775809}', b"[" * 10_000, pick.randbytes(500), b'{"template": "[[999999999999]]"}'])
                    answer = await send(server.port, "POST", "/v1/infill", body)
                    count(f"malformed {answer.status}")
                    continue
                start = time.monotonic()
                answer = await post(server.port, "/v1/infill", value)
                count(answer.status)
                if answer.status == 200:
                    times.append(time.monotonic() - start)
                    if value["stream"] and b"event: done" not in answer.body:
                        count("a stream without its end")
                elif answer.status == 429:
                    await asyncio.sleep(1)
            except (OSError, asyncio.IncompleteReadError):
                count("closed by the server")

    async def watch():
        while time.monotonic() < end:
            memory.append(server.resident_mib())
            await asyncio.sleep(5)

    holes, health = Flood(server.port, flood), Health(server.port, seconds)
    await asyncio.gather(watch(), holes.run(end), kept_alive(server.port, end, count), *(client(number) for number in range(clients)))
    health_times, faults = await asyncio.to_thread(health.result)
    line(f"soak, {seconds} s, {clients} clients", times)
    line("/healthz meanwhile", health_times)
    print(f"at most {1000 * max(health_times, default=0):.0f} ms; {faults} health checks failed; {holes.opened} connections of the flood, {flood} at a time")
    print("outcomes: " + ", ".join(f"{outcomes[key]} x {key}" for key in sorted(outcomes, key=str)))
    third = max(1, len(memory) // 3)
    early, lately = statistics.median(memory[third : 2 * third] or memory), statistics.median(memory[-third:])
    print(f"memory {memory[0]:.0f} MiB at first, {early:.0f} in the middle third, {lately:.0f} in the last; {server.open_files()} open files")
    usual = {200, 429, "left", "malformed 400", "kept alive 200", "kept alive 429"}
    failures = [f"{outcomes[key]} x {key}" for key in outcomes if key not in usual]
    if faults or not health_times or percentile(health_times, 0.99) > 0.05:
        failures.append("/healthz was not answered within 50 ms")
    # Buffers grow to their full size in the first minutes.
    if seconds >= 600 and lately > 1.1 * early + 10:
        failures.append("memory grows")
    return failures


async def stopping(server):
    """SIGTERM while requests run: they finish, new ones are told to come back."""
    running = [asyncio.create_task(timed(server.port, ask(seed, steps=400))) for seed in range(2)]
    while b"sedd_sequences_running 2" not in (await send(server.port, "GET", "/metrics")).body:
        await asyncio.sleep(0.1)
    server.process.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.2)
    refused = await post(server.port, "/v1/infill", ask(1))
    ready = await send(server.port, "GET", "/readyz")
    done = await asyncio.gather(*running)
    code = await asyncio.to_thread(server.process.wait, 60)
    print(f"SIGTERM: {len(done)} running requests finished, a new one got {refused.status} "
          f"(Retry-After {refused.headers.get('retry-after')}), readyz {ready.status}, exit code {code}")
    return [] if (refused.status, ready.status, code) == (503, 503, 0) else ["the server did not stop as it should"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sedd", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--soak", type=int)
    parser.add_argument("--requests", type=int, default=64, help="of each row of latencies")
    options = parser.parse_args()
    failures, checks = [], 0
    with Server(options.sedd, options.model) as server:
        if options.soak:
            failures += asyncio.run(soak(server, options.soak))
            checks += 3
        else:
            for clients in (1, 8, 32):
                asyncio.run(latencies(server.port, clients, options.requests))
            failures += batching(server, options.sedd, options.model)
            failures += asyncio.run(late(server.port))
            checks += 3
        failures += asyncio.run(stopping(server))
        checks += 1
    for failure in failures:
        print("FAILED", failure)
    print(f"{max(0, checks - len(failures))} passed, {len(failures)} failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()

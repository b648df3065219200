"""Two replicas behind nginx, on loopback: events arrive one by one, one replica is killed under load, nothing hangs."""

import argparse
import asyncio
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

from http_client import post, request_bytes, send
from server import Server

deployment = pathlib.Path(__file__).resolve().parents[2] / "Deployment" / "nginx.conf"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    """nginx with the repository's configuration, its ports replaced."""

    def __init__(self, replicas):
        self.folder, self.port = tempfile.TemporaryDirectory(), free_port()
        text = deployment.read_text().replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")
        for old, replica in zip(("8081", "8082"), replicas):
            text = text.replace(f"127.0.0.1:{old}", f"127.0.0.1:{replica.port}")
        folder = self.folder.name
        paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        file = pathlib.Path(folder) / "nginx.conf"
        file.write_text(f"pid {folder}/pid; daemon off; error_log {folder}/error.log; worker_processes 1;\n"
                        f"events {{ }}\nhttp {{ access_log off; {paths} {text} }}\n")
        os.chmod(folder, 0o777)
        self.process = subprocess.Popen(["nginx", "-p", folder, "-c", str(file)])
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise SystemExit("nginx did not start")

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(timeout=30)


async def arrivals(port):
    """When each event of a stream arrives, and the stream's end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    body = json.dumps({"template": "[[256]]", "steps": 60, "seed": 1}).encode()
    writer.write(request_bytes("POST", "/v1/infill", body, {"Connection": "close"}))
    times, last = [], b""
    while line := await reader.readline():
        if line.startswith(b"event: "):
            times.append(time.monotonic())
            last = line
    writer.close()
    return times, last


async def under_load(nginx, victim, seconds=20, clients=6):
    outcomes, longest, end = {}, 0, time.monotonic() + seconds

    async def client(number):
        nonlocal longest
        while time.monotonic() < end:
            start = time.monotonic()
            try:
                answer = await asyncio.wait_for(
                    post(nginx.port, "/v1/infill", {"template": "[[64]]", "steps": 16, "seed": number, "stream": number % 2 == 0}), 60)
                outcome = answer.status if answer.status != 200 or number % 2 or b"event: done" in answer.body else "stream cut"
            except (ConnectionError, asyncio.IncompleteReadError):
                outcome = "connection lost"
            except asyncio.TimeoutError:
                outcome = "hung"
            longest = max(longest, time.monotonic() - start)
            outcomes[outcome] = outcomes.get(outcome, 0) + 1

    async def kill():
        await asyncio.sleep(seconds / 2)
        victim.process.kill()

    await asyncio.gather(kill(), *(client(number) for number in range(clients)))
    return outcomes, longest


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sedd", required=True)
    parser.add_argument("--model", required=True)
    options = parser.parse_args()
    os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")
    failures = []
    with Server(options.sedd, options.model) as first, Server(options.sedd, options.model) as second:
        nginx = Nginx([first, second])
        try:
            times, last = asyncio.run(arrivals(nginx.port))
            gaps = [b - a for a, b in zip(times, times[1:])]
            print(f"{len(times)} events through nginx in {times[-1] - times[0]:.2f} s, the longest gap {max(gaps):.3f} s, the last is {last.decode().strip()!r}")
            if len(times) != 63 or max(gaps) > 0.5 * (times[-1] - times[0]):
                failures.append("events were gathered on the way")
            page = asyncio.run(send(nginx.port, "GET", "/"))
            print(f"the page through nginx: {page.status}, {len(page.body)} bytes")
            if page.status != 200:
                failures.append("the page does not pass through nginx")
            outcomes, longest = asyncio.run(under_load(nginx, second))
            print("one replica killed under load: " + ", ".join(f"{outcomes[key]} x {key}" for key in sorted(outcomes, key=str))
                  + f"; the longest wait {longest:.2f} s")
            if outcomes.get("hung") or outcomes.get(200, 0) < 10:
                failures.append("requests hang")
            if sum(count for outcome, count in outcomes.items() if outcome != 200) > 8:
                failures.append("more is lost than what the killed replica was working on")
            code = first.stop()
            print(f"the other replica ends with code {code}")
            if code != 0:
                failures.append("the other replica did not end as it should")
        finally:
            nginx.stop()
    for failure in failures:
        print("FAILED", failure)
    print(f"{5 - len(failures)} passed, {len(failures)} failed")
    sys.exit(1 if failures else 0)


main()

"""Starts `sedd serve` for a test, and measures its memory."""

import os
import signal
import subprocess
import time
import urllib.request


class Server:
    def __init__(self, sedd, model, *options, log=subprocess.DEVNULL, port=0):
        start = time.monotonic()
        self.process = subprocess.Popen(
            [sedd, "serve", "--model", model, "--port", str(port), *options], stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("serving "):
            raise SystemExit(f"the server did not start: {line!r}, exit code {self.process.poll()}")
        self.port = int(line.rsplit(":", 1)[1])
        # Waits until it answers, not until it reports that it is ready.
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz") as answer:
            assert answer.status == 200
        self.seconds_to_ready = time.monotonic() - start

    def resident_mib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def is_alive(self):
        return self.process.poll() is None

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(timeout=120)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.is_alive():
            self.process.kill()
            self.process.wait()

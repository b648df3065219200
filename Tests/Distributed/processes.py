"""Starts `sedd` as launchers do, several processes at a time, and records their output."""
import os
import pathlib
import signal
import socket
import subprocess
import time

TEXT = [
    "the cat sees the red ball in the garden.", "a dog follows my sister by the sea.", "the old man loves a song at night.",
    "the king forgets the long road under the tree.", "a child finds some bread near the town.",
    "the small bird carries the river in the garden.", "my sister sees a house at night.",
]
# Upon the preset of the published recipe, whose rate is constant: a run may then be lengthened.
TINY = {
    "model.hidden_size": 32, "model.cond_dim": 16, "model.n_blocks": 2, "model.n_heads": 2, "model.length": 32,
    "tokenizer": "byte", "training.batch_size": 8, "training.log_freq": 1, "training.eval_freq": 50,
    "training.eval_blocks": 8, "training.eval_times": 2, "training.snapshot_freq": 50, "training.sample_freq": 0,
    "training.ema": 0.9, "optim.lr": 0.001, "optim.warmup": 10,
}


def write_text(folder):
    """A few hundred lines, identical at every call."""
    lines = [TEXT[(index * index + index // 7) % len(TEXT)] for index in range(600)]
    path = pathlib.Path(folder) / "story.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def train_arguments(data, output, steps, settings=None, resume=False):
    merged = TINY | {"training.n_iters": steps} | (settings or {})
    sets = [part for key, value in merged.items() for part in ("--set", f"{key}={value}")]
    return ["train", "--config", "published-tiny", *sets, "--data", str(data), "--output", str(output)] + (
        ["--resume"] if resume else [])


class Rank:
    """A process with what it has written to stderr."""

    def __init__(self, command, environment, log, prefix=()):
        self.log = pathlib.Path(log)
        self.prefix = list(prefix)
        keep = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH") if key in os.environ}
        home = {"HOME": str(self.log.parent), "XDG_CACHE_HOME": str(self.log.parent / "cache"), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            self.prefix + command, env=keep | home | environment, stdin=subprocess.DEVNULL,
            stdout=open(self.log.with_suffix(".out"), "wb"), stderr=open(self.log, "wb"), start_new_session=True)
        self.ended = None

    def poll(self):
        if self.ended is None and self.process.poll() is not None:
            self.ended = time.monotonic()
        return self.process.poll()

    def send(self, number):
        """Sends a signal to the process itself; its wrapper in a namespace forwards signals or is replaced by it."""
        os.kill(self.process.pid, number)

    @property
    def code(self):
        code = self.process.returncode
        return 128 - code if code is not None and code < 0 else code

    @property
    def errors(self):
        return self.log.read_text(errors="replace")

    @property
    def last_line(self):
        return (self.errors.strip().splitlines() or [""])[-1]

    @property
    def output(self):
        return self.log.with_suffix(".out").read_bytes()


class Group:
    """A group of processes; leaving the block ends those that are still running."""

    def __init__(self, sedd, folder, count, arguments, timeout=None, host="127.0.0.1", prefix=lambda rank: (), extra=()):
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        port = free_port()
        options = list(extra) + (["--timeout", str(timeout)] if timeout else [])
        self.ranks = []
        for rank in range(count):
            environment = {} if count == 1 else {
                "RANK": str(rank), "WORLD_SIZE": str(count), "MASTER_ADDR": host, "MASTER_PORT": str(port)}
            self.ranks.append(Rank(
                [sedd, *arguments, *options], environment, pathlib.Path(folder) / f"rank-{rank}.log", prefix(rank)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for rank in self.ranks:
            if rank.poll() is None:
                for number in (signal.SIGCONT, signal.SIGKILL):
                    os.killpg(rank.process.pid, number)
                rank.process.wait()

    def wait(self, limit=300, ranks=None):
        """Waits for all, or for the given ones; fails if one takes longer."""
        waited = [self.ranks[index] for index in (ranks if ranks is not None else range(len(self.ranks)))]
        deadline = time.monotonic() + limit
        while any(rank.poll() is None for rank in waited):
            assert time.monotonic() < deadline, f"not ended within {limit} s: {[rank.last_line for rank in waited]}"
            time.sleep(0.02)
        return [rank.code for rank in waited]

    def until_step(self, run, step, limit=120):
        """Waits until the run has logged a step."""
        deadline = time.monotonic() + limit
        while f'{{"step":{step},' not in read(pathlib.Path(run) / "metrics.jsonl"):
            assert time.monotonic() < deadline, f"step {step} was not reached: {[rank.last_line for rank in self.ranks]}"
            assert all(rank.poll() is None for rank in self.ranks), [rank.errors for rank in self.ranks]
            time.sleep(0.02)


def read(path):
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""

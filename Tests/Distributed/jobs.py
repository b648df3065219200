"""Jobs of a launcher: one command that stands for several processes."""
import pathlib
import time

from equality import state
from processes import Rank, read

IN_ORDER = ["--sums-in-order"]


def exact(sedd, arguments, folder, steps):
    """The checkpoint of one process by itself."""
    rank = Rank([sedd, *arguments, *IN_ORDER], {}, pathlib.Path(folder) / "one.log")
    assert rank.process.wait(300) == 0, rank.errors
    return state(f"{folder}/one", steps)


def until(what, limit, condition, log):
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {limit} s: {read(log)[-3000:]}"
        time.sleep(0.05)


def reached(run, step):
    return f'{{"step":{step},' in read(pathlib.Path(run) / "metrics.jsonl")


def end(job):
    if job.poll() is None:
        job.process.terminate()
        job.process.wait(60)

"""Failures that end a job: a process is killed, suspended or disconnected; the time until the others exit, and their messages."""
import pathlib
import re
import signal
import subprocess
import time

from equality import state
from processes import Group, free_port, read, train_arguments, Rank

LONG = 1_000_000
TIMEOUT = 10
# Allowance for a busy machine.
ALLOWANCE = 5


def sound(run):
    """Nothing is half-written: every checkpoint has its name, and the log its lines."""
    names = [path.name for path in (pathlib.Path(run) / "checkpoints").iterdir()]
    assert not [name for name in names if name.endswith(".partial")], names
    steps = [int(name[5:]) for name in names if name.startswith("step-")]
    return max(steps)


def failing(sedd, data, folder, name, count, harm, survivors, prefix=lambda rank: (), host="127.0.0.1", after=None):
    run = pathlib.Path(folder) / "run"
    with Group(
        sedd, folder, count, train_arguments(data, run, LONG), timeout=TIMEOUT, prefix=prefix, host=host
    ) as group:
        group.until_step(run, 55)
        begin = time.monotonic()
        harm(group)
        codes = group.wait(TIMEOUT + 30, survivors)
        took = max(group.ranks[rank].ended for rank in survivors) - begin
        print(f"{name:44}  {took:5.1f} s  exit {codes}", flush=True)
        for rank in survivors:
            line = group.ranks[rank].last_line
            print(f"    {line}", flush=True)
            assert re.match(rf"sedd: rank {rank} of {count}, step \d+: [a-z ]+", line), line
        assert codes == [75] * len(survivors), codes
        assert took < TIMEOUT + ALLOWANCE, took
        if after:
            after(group)
    # The run resumes with any number of processes.
    target = sound(run) + 10
    with Group(sedd, pathlib.Path(folder) / "on", 2, ["train", "--resume", "--output", str(run), "--set", f"training.n_iters={target}"]) as group:
        assert group.wait(120) == [0, 0], [rank.errors for rank in group.ranks]


def stopped_processes(sedd, data, folder):
    for victim in (2, 0):
        others = [rank for rank in range(3) if rank != victim]
        failing(
            sedd, data, f"{folder}/kill-{victim}", f"rank {victim} of 3 killed (SIGKILL)", 3,
            lambda group: group.ranks[victim].send(signal.SIGKILL), others)

        def woken(group):
            group.ranks[victim].send(signal.SIGCONT)
            assert group.wait(TIMEOUT + 10, [victim]) == [75], group.ranks[victim].errors

        failing(
            sedd, data, f"{folder}/stop-{victim}", f"rank {victim} of 3 stopped (SIGSTOP), then woken", 3,
            lambda group: group.ranks[victim].send(signal.SIGSTOP), others, after=woken)


def asked_to_stop(sedd, data, folder):
    run = pathlib.Path(folder) / "run"
    with Group(sedd, folder, 3, train_arguments(data, run, LONG), timeout=TIMEOUT) as group:
        group.until_step(run, 20)
        begin = time.monotonic()
        group.ranks[1].send(signal.SIGTERM)
        assert group.wait(60) == [130] * 3, [rank.errors for rank in group.ranks]
        print(f"{'SIGTERM to rank 1 of 3: saved and left':44}  {time.monotonic() - begin:5.1f} s  exit 130", flush=True)
        assert time.monotonic() - begin < 20
    sound(run)


def any_number_goes_on(sedd, data, folder):
    """2, then 1, then 4 processes, byte-identical to one process."""
    run, whole = pathlib.Path(folder) / "run", pathlib.Path(folder) / "whole"
    for index, (count, steps) in enumerate([(2, 20), (1, 40), (4, 60)]):
        arguments = train_arguments(data, run, steps, resume=index > 0)
        with Group(sedd, f"{folder}/{count}", count, arguments, extra=["--sums-in-order"]) as group:
            assert group.wait(300) == [0] * count, [rank.errors for rank in group.ranks]
    with Group(sedd, f"{folder}/1-whole", 1, train_arguments(data, whole, 60), extra=["--sums-in-order"]) as group:
        assert group.wait(300) == [0], group.ranks[0].errors
    # Saved at other steps, so another checkpoint may be the best.
    one, other = (
        {name: data for name, data in state(place, 60).items() if name.endswith(".safetensors")} for place in (run, whole))
    assert one == other, "a run of 2, 1 and 4 processes differs from one of one"
    print("a run of 2, then 1, then 4 processes: the weights of one, to the byte", flush=True)


def under_torchrun(sedd, data, folder, torchrun):
    """A process that is killed: the launcher ends the others, and starts all again; the same command resumes."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    run, whole = folder / "run", folder / "whole"
    arguments = train_arguments(data, run, 400, resume=True) + ["--sums-in-order", "--timeout", str(TIMEOUT)]
    command = [
        torchrun, "--no-python", "--nproc-per-node", "2", "--max-restarts", "2", "--rdzv-backend", "c10d",
        "--rdzv-endpoint", f"127.0.0.1:{free_port()}", "--rdzv-id", "trial", sedd, *arguments]
    agent = Rank(command, {}, folder / "torchrun.log")
    try:
        victims = []
        for step in (60, 160):
            deadline = time.monotonic() + 120
            while f'{{"step":{step},' not in read(run / "metrics.jsonl"):
                assert agent.poll() is None and time.monotonic() < deadline, agent.errors[-3000:]
                time.sleep(0.05)
            ranks = workers(sedd, run)
            victim = ranks[1 if step == 60 else 0]
            victims.append(victim)
            subprocess.run(["kill", "-9", str(victim)], check=True)
        deadline = time.monotonic() + 240
        while agent.poll() is None:
            assert time.monotonic() < deadline, agent.errors[-3000:]
            time.sleep(0.1)
        assert agent.code == 0, agent.errors[-3000:]
    finally:
        if agent.poll() is None:
            agent.process.terminate()
            agent.process.wait(60)
    assert agent.errors.count("resumed after step") >= 2, agent.errors[-3000:]
    with Group(sedd, folder / "one", 1, train_arguments(data, whole, 400), extra=["--sums-in-order"]) as group:
        assert group.wait(300) == [0], group.ranks[0].errors
    one, other = state(run, 400), state(whole, 400)
    assert one == other, "restarts changed the run"
    print("torchrun, rank 1 killed, then rank 0: started again twice; the checkpoint of an undisturbed process, to the byte", flush=True)


def workers(sedd, run, variable="RANK"):
    """Process numbers of the ranks that train there, by the launcher's variable."""
    found = {}
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            program = (folder / "exe").resolve()
            words = (folder / "cmdline").read_bytes().split(b"\0")
            variables = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if program != pathlib.Path(sedd) or str(run).encode() not in words:
            continue
        for one in variables:
            if one.startswith(f"{variable}=".encode()):
                found[int(one.split(b"=")[1])] = int(folder.name)
    return found

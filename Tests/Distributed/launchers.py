"""Open MPI's mpirun and SLURM's srun, as they are installed: what their variables say, and what they make of a killed process."""
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import time

import batch
import slurm
from equality import state
from failures import LONG, TIMEOUT, sound, workers
from jobs import IN_ORDER, end, exact, reached, until
from processes import Rank, train_arguments


def equal(name, command, sedd, data, folder, expected, environment):
    folder.mkdir(parents=True)
    job = Rank([*command, sedd, *train_arguments(data, folder / "run", 50), *IN_ORDER], environment, folder / "job.log")
    assert job.process.wait(120) == 0, job.errors
    assert state(folder / "run", 50) == expected, f"{name}: differs from one process"
    print(f"{name:60}  the checkpoint of one process, to the byte", flush=True)


def killed(name, command, sedd, data, folder, variable, victim, survivors, environment):
    """One process is killed; the others say so and end, the launcher fails, and the same command goes on."""
    folder.mkdir(parents=True)
    run = folder / "run"
    whole = [*command, sedd, *train_arguments(data, run, LONG, resume=True), "--timeout", str(TIMEOUT)]
    job = Rank(whole, environment, folder / "job.log")
    try:
        until("step 55", 120, lambda: job.poll() is not None or reached(run, 55), folder / "job.log")
        ranks = workers(sedd, run, variable)
        assert job.poll() is None and len(ranks) == survivors + 1, (ranks, job.errors)
        begin = time.monotonic()
        os.kill(ranks[victim], signal.SIGKILL)
        until("the end", TIMEOUT + 30, lambda: job.poll() is not None and not workers(sedd, run, variable), folder / "job.log")
    finally:
        end(job)
    lines = re.findall(rf"^sedd: rank \d of {survivors + 1}, step \d+: [a-z ]+: .*$", job.errors, re.MULTILINE)
    print(f"{name:60}  {time.monotonic() - begin:5.1f} s  exit {job.code}", flush=True)
    for line in lines:
        print(f"    {line}", flush=True)
    # A launcher reports what ended first: the signal.
    assert job.code == 137, (job.code, job.errors)
    assert len(lines) == survivors and "frame #" not in job.errors, job.errors
    # Those that are not its neighbors as well.
    assert all(re.search(rf"ranks? ([\d, and]+ )?{victim}(,? [\d, and]+)? (is|are) silent", line) for line in lines), lines
    target = sound(run) + 10
    more = Rank([*whole, "--set", f"training.n_iters={target}"], environment, folder / "more.log")
    try:
        assert more.process.wait(120) == 0 and "resumed after step" in more.errors, more.errors
    finally:
        end(more)
    return job.errors


def count(ranks):
    """The number of ranks in `0-1,3`."""
    ends = [[int(end) for end in part.split("-")] for part in ranks.split(",")]
    return sum(part[-1] - part[0] + 1 for part in ends)


MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1"}


def open_mpi():
    """Its program and version, or why there is none."""
    program = shutil.which("mpirun")
    if not program:
        return None, "mpirun is not installed (Debian: apt-get install openmpi-bin)"
    lines = subprocess.run([program, "--version"], capture_output=True, text=True).stdout.splitlines() or [""]
    return (program, lines[0]) if "Open MPI" in lines[0] else (None, f"{program} is another one: {lines[0]}")


def with_open_mpi(sedd, data, folder, expected):
    program, version = open_mpi()
    if not program:
        return print(f"skipped Open MPI: {version}")
    equal(f"{version}, 2 processes", [program, "-np", "2"], sedd, data, folder / "equal", expected, MPI)
    # By default mpirun kills the others after a second, before they know who is silent.
    patient = [program, "-np", "3", "--mca", "odls_base_sigkill_timeout", "6"]
    asked(program, sedd, data, folder / "asked")
    killed("mpirun, rank 1 of 3 killed", patient, sedd, data, folder / "kill", "OMPI_COMM_WORLD_RANK", 1, 2, MPI)


def asked(program, sedd, data, folder):
    """mpirun hands USR1 on, and leaves processes the time to save; after TERM it kills them within a second."""
    folder.mkdir(parents=True)
    job = Rank([program, "-np", "2", sedd, *train_arguments(data, folder / "run", LONG)], MPI, folder / "job.log")
    try:
        until("step 55", 120, lambda: job.poll() is not None or reached(folder / "run", 55), folder / "job.log")
        job.send(signal.SIGUSR1)
        until("the end", 60, lambda: job.poll() is not None, folder / "job.log")
    finally:
        end(job)
    stopped = re.findall(r"^sedd: rank \d of 2: stopped at step (\d+) and saved", job.errors, re.MULTILINE)
    assert job.code == 130 and len(stopped) == 2 and sound(folder / "run") == int(stopped[0]), (job.code, job.errors)
    print(f"{'mpirun, USR1: saved and left':60}  exit 130", flush=True)


def open_mpi_on_two(cluster, sedd, data, folder, expected):
    """mpirun reaches the other machine by a script in place of ssh."""
    program, version = open_mpi()
    if not program:
        return print(f"skipped Open MPI on two machines: {version}")
    agent = folder / "agent"
    folder.mkdir()
    there = shlex.join(cluster.on(1, "sh", "-c", 'exec sh -c "$*"', "sh"))
    agent.write_text(f'#!/bin/sh\nshift\nexec {there} "$@"\n')
    agent.chmod(0o755)
    first, second = slurm.NODES
    command = cluster.on(
        0, program, "-np", "4", "--host", f"{first}:2,{second}:2", "--mca", "plm_rsh_agent", str(agent),
        "-x", f"MASTER_ADDR={first}", "-x", "MASTER_PORT=29400")
    equal(f"{version}, 4 processes on 2 machines", command, sedd, data, folder / "equal", expected, MPI)


def with_slurm(sedd, data, folder, expected):
    reason = slurm.missing()
    if reason:
        return print(f"skipped SLURM, and Open MPI on two machines: {reason}")
    with slurm.Cluster(folder / "cluster") as cluster:
        version = cluster.ask("srun", "--version")
        environment = cluster.environment
        for nodes, tasks in ((1, 2), (2, 4)):
            command = cluster.on(0, "srun", "--nodes", str(nodes), "--ntasks", str(tasks))
            name = f"{version}, {tasks} tasks on {nodes} machine{'s' if nodes > 1 else ''}"
            equal(name, command, sedd, data, folder / f"equal-{nodes}", expected, environment)
        command = cluster.on(0, "srun", "--nodes", "2", "--ntasks", "4")
        errors = killed(
            "srun, rank 3 of 4 killed", command, sedd, data, folder / "kill", "SLURM_PROCID", 3, 3, environment)
        ended = re.findall(r"^srun: error: \S+ tasks? (\S+): Exited with exit code 75$", errors, re.MULTILINE)
        assert sum(count(one) for one in ended) == 3, errors
        batch.test(cluster, sedd, data, folder / "batch")
        open_mpi_on_two(cluster, sedd, data, folder / "open-mpi", expected)


def test(sedd, data, folder):
    folder = pathlib.Path(folder)
    folder.mkdir()
    expected = exact(sedd, train_arguments(data, folder / "one", 50), folder, 50)
    with_open_mpi(sedd, data, folder / "open-mpi", expected)
    with_slurm(sedd, data, folder / "slurm", expected)

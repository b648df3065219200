"""Open MPI's mpirun and SLURM's srun and sbatch, as they are installed: their variables, their signals, their restarts."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import slurm
from equality import state
from failures import LONG, TIMEOUT, sound, workers
from processes import Rank, TINY, read, train_arguments

SBATCH = pathlib.Path(__file__).parents[2] / "Deployment/sedd-train.sbatch"
IN_ORDER = ["--sums-in-order"]


def exact(sedd, arguments, folder, steps):
    """The checkpoint of one process by itself."""
    rank = Rank([sedd, *arguments, *IN_ORDER], {}, pathlib.Path(folder) / "one.log")
    assert rank.process.wait(300) == 0, rank.errors
    return state(f"{folder}/one", steps)


def weights(files):
    """Without the measurements, which a run that was interrupted takes at other steps."""
    return {name: data for name, data in files.items() if name.endswith(".safetensors")}


def until(what, limit, condition, log):
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {limit} s: {read(log)[-3000:]}"
        time.sleep(0.05)


def reached(run, step):
    return f'{{"step":{step},' in read(pathlib.Path(run) / "metrics.jsonl")


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
    assert len(lines) == survivors, job.errors
    target = sound(run) + 10
    more = Rank([*whole, "--set", f"training.n_iters={target}"], environment, folder / "more.log")
    try:
        assert more.process.wait(120) == 0 and "resumed after step" in more.errors, more.errors
    finally:
        end(more)


def end(job):
    if job.poll() is None:
        job.process.terminate()
        job.process.wait(60)


def open_mpi(sedd, data, folder, expected):
    program = shutil.which("mpirun")
    if not program:
        return print("skipped Open MPI: mpirun is not installed (Debian: apt-get install openmpi-bin)")
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout.splitlines()
    if not version or "Open MPI" not in version[0]:
        return print(f"skipped Open MPI: {program} is another one ({version[:1]})")
    environment = {
        "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1"}
    equal(f"{version[0]}, 2 processes", [program, "-np", "2"], sedd, data, folder / "equal", expected, environment)
    # By default mpirun kills the others after a second, before they know who is silent.
    patient = [program, "-np", "3", "--mca", "odls_base_sigkill_timeout", "6"]
    killed("mpirun, rank 1 of 3 killed", patient, sedd, data, folder / "kill", "OMPI_COMM_WORLD_RANK", 1, 2, environment)


def with_slurm(sedd, data, folder, expected):
    reason = slurm.missing()
    if reason:
        return print(f"skipped SLURM: {reason}")
    with slurm.Cluster(folder / "cluster") as cluster:
        version = cluster.ask("srun", "--version")
        environment = cluster.environment
        for nodes, tasks in ((1, 2), (2, 4)):
            command = cluster.on(0, "srun", "--nodes", str(nodes), "--ntasks", str(tasks))
            name = f"{version}, {tasks} tasks on {nodes} machine{'s' if nodes > 1 else ''}"
            equal(name, command, sedd, data, folder / f"equal-{nodes}", expected, environment)
        command = cluster.on(0, "srun", "--nodes", "2", "--ntasks", "4")
        killed("srun, rank 3 of 4 killed", command, sedd, data, folder / "kill", "SLURM_PROCID", 3, 3, environment)
        batch(cluster, sedd, data, folder / "batch")


def batch(cluster, sedd, data, folder):
    """The sbatch file: USR1 before the time limit, a killed process, the end; then a job that is cancelled."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/sedd").symlink_to(sedd)
    run, log = folder / "run", folder / "job.out"
    environment = cluster.environment | {
        "SEDD_CONFIG": str(configuration(folder, LONG)), "SEDD_OPTIONS": f"--sums-in-order --timeout {TIMEOUT}",
        "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    environment["PATH"] = f"{folder}/bin:{environment['PATH']}"

    def submit(*options):
        done = subprocess.run(
            cluster.on(0, "sbatch", "--parsable", "--cpus-per-task=1", f"--output={log}", *options, str(SBATCH), str(run), str(data)),
            env=os.environ | environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def shown(job, field):
        return re.search(rf"\b{field}=(\S+)", cluster.ask("scontrol", "show", "job", job)).group(1)

    def again(count):
        """Starts the job that was queued again at once: SLURM would wait two minutes."""
        def resumed():
            if read(log).count("resumed after step") == count:
                return True
            # As long as its processes end, SLURM still sets the time itself.
            if shown(job, "JobState") == "PENDING":
                cluster.ask("scontrol", "update", f"jobid={job}", "StartTime=now", check=False)
            time.sleep(1)
            return False

        until(f"restart {count}", 120, resumed, log)
        assert shown(job, "Restarts") == str(count), cluster.ask("scontrol", "show", "job", job)

    # SLURM counts in minutes, and sends the signal up to a minute early.
    job = submit("--time=2", "--signal=USR1@60")
    until("USR1", 150, lambda: "queued again (restart 1)" in read(log), log)
    stopped = re.findall(r"^sedd: rank \d of 4: stopped at step (\d+) and saved", read(log), re.MULTILINE)
    assert len(stopped) == 4 and len(set(stopped)) == 1 and "sedd ended with 130" in read(log), read(log)
    again(1)
    until("step + 100", 60, lambda: reached(run, int(stopped[0]) + 100), log)
    os.kill(workers(sedd, run, "SLURM_PROCID")[1], signal.SIGKILL)
    until("a killed process", 90, lambda: "sedd ended with 137; queued again (restart 2)" in read(log), log)
    target = sound(run) + 50
    arguments = ["--config", str(configuration(folder, target)), "--data", str(data), "--output", f"{folder}/one"]
    again(2)
    until("the end", 120, lambda: shown(job, "JobState") == "COMPLETED", log)
    assert read(log).strip().endswith("the run is done"), read(log)
    one = exact(sedd, ["train", *arguments], folder, target)
    assert weights(state(run, target)) == weights(one), "restarts changed the run"
    print(f"sbatch: USR1 at step {stopped[0]}, then rank 1 of 4 killed; queued again twice; at step {target} the weights of one, to the byte")

    configuration(folder, LONG)
    job = submit("--time=10")
    until("a new start", 60, lambda: read(log).count("resumed after step") == 3, log)
    cluster.ask("scancel", job)
    until("cancelled", 60, lambda: not cluster.ask("squeue", "-h"), log)
    assert shown(job, "JobState") == "CANCELLED" and shown(job, "Restarts") == "0", cluster.ask("scontrol", "show", "job", job)
    assert "queued again" not in read(log).split("the run is done")[1], read(log)
    print("sbatch: scancel saved and ended the job, which was not queued again", flush=True)


def configuration(folder, steps):
    """The tiny run as a configuration file."""
    sections = {}
    for key, value in (TINY | {"training.n_iters": steps}).items():
        section, _, name = key.rpartition(".")
        sections.setdefault(section, []).append(f"{name}: {value}")
    lines = sections.pop("")
    for section, entries in sections.items():
        lines += [f"{section}:", *(f"  {entry}" for entry in entries)]
    path = pathlib.Path(folder) / "tiny.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def test(sedd, data, folder):
    folder = pathlib.Path(folder)
    folder.mkdir()
    expected = exact(sedd, train_arguments(data, folder / "one", 50), folder, 50)
    open_mpi(sedd, data, folder / "open-mpi", expected)
    with_slurm(sedd, data, folder / "slurm", expected)

"""The sbatch file: USR1 before the time limit, a killed process, the end; then a job that is cancelled."""
import os
import pathlib
import re
import signal
import subprocess
import time

from equality import state
from failures import LONG, TIMEOUT, sound, workers
from jobs import exact, reached, until
from processes import TINY, read

SBATCH = pathlib.Path(__file__).parents[2] / "Deployment/sedd-train.sbatch"


def weights(files):
    """Without the measurements, which a run that was interrupted takes at other steps."""
    return {name: data for name, data in files.items() if name.endswith(".safetensors")}


def test(cluster, sedd, data, folder):
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
        """Starts the job that was queued again soon: SLURM would wait two minutes."""
        def resumed():
            if read(log).count("resumed after step") == count:
                return True
            # As long as its processes end, SLURM still sets the time itself, and in the second of its end slurmd refuses the
            # job as already killed.
            if shown(job, "JobState") == "PENDING":
                time.sleep(4)
                cluster.ask("scontrol", "update", f"jobid={job}", "StartTime=now", check=False)
            time.sleep(2)
            return False

        try:
            until(f"restart {count}", 120, resumed, log)
        except AssertionError as error:
            raise AssertionError(f"{cluster.ask('scontrol', 'show', 'job', job)}\n{cluster.ask('sinfo')}\n{error}") from None
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

#!/usr/bin/env python3
"""Kills training runs a thousand times, at random moments and with full disks, and compares the results with those of uninterrupted runs.

Each round starts one short run by `sedd train --resume`, kills it again and again until it has had its share of kills, lets it end, and
compares every file of its last checkpoint, byte for byte, and every line of metrics.jsonl with the same run left alone.
Between two starts the newest complete checkpoint may only become newer, and the next start must go on from it.

    Tests/Kill/kill_test.py --sedd .build/release/sedd [--kills 1000] [--seed 1]
"""
import argparse
import hashlib
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from sentences import sentences  # noqa: E402

STEPS = 60
TEXT = sentences(60)
COMMON = """
model: {hidden_size: 64, cond_dim: 16, n_blocks: 2, n_heads: 2, length: 32}
tokenizer: byte
data: {held_out: 0.1}
sampling: {steps: 4, count: 1}
"""
TRAINING = "training: {batch_size: 4, n_iters: %d, log_freq: 1, eval_freq: 7, eval_blocks: 4, eval_times: 2, snapshot_freq: 2, keep: 2, sample_freq: 20%s}\n"
# What a resume must restore: moments, momentum, averages, the fitted density, positions in the data, dropout.
KINDS = {
    "adamw": (TRAINING % (STEPS, "") + "optim: {lr: 5.0e-3, warmup: 10}\n"),
    "muon, wsd": (TRAINING % (STEPS, ", ema_horizon: 10") + "optim: {type: muon, lr: 3.0e-3, warmup: 5, schedule: wsd}\n"),
    "fitted density, parts": (
        TRAINING % (STEPS, ", accum: 2, time_density: {type: fitted, refit: 8}") + "optim: {lr: 5.0e-3, warmup: 10}\n"),
    "uniform": (TRAINING % (STEPS, "") + "graph: {type: uniform}\nnoise: {type: geometric}\noptim: {lr: 5.0e-3, warmup: 10}\n"),
}
DISK_FULL = 73


class Failed(Exception):
    pass


def digest(folder):
    """SHA-256 of every file below a folder."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def lines(run):
    """The content of metrics.jsonl without the durations."""
    entries = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    for entry in entries:
        entry.pop("tokens_per_second", None)
    return entries


def newest(run):
    """The step of the newest complete checkpoint; 0 if there is none."""
    steps = [int(path.parent.name[5:]) for path in run.glob("checkpoints/step-*/manifest.json")]
    return max(steps, default=0)


class Rounds:
    def __init__(self, options, folder):
        self.sedd, self.folder = str(pathlib.Path(options.sedd).resolve()), folder
        self.random = random.Random(options.seed)
        self.data = folder / "text.txt"
        self.data.write_text(TEXT)
        self.kills = self.inside_saves = self.full_disks = self.resumes = self.finished_before = 0
        self.references = {}

    def command(self, kind, run):
        config = self.folder / f"{list(KINDS).index(kind)}.yaml"
        config.write_text(COMMON + KINDS[kind])
        return [self.sedd, "train", "--resume", "--config", str(config), "--data", str(self.data), "--output", str(run)]

    def start(self, kind, run, limit=None):
        def prepare():
            if limit:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        environment = dict(os.environ, OMP_NUM_THREADS="1", XDG_CACHE_HOME=str(self.folder / "cache"), SWIFT_BACKTRACE="enable=no")
        return subprocess.Popen(
            self.command(kind, run), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, preexec_fn=prepare)

    def finish(self, kind, run):
        process = self.start(kind, run)
        errors = process.communicate(timeout=600)[1].decode(errors="replace")
        if process.returncode != 0:
            raise Failed(f"{kind}: ended with {process.returncode}: {errors[-500:]}")
        return errors

    def reference(self, kind):
        if kind not in self.references:
            run = self.folder / f"whole-{len(self.references)}"
            begun = time.monotonic()
            self.finish(kind, run)
            self.references[kind] = (run, time.monotonic() - begun)
        return self.references[kind]

    def disturb(self, kind, run, seconds):
        """One interrupted start: killed, or out of disk space."""
        before = newest(run) if run.exists() else 0
        if self.random.random() < 0.1:
            # A file size limit simulates a full disk, at a size between the smallest file and all weights.
            process = self.start(kind, run, limit=self.random.choice([2_000, 20_000, 100_000, 300_000]))
            try:
                process.communicate(timeout=600)
            finally:
                process.kill()
            if process.returncode == 0:
                self.finished_before += 1
            elif process.returncode != DISK_FULL:
                raise Failed(f"{kind}: a full disk ended it with {process.returncode}, not {DISK_FULL}")
            else:
                self.full_disks += 1
        else:
            process = self.start(kind, run)
            inside = self.random.random() < 0.5
            deadline = time.monotonic() + self.random.uniform(0, seconds)
            if inside:
                # Waits until a checkpoint is being written, and a moment longer.
                checkpoints = run / "checkpoints"
                while process.poll() is None and time.monotonic() < deadline + seconds:
                    if time.monotonic() > deadline and self.is_writing(checkpoints):
                        break
                time.sleep(self.random.uniform(0, 0.004))
            else:
                time.sleep(max(0, deadline - time.monotonic()))
            writing = self.is_writing(run / "checkpoints")
            process.send_signal(signal.SIGKILL)
            process.communicate()
            if process.returncode == -signal.SIGKILL:
                self.kills += 1
                self.inside_saves += writing
            elif process.returncode == 0:
                self.finished_before += 1
            else:
                raise Failed(f"{kind}: ended with {process.returncode} by itself")
        after = newest(run) if run.exists() else 0
        if after < before:
            raise Failed(f"{kind}: the newest checkpoint was that of step {before}, and is that of step {after}")

    @staticmethod
    def is_writing(checkpoints):
        try:
            names = os.listdir(checkpoints)
        except OSError:
            return False
        return any(not (name.startswith("step-") or name in ("last", "best")) for name in names)

    def round(self, number, kills):
        kind = self.random.choice(list(KINDS))
        whole, seconds = self.reference(kind)
        run = self.folder / f"run-{number}"
        target = self.kills + kills
        disturbances = 0
        while self.kills < target and disturbances < 10 * kills:
            disturbances += 1
            self.disturb(kind, run, seconds)
            if run.exists() and newest(run) == STEPS:
                break
        step = newest(run) if run.exists() else 0
        errors = self.finish(kind, run)
        self.resumes += 1
        if 0 < step < STEPS and f"resumed after step {step}" not in errors:
            raise Failed(f"{kind}: step {step} was saved, but the run went on otherwise: {errors[:500]}")
        if lines(run) != lines(whole):
            raise Failed(f"{kind}: metrics.jsonl differs, see {run} and {whole}")
        ours, theirs = (digest((folder / "checkpoints" / f"step-{STEPS}")) for folder in (run, whole))
        if ours != theirs:
            names = [name for name in theirs if ours.get(name) != theirs[name]]
            raise Failed(f"{kind}: {', '.join(names)} differ, see {run} and {whole}")
        leftovers = [path for path in (run / "checkpoints").iterdir() if not (path.name.startswith("step-") or path.name in ("last", "best"))]
        if leftovers:
            raise Failed(f"{kind}: half-written folders stayed: {leftovers}")
        shutil.rmtree(run)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sedd", required=True)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begun = time.monotonic()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sedd-kills-"))
    rounds, number = Rounds(options, folder), 0
    try:
        while rounds.kills < options.kills:
            rounds.round(number, min(rounds.random.randint(1, 8), options.kills - rounds.kills))
            number += 1
            if number % 10 == 0:
                print(f"{rounds.kills} kills, {rounds.inside_saves} of them inside a save, {number} runs", flush=True)
    except Failed as failure:
        print(f"FAILED, round {number}, seed {options.seed}: {failure}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    print(f"{rounds.kills} kills ({rounds.inside_saves} inside a save), {rounds.full_disks} full disks, "
          f"{rounds.finished_before} starts that ended first; {number} runs, each equal to the byte to the one left alone; "
          f"{time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

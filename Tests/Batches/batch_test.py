#!/usr/bin/env python3
"""Draws the same texts in batches of several sizes, on one and on two threads, and compares them token for token.

Nothing but model, template, settings and seed may decide a text. Trains three small models for it (absorbing, uniform, autoregressive), and
takes a bundled one as well, with fewer positions and steps.

    Tests/Batches/batch_test.py --sedd .build/release/sedd --model Models/stories [--texts 10000]
"""
import argparse
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from sentences import sentences  # noqa: E402

BATCHES = [1, 2, 3, 5, 16, 64]
TEXT = sentences(200)
MODEL = "model: {hidden_size: 64, cond_dim: 16, n_blocks: 2, n_heads: 2, length: 136, dropout: 0%s}\ntokenizer: byte\n"
KINDS = {
    "absorb": "", "uniform": "graph: {type: uniform}\nnoise: {type: geometric}\n", "autoregressive": "",
}
TRAINING = "training: {batch_size: 8, n_iters: 200, eval_freq: 200, snapshot_freq: 200, sample_freq: 0}\noptim: {lr: 0.003, warmup: 20}\n"
SAMPLERS = {"absorb": ["analytic", "confidence"], "uniform": ["analytic", "remask"], "autoregressive": [None]}


def run(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def texts(options, model, sampler, length, steps, count, batch, threads):
    """A digest of each text's tokens."""
    command = [options.sedd, "sample", "--model", model, "--count", count, "--length", length, "--seed", 7, "--batch", batch,
               "--threads", threads, "--jsonl"]
    if sampler:
        command += ["--sampler", sampler, "--steps", steps]
    return [hashlib.sha256(json.dumps(json.loads(line)["tokens"]).encode()).digest() for line in run(command).splitlines()]


def compare(options, name, model, sampler, length, steps, count):
    """Prints a row, and returns the number of texts that differ."""
    expected = texts(options, model, sampler, length, steps, count, 16, 1)
    differ, trials = 0, 0
    for threads in (1, 2):
        for batch in BATCHES:
            if (batch, threads) == (16, 1):
                continue
            found = texts(options, model, sampler, length, steps, count, batch, threads)
            differ += sum(a != b for a, b in zip(found, expected)) + abs(len(found) - len(expected))
            trials += 1
    print(f"{name}: {len(expected)} texts of {length} tokens ({len(set(expected))} distinct), {trials} other batches and thread counts: "
          f"{differ} differ", flush=True)
    return differ


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sedd", type=pathlib.Path, required=True)
    parser.add_argument("--model", type=pathlib.Path, required=True, help="a bundled model")
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--only", nargs="+", choices=[*KINDS, "bundled"], default=[*KINDS, "bundled"], help="models to compare")
    options = parser.parse_args()
    options.sedd = options.sedd.resolve()
    differ = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "text.txt").write_text(TEXT)
        for kind, lines in KINDS.items():
            if kind not in options.only:
                continue
            configuration = folder / f"{kind}.yaml"
            type_ = ", type: autoregressive" if kind == "autoregressive" else ""
            configuration.write_text(MODEL % type_ + lines + TRAINING)
            run([options.sedd, "train", "--config", configuration, "--data", folder / "text.txt", "--output", folder / kind])
            for sampler in SAMPLERS[kind]:
                differ += compare(options, f"{kind}, {sampler or 'left to right'}", folder / kind, sampler, 136, 4, options.texts)
        if "bundled" in options.only:
            differ += compare(options, f"{options.model.name}, analytic", options.model, "analytic", 40, 2, options.texts)
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()

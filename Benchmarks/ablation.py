#!/usr/bin/env python3
"""What each change of the training recipe brings, at equal network and tokens.

Trains tiny Shakespeare by characters at one shape, once for each variant and seed, and writes a table of the held-out
likelihood bound, which no variant changes. Runs that are finished are skipped, runs that were stopped are resumed, so the script may
be ended and started again at any time.

    Benchmarks/ablation.py --data input.txt --output runs/ablation --table -
    Benchmarks/ablation.py --data input.txt --output runs/trial --steps 600 --seeds 1 --only 'published;muon' --table -
"""
import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

MUON = ["optim.type=muon"]
LINEAR = ["optim.schedule=linear", "optim.decay=0.5"]
TIME = ["training.loss_weight=time"]
BUMP = ["training.time_density=normal", "training.time_density.mean=0.5", "training.time_density.width=0.25"]

# Every change alone, then together. All start from the preset published-tiny.
VARIANTS = {
    "published": [],
    "linear, last half": LINEAR,
    "cosine": ["optim.schedule=cosine"],
    "wsd, last fifth": ["optim.schedule=wsd"],
    "muon": MUON,
    "weight decay 0.1": ["optim.weight_decay=0.1"],
    "beta2 0.99": ["optim.beta2=0.99"],
    "average over a tenth": ["training.ema_horizon=0.1"],
    "weight 2t": TIME,
    "bump": BUMP,
    "bump, weight 2t": BUMP + TIME,
    "bump, 1/p": BUMP + ["training.time_density.correction=full"],
    "beta 0.4": ["training.time_density=beta", "training.time_density.mean=0.4", "training.time_density.width=0.25"],
    "window 0.05-0.95": ["training.time_density=window", "training.time_density.width=0.45"],
    "fitted": ["training.time_density=fitted"],
    "fitted, 1/p": ["training.time_density=fitted", "training.time_density.correction=full"],
    "complementary": ["training.complementary=true"],
    "muon, linear": MUON + LINEAR,
    "muon, linear, weight 2t": MUON + LINEAR + TIME,
    "muon, linear, bump, weight 2t": MUON + LINEAR + BUMP + TIME,
    "no dropout": ["model.dropout=0"],
    "muon 0.01, linear, weight 2t": MUON + LINEAR + TIME + ["optim.muon_lr=0.01"],
    "muon 0.04, linear, weight 2t": MUON + LINEAR + TIME + ["optim.muon_lr=0.04"],
    "muon, linear, weight 2t, no dropout": MUON + LINEAR + TIME + ["model.dropout=0"],
    "muon, linear, weight 2t, lr 2e-3": MUON + LINEAR + TIME + ["optim.lr=2.0e-3"],
    "muon, linear, bump, weight 2t, no dropout": MUON + LINEAR + BUMP + TIME + ["model.dropout=0"],
    "preset tiny-cpu": None,
    "left to right, published": ["model=autoregressive"],
    "left to right, muon, linear": ["model=autoregressive"] + MUON + LINEAR,
}


def command(options, variant, seed, folder):
    """The command that starts or resumes a run."""
    binary = str(options.binary)
    if (folder / "run.yaml").exists():
        return [binary, "train", "--resume", "--output", str(folder)]
    # The recipe of the preset itself, compared with all changes combined.
    preset = "tiny-cpu" if VARIANTS[variant] is None else "published-tiny"
    settings = [
        f"training.n_iters={options.steps}", f"training.seed={seed}", "training.eval_freq=250", "training.eval_blocks=256",
        "training.eval_times=8", "training.snapshot_freq=250", "training.keep=1", "training.sample_freq=0",
    ] + (VARIANTS[variant] or [])
    sets = [word for setting in settings for word in ("--set", setting)]
    return [binary, "train", "--config", preset] + sets + ["--data", str(options.data), "--output", str(folder)]


def validations(folder):
    """Held-out nats per token by step."""
    found = {}
    path = folder / "metrics.jsonl"
    for line in path.read_text().splitlines() if path.exists() else []:
        entry = json.loads(line)
        if entry.get("validation") is not None:
            found[entry["step"]] = entry["validation"]
    return found


def table(options, results):
    """The table as Markdown: one row a variant, the mean over seeds and their spread."""
    steps = [step for step in (250, 500, 1000, 1250, 1500, 2000, 2500) if step <= options.steps]
    if options.steps not in steps:
        steps.append(options.steps)
    lines = ["| variant | " + " | ".join(f"step {step}" for step in steps) + " | seeds |",
             "|---|" + "---|" * (len(steps) + 1)]
    for variant, runs in results.items():
        cells = []
        for step in steps:
            values = [run[step] for run in runs if step in run]
            if not values:
                cells.append("")
                continue
            mean = sum(values) / len(values)
            spread = f" ± {(max(values) - min(values)) / 2:.3f}" if len(values) > 1 else ""
            cells.append(f"{mean:.3f}{spread}")
        lines.append(f"| {variant} | " + " | ".join(cells) + f" | {len(runs)} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=lambda path: pathlib.Path(path).resolve(), default=ROOT / ".build/release/sedd")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="tiny Shakespeare, one text")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="folder of the runs")
    parser.add_argument("--table", default="-", help="Markdown file to write; - for standard output")
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", help="names of variants, separated by semicolons")
    options = parser.parse_args()
    chosen = [name.strip() for name in options.only.split(";")] if options.only else list(VARIANTS)
    unknown = [name for name in chosen if name not in VARIANTS]
    if unknown:
        parser.error(f"no variant is called {', '.join(unknown)}; expected some of: {'; '.join(VARIANTS)}")
    results = {}
    for variant in chosen:
        for seed in range(options.seeds):
            folder = options.output / f"{variant.replace(', ', '-').replace(' ', '-').replace('/', '')}-{seed}"
            if options.steps not in validations(folder):
                print(f"{variant}, seed {seed}", file=sys.stderr, flush=True)
                subprocess.run(command(options, variant, seed, folder), check=True)
            results.setdefault(variant, []).append(validations(folder))
            text = table(options, results)
            if options.table != "-":
                pathlib.Path(options.table).write_text(text)
    if options.table == "-":
        print(table(options, results), end="")


if __name__ == "__main__":
    main()

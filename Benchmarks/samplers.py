#!/usr/bin/env python3
"""Samplers compared on one model: the judge's perplexity at equal entropy, and exact likelihood, against network evaluations.

    Benchmarks/samplers.py sample --model MODEL --length 128 --output FOLDER
    Benchmarks/samplers.py judge --judge JUDGE --output FOLDER
    Benchmarks/samplers.py likelihood --model MODEL --data TEXT --length 128 --output FOLDER
    Benchmarks/samplers.py report --output FOLDER

Perplexity under a judge falls with entropy, so a sampler that repeats itself looks good. Each setting is therefore sampled at several
temperatures, and its perplexity is read where its entropy is that of the reference: 256 analytic steps at temperature 1. The
logarithm of the perplexity is taken as linear in the entropy between, or beyond, the two nearest temperatures. The standard error
combines those of both quantities at both temperatures as if they were independent. Likelihoods are those of held-out blocks, exact,
under orders that depend only on the state; they need neither a judge nor samples.

What is done is not done again, so the script may be stopped and started. `report` draws with matplotlib
(Scripts/venv.sh matplotlib==3.10.7).
"""
import argparse
import csv
import json
import math
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
REFERENCE = "analytic"
REFERENCE_STEPS = 256
ORDERS = ("confidence", "margin", "entropy", "left-to-right")
COLUMNS = ("method", "setting", "temperature", "texts", "evaluations", "perplexity", "perplexity_error", "entropy", "entropy_error")


def settings(evaluations):
    """(name of the curve, options of `sedd sample`) of all settings; a grid of S steps has S + 1 evaluations."""
    found = []
    for count in evaluations:
        steps = ["--steps", str(count - 1)]
        found += [(name, ["--sampler", name] + steps) for name in ("analytic", "euler", "remask")]
        found.append(("analytic, cosine grid", ["--sampler", "analytic", "--grid", "cosine"] + steps))
        found.append(("trapezoidal", ["--sampler", "trapezoidal", "--steps", str((count - 1) // 2)]))
        found += [(name, ["--sampler", name, "--steps", str(count)]) for name in ORDERS + ("random",)]
    found += [("entropy-bound", ["--sampler", "entropy-bound", "--gamma", str(gamma)]) for gamma in (0.1, 0.5, 2)]
    found += [(REFERENCE, ["--sampler", REFERENCE, "--steps", str(steps)]) for steps in (127, REFERENCE_STEPS)]
    found.append(("first-hitting", ["--sampler", "first-hitting"]))
    return found


def slug(*words):
    return "_".join(str(word) for word in words).replace("--", "").replace(", ", "-").replace(" ", "-")


def run(command):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(map(str, command))}: {result.stderr.strip()}")
    return result.stdout


def keep(path, text):
    """Writes a file as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(text)
    partial.rename(path)


def sample(options):
    for name, flags in settings(options.evaluations):
        if options.methods and name not in options.methods:
            continue
        for temperature in options.temperatures:
            path = options.output / "samples" / f"{slug(name, *flags, temperature)}.jsonl"
            if path.exists():
                continue
            print(path.stem, file=sys.stderr, flush=True)
            keep(path.with_suffix(".json"), json.dumps({"method": name, "setting": " ".join(flags), "temperature": temperature}))
            keep(path, run([
                options.sedd, "sample", "--model", options.model, "--template", options.template, "--length", options.length,
                "--count", options.count, "--seed", 1, "--jsonl", "--temperature", temperature] + flags))


def judge(options):
    for path in sorted((options.output / "samples").glob("*.jsonl")):
        target = options.output / "judged" / f"{path.stem}.json"
        if not target.exists():
            print(path.stem, file=sys.stderr, flush=True)
            keep(target, run([options.sedd, "judge", "--model", options.judge, "--samples", path, "--whole", "--json"]))


def likelihood(options):
    common = ["--model", options.model, "--data", options.data, "--length", options.length, "--blocks", options.blocks, "--json"]
    runs = [("bound", ["--time-samples", 16])]
    for order in ORDERS:
        counts = sorted({max(1, options.length // count) for count in options.evaluations + [options.length]})
        runs += [(order, ["--order", order, "--positions", count]) for count in counts]
    runs += [("entropy-bound", ["--order", "entropy-bound", "--gamma", gamma]) for gamma in (0.1, 0.5, 2)]
    for name, flags in runs:
        path = options.output / "likelihood" / f"{slug(name, *flags)}.json"
        if not path.exists():
            print(path.stem, file=sys.stderr, flush=True)
            keep(path, run([options.sedd, "evaluate"] + common + flags))


def measured(options):
    """One row for each judged file."""
    rows = []
    for path in sorted((options.output / "judged").glob("*.json")):
        found = json.loads(path.read_text())
        made = options.output / "samples" / path.name
        lines = made.with_suffix(".jsonl").read_text().splitlines()
        about = json.loads(made.read_text())
        rows.append({
            **about, "texts": found["count"],
            "evaluations": sum(json.loads(line)["networkEvaluations"] for line in lines) / len(lines),
            "perplexity": found["perplexity_of_tokens"], "perplexity_error": found["perplexity_standard_error"],
            "entropy": found["diversity"]["entropy"], "entropy_error": found["diversity"]["entropy_standard_error"]})
    return rows


def at_entropy(points, entropy):
    """(perplexity, standard error, whether beyond the temperatures measured) where the entropy is `entropy`; `points` are rows of one
    setting at several temperatures."""
    points = sorted(points, key=lambda row: row["entropy"])
    pairs = list(zip(points, points[1:]))
    low, high = next((pair for pair in pairs if entropy <= pair[1]["entropy"]), pairs[-1])
    slope = math.log(high["perplexity"] / low["perplexity"]) / (high["entropy"] - low["entropy"])
    share = (entropy - low["entropy"]) / (high["entropy"] - low["entropy"])
    value = math.exp((1 - share) * math.log(low["perplexity"]) + share * math.log(high["perplexity"]))
    variance = sum(
        weight ** 2 * ((row["perplexity_error"] / row["perplexity"]) ** 2 + (slope * row["entropy_error"]) ** 2)
        for weight, row in ((1 - share, low), (share, high)))
    return value, value * math.sqrt(variance), not 0 <= share <= 1


def report(options):
    rows = measured(options)
    if not rows:
        sys.exit(f"{options.output}: nothing has been judged; run `sample` and `judge` first")
    with open(options.output / "quality.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows({name: f"{row[name]:.4f}" if isinstance(row[name], float) else row[name] for name in COLUMNS} for row in rows)
    by_setting = {}
    for row in rows:
        by_setting.setdefault((row["method"], row["setting"]), []).append(row)
    reference = f"--sampler {REFERENCE} --steps {REFERENCE_STEPS}"
    level = next((row for row in rows if row["temperature"] == 1 and row["method"] == REFERENCE and row["setting"] == reference), None)
    if level is None:
        sys.exit(f"{options.output}: the reference, {reference} at temperature 1, has not been judged")
    table = []
    for (method, setting), points in by_setting.items():
        # At equal entropies there is nothing to interpolate, and a single text has no error.
        if len({row["entropy"] for row in points}) > 1 and all(row["texts"] > 1 for row in points):
            evaluations = sum(row["evaluations"] for row in points) / len(points)
            table.append((method, setting, evaluations, *at_entropy(points, level["entropy"])))
    table.sort(key=lambda row: (row[2], row[3]))
    lines = [
        f"{level['texts']} texts per setting and temperature. Reference: {REFERENCE_STEPS} analytic steps at temperature 1, entropy "
        f"{level['entropy']:.3f} ± {level['entropy_error']:.3f} nats, perplexity {level['perplexity']:.2f} ± {level['perplexity_error']:.2f}.", "",
        "| method | evaluations | perplexity at that entropy | times that of the reference |", "|---|---|---|---|"]
    for method, _, evaluations, value, error, is_beyond in table:
        ratio = value / level["perplexity"]
        ratio_error = ratio * math.hypot(error / value, level["perplexity_error"] / level["perplexity"])
        lines.append(
            f"| {method} | {evaluations:.1f} | {value:.2f} ± {error:.2f}{' (extrapolated)' if is_beyond else ''} "
            f"| {ratio:.2f} ± {ratio_error:.2f} |")
    found = []
    for path in sorted((options.output / "likelihood").glob("*.json")):
        result = json.loads(path.read_text())
        found.append((
            path.stem.split("_")[0], result.get("network_evaluations"), result["nats_per_token"], result["standard_error"]))
    if found:
        found.sort(key=lambda row: (row[1] is None, row[1] or 0, row[2]))
        lines += ["", "| order | evaluations | nats per token, exact |", "|---|---|---|"]
        lines += [f"| {name} | {'' if count is None else f'{count:.1f}'} | {'<= ' if name == 'bound' else ''}{nats:.3f} ± {error:.3f} |"
                  for name, count, nats, error in found]
    (options.output / "table.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    draw(options.output / "samplers.svg", table, level, found)


def draw(path, table, level, likelihoods):
    """Two panels against network evaluations: perplexity at the reference's entropy, and exact likelihood."""
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "samplers"
    import matplotlib.pyplot as plt
    methods = sorted({row[0] for row in table} | {row[0] for row in likelihoods} - {"bound"})
    styles = {
        name: {"color": plt.get_cmap("tab20")(2 * index % 20 + index // 10), "marker": "osv^<>DPX*hd"[index % 12]}
        for index, name in enumerate(methods)}

    def curves(panel, points):
        for method in methods:
            own = sorted(row[1:] for row in points if row[0] == method)
            if own:
                panel.errorbar(*zip(*own), label=method, capsize=2, linewidth=1, markersize=5, **styles[method])
        panel.set_xscale("log", base=2)
        panel.xaxis.set_major_formatter("{x:g}")
        panel.grid(alpha=0.3)

    figure, panels = plt.subplots(1, 2 if likelihoods else 1, figsize=(13 if likelihoods else 8, 5), squeeze=False, layout="constrained")
    left = panels[0][0]
    curves(left, [(row[0], *row[2:5]) for row in table])
    left.axhline(level["perplexity"], color="grey", linestyle=":", label=f"{REFERENCE_STEPS} analytic steps")
    left.set(yscale="log", xlabel="network evaluations", ylabel="judge's perplexity at equal entropy")
    if likelihoods:
        right = panels[0][1]
        curves(right, [row for row in likelihoods if row[0] != "bound"])
        for _, _, nats, _ in (row for row in likelihoods if row[0] == "bound"):
            right.axhline(nats, color="grey", linestyle="--", label="bound, random order")
        right.set(xlabel="network evaluations", ylabel="held-out nats per token, exact")
        right.legend(fontsize=8)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=6, fontsize=8)
    figure.savefig(path, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    for name, work in (("sample", sample), ("judge", judge), ("likelihood", likelihood), ("report", report)):
        each = steps.add_parser(name, help=work.__name__)
        each.set_defaults(work=work)
        each.add_argument("--output", type=pathlib.Path, required=True, help="folder of one model and length")
        each.add_argument("--sedd", type=lambda path: pathlib.Path(path).resolve(), default=ROOT / ".build/release/sedd")
        if name in ("sample", "likelihood"):
            each.add_argument("--model", required=True)
            each.add_argument("--length", type=int, required=True)
            each.add_argument("--evaluations", type=int, nargs="+", default=[16, 32, 64])
        if name == "sample":
            each.add_argument("--template", default="[[*]]")
            each.add_argument("--count", type=int, default=64, help="texts per setting and temperature")
            each.add_argument("--methods", nargs="+", help="the methods to sample with (default: all)")
            each.add_argument("--temperatures", type=float, nargs="+", default=[0.8, 1.0])
        if name == "judge":
            each.add_argument("--judge", required=True, help="an autoregressive model")
        if name == "likelihood":
            each.add_argument("--data", required=True)
            each.add_argument("--blocks", type=int, default=32)
    options = parser.parse_args()
    options.work(options)


if __name__ == "__main__":
    main()

"""How the time of a step grows with the batch, the length, the vocabulary, the blocks and the share of masked positions.

Prints a table for each, in Markdown, with the exponent of a power law fitted to it by least squares on logarithms: 1 where
the time is proportional. Usage: growth.py --sedd .build/release/sedd
"""

import argparse
import json
import math
import subprocess

BASE = {"tokens": 27, "hidden": 192, "heads": 4, "blocks": 4, "length": 128, "batch": 16}
# What is varied, over which values, and from which base shape if the default would hide the effect.
TABLES = {
    "batch": ([2, 4, 8, 16, 32], {}),
    "length": ([64, 128, 256, 512, 1024, 2048], {"batch": 2}),
    "tokens": ([1000, 4000, 16000, 64000], {"blocks": 1, "hidden": 128, "batch": 4}),
    "blocks": ([1, 2, 4, 8, 16], {}),
    "masked": ([0.0625, 0.125, 0.25, 0.5, 1.0], {"tokens": 50257, "blocks": 1, "hidden": 128, "batch": 4}),
}


def measure(sedd, shape):
    command = [sedd, "bench", "--json", "--repeats", "7"]
    for name, value in shape.items():
        command += [f"--{name}", str(value)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def exponent(xs, ys):
    xs, ys = [math.log(x) for x in xs], [math.log(y) for y in ys]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / sum((x - mean_x) ** 2 for x in xs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sedd", required=True)
    parser.add_argument("--only", nargs="+", choices=list(TABLES), default=list(TABLES))
    options = parser.parse_args()
    for name in options.only:
        values, change = TABLES[name]
        kinds = ["sample"] if name == "masked" else ["train", "sample"]
        rows = [measure(options.sedd, {**BASE, **change, name: value} | ({"only": "sample"} if name == "masked" else {})) for value in values]
        others = ", ".join(f"{key} {value}" for key, value in {**BASE, **change}.items() if key != name)
        print(f"\n**{name}** ({others})\n")
        print("| " + " | ".join([name] + [f"{kind} step, ms" for kind in kinds]) + " |")
        print("|---" * (1 + len(kinds)) + "|")
        for value, row in zip(values, rows):
            print("| " + " | ".join([str(value)] + [f"{1e3 * row[f'{kind}_step_seconds']:.2f}" for kind in kinds]) + " |")
        fits = [f"{exponent(values, [row[f'{kind}_step_seconds'] for row in rows]):.2f}" for kind in kinds]
        last = [f"{exponent(values[-2:], [row[f'{kind}_step_seconds'] for row in rows[-2:]]):.2f}" for kind in kinds]
        print("| exponent | " + " | ".join(fits) + " |")
        print("| of the last two | " + " | ".join(last) + " |", flush=True)

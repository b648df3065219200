"""Measures `sedd bench` and a plain PyTorch SEDD alternately and prints a table of medians.

Every measurement is a process of its own, so that peak memory is that of one side; the sides take turns within a round,
so that a machine that is shared and noisy is so for both. Ratios are medians over rounds of the ratio within a round.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
# tokens, width, heads, blocks, length, batch, timed steps
SHAPES = {
    1: (27, 192, 4, 4, 128, 16, 30),
    2: (66, 384, 6, 6, 256, 8, 8),
    3: (50257, 768, 12, 12, 1024, 1, 2),
}
NAMES = ["tokens", "hidden", "heads", "blocks", "length", "batch", "repeats"]


def flags(shape):
    return [part for name, value in zip(NAMES, shape) for part in (f"--{name}", str(value))]


def run(command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"bench: {' '.join(command)} ended with {result.returncode}:\n{result.stderr[-2000:]}")
    return json.loads(result.stdout.strip().splitlines()[-1])


def sides(sedd, shape):
    torch = [sys.executable, str(HERE / "PyTorch" / "sedd_torch.py"), *flags(shape)]
    return {
        "sedd": [sedd, "bench", "--json", *flags(shape)],
        "eager": torch,
        "compiled": [*torch, "--compile"],
    }


def median(rows, key):
    return statistics.median(row[key] for row in rows)


def report(shape, measured):
    tokens, hidden, _, blocks, length, batch, _ = shape
    print(f"\n{tokens} tokens, width {hidden}, {blocks} blocks, length {length}, batch {batch}")
    columns = ["train step", "sedd is", "roofline", "sample step", "sedd is", "roofline", "peak memory"]
    print(" " * 18 + "".join(f"{column:>13}" for column in columns))
    ours = measured["sedd"]
    for side, rows in measured.items():
        cells = []
        for kind in ("train", "sample"):
            key = f"{kind}_step_seconds"
            ratio = statistics.median(theirs[key] / mine[key] for mine, theirs in zip(ours, rows))
            cells.append(f"{median(rows, key):.4f} s")
            cells.append("" if rows is ours else f"{ratio:.2f}x faster")
            cells.append(f"{median(rows, f'{kind}_roofline'):.2f}" if rows is ours else "")
        cells.append(f"{median(rows, 'peak_rss_bytes') / 2**20:.0f} MiB")
        name = "sedd" if rows is ours else f"PyTorch, {side}"
        print(f"{name:18}" + "".join(f"{cell:>13}" for cell in cells))
    print(f"{'':18}products at {median(ours, 'gemm_gflops'):.0f} GFLOP/s (float32, 1024 x 1024 x 1024)", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sedd", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shapes", type=int, nargs="+", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--result", type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.result.parent.mkdir(parents=True, exist_ok=True)
    with options.result.open("w") as out:
        for number in options.shapes:
            commands = sides(options.sedd, SHAPES[number])
            measured = {side: [] for side in commands}
            for turn in range(options.rounds):
                for side, command in commands.items():
                    print(f"shape {number}, round {turn + 1}, {side}", file=sys.stderr, flush=True)
                    row = run(command)
                    measured[side].append(row)
                    print(json.dumps({"shape": number, "round": turn, "side": side, **row}), file=out, flush=True)
            report(SHAPES[number], measured)


if __name__ == "__main__":
    main()

"""Checks `sedd` on a GPU and measures it beside PyTorch; run by gpu-check.sh in the folder that it packed.

Every check says what was found and what is allowed. The JSON file has them all, and every measurement, whether they hold or not.
"""

import argparse
import json
import math
import os
import platform
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
SHAPES = {  # tokens, width, heads, blocks, length
    "small": (50257, 768, 12, 12, 1024),
    "medium": (50257, 1024, 16, 24, 1024),
    "tiny": (27, 64, 2, 2, 64),
}


class Failed(Exception):
    pass


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def devices():
    """CUDA devices of the machine."""
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True).stdout
        return len(listed.splitlines())
    except (OSError, subprocess.CalledProcessError):
        return 0


def together(count, *words, timeout=600):
    """Runs a command in several processes that work as one; a single one exchanges data only with itself."""
    port = str(free_port())
    environments = [
        os.environ | {"RANK": str(rank), "WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        for rank in range(count)
    ]
    running = [
        subprocess.Popen(
            [str(HERE / "sedd"), *map(str, words)], env=environment, text=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        for environment in environments
    ]
    reasons = []
    try:
        for one in running:
            _, errors = one.communicate(timeout=timeout)
            if one.returncode != 0:
                reasons += errors.strip().splitlines()[-1:] or ["no reason given"]
    finally:
        for one in running:
            one.kill()
    if reasons:
        raise Failed(f"sedd {words[0]} by {count} processes: {'; '.join(reasons)}")


def sedd(*words, timeout=1800):
    """What a command prints; its last line on stderr is the reason where it fails."""
    result = subprocess.run(
        [str(HERE / "sedd"), *map(str, words)], capture_output=True, text=True, timeout=timeout
    )
    if result.returncode != 0:
        raise Failed(f"sedd {words[0]}: {result.stderr.strip().splitlines()[-1:] or 'no reason given'}")
    return result.stdout


def tensors(path):
    """float32 tensors of a safetensors file, as lists."""
    data = Path(path).read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    entries = json.loads(data[8 : 8 + size])
    found = {}
    for name, entry in entries.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        first, last = (8 + size + at for at in entry["data_offsets"])
        found[name] = struct.unpack(f"<{(last - first) // 4}f", data[first:last])
    return found


def largest(differences):
    """The greatest difference; infinity if one is NaN, which `max` would pass over."""
    differences = list(differences)
    return math.inf if any(math.isnan(each) for each in differences) else max(differences)


def greatest(found, expected):
    return largest(abs(f - e) for f, e in zip(found, expected, strict=True))


def share(found, expected):
    """The difference of two arrays relative to the norm."""
    squares = sum((f - e) ** 2 for f, e in zip(found, expected, strict=True))
    return math.sqrt(squares / max(sum(e * e for e in expected), 1e-30))


def relative(found, expected, floor=1e-3):
    return largest(abs(f - e) / max(abs(e), floor) for f, e in zip(found, expected, strict=True))


class Report:
    def __init__(self, device):
        self.device = device
        self.checks = []
        self.measurements = []

    def check(self, name, found, allowed):
        holds = found <= allowed
        self.checks.append({"name": name, "found": found, "allowed": allowed, "holds": holds})
        print(f"{'ok  ' if holds else 'FAIL'} {name}: {found:.3g}, allowed {allowed:.3g}", flush=True)

    def attempt(self, name, body):
        """Records an exception in a part as a failed check and continues with the next part."""
        try:
            body()
        except (Failed, subprocess.TimeoutExpired, ValueError, KeyError, OSError) as error:
            self.checks.append({"name": name, "found": str(error), "allowed": None, "holds": False})
            print(f"FAIL {name}: {error}", flush=True)

    def precisions(self):
        return ["float32", "bf16"] if self.device == "cuda" else ["float32"]

    def on(self, precision):
        return ["--device", self.device, "--precision", precision]


def golden(report):
    """Log-scores and losses of the published implementation, and of the CPU."""
    folders = sorted((HERE / "golden").iterdir())
    if not folders:
        raise Failed("the archive has no golden values; pack it where ../shared/golden is")
    for folder in folders:
        expected = tensors(folder / "expected.safetensors")
        sedd("inspect", "--model", folder, "--input", folder / "expected.safetensors", "--output", HERE / "cpu.out")
        cpu = tensors(HERE / "cpu.out")
        for precision in report.precisions():
            out = HERE / "device.out"
            words = ["--model", folder, "--input", folder / "expected.safetensors", "--output", out]
            sedd("inspect", *words, *report.on(precision))
            found = tensors(out)
            name = f"golden {folder.name} {precision}"
            if precision == "float32":
                report.check(f"{name} log_score", greatest(found["log_score"], expected["log_score"]), 1e-4)
                report.check(f"{name} score_entropy", relative(found["score_entropy"], expected["score_entropy"]), 2e-4)
                report.check(f"{name} loss", relative(found["loss"], expected["loss"]), 2e-4)
                report.check(f"{name} log_score, of the CPU", greatest(found["log_score"], cpu["log_score"]), 1e-4)
            else:
                # Numbers of 8 significant bits in the trunk alone.
                report.check(f"{name} log_score, share", share(found["log_score"], expected["log_score"]), 0.03)
                report.check(f"{name} loss, share", share(found["loss"], expected["loss"]), 0.05)


def evaluation(report):
    """The likelihood bound of the bundled model on a text."""
    words = ["--model", HERE / "model", "--data", HERE / "text.txt", "--blocks", 8, "--time-samples", 4, "--json"]
    (cpu,) = (json.loads(line)["nats_per_token"] for line in sedd("evaluate", *words).splitlines())
    for precision in report.precisions():
        (found,) = (
            json.loads(line)["nats_per_token"] for line in sedd("evaluate", *words, *report.on(precision)).splitlines()
        )
        allowed = 1e-5 if precision == "float32" else 1e-2
        report.check(f"evaluate {precision}, relative to the CPU", abs(found - cpu) / cpu, allowed)


def losses(name, *words, run_by=sedd):
    """Those of ten training steps."""
    run = HERE / "runs" / name
    subprocess.run(["rm", "-rf", str(run)], check=True)
    settings = ["training.n_iters=10", "training.log_freq=1", "training.sample_freq=0", "optim.warmup=0"]
    sets = [word for setting in settings for word in ("--set", setting)]
    run_by("train", "--config", "published-tiny", *sets, "--data", HERE / "text.txt", "--output", run, *words)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if "loss" in line]


def processes(report):
    """Processes that train as one, a device each: by NCCL on CUDA devices, by Gloo on the CPU. One device is its own partner."""
    most = devices() if report.device == "cuda" else 2
    for precision in report.precisions():
        alone = losses(f"alone-{precision}", *report.on(precision))
        for count in [1, 2] if most > 1 else [1]:
            found = losses(
                f"{count}-together-{precision}", *report.on(precision),
                run_by=lambda *words, count=count: together(count, *words))
            allowed = 1e-4 if precision == "float32" else 2e-2
            report.check(f"losses of {count} processes {precision}, relative to one alone", relative(found, alone), allowed)
    if most < 2:
        print("skipped two processes with a device each: this machine has one", flush=True)


def training(report):
    """The losses of the first steps, with dropout, which is the same function on every device."""

    cpu = losses("cpu")
    if len(cpu) != 10:
        raise Failed(f"expected the losses of 10 steps, found {len(cpu)}")
    for precision in report.precisions():
        found = losses(precision, *report.on(precision))
        allowed = 1e-3 if precision == "float32" else 3e-2
        report.check(f"losses of 10 training steps {precision}, relative to the CPU", relative(found, cpu), allowed)


def sampling(report):
    """Texts from equal seeds: the same in float32 but where rounding decides a draw; graphs change nothing but that either."""
    words = ["--model", HERE / "model", "--count", 8, "--seed", 1, "--steps", 32, "--length", 64, "--jsonl"]

    def tokens(*more):
        return [json.loads(line)["tokens"] for line in sedd("sample", *words, *more).splitlines()]

    def differing(found, expected):
        return sum(f != e for f, e in zip(found, expected, strict=True)) / len(expected)

    cpu = tokens()
    for precision in report.precisions():
        found = tokens(*report.on(precision))
        if precision == "float32":
            report.check("sample float32, share of texts that differ from the CPU's", differing(found, cpu), 0.25)
        plain = tokens(*report.on(precision), "--no-graphs")
        allowed = 0.25 if precision == "float32" else 1.0
        report.check(f"sample {precision}, share of texts that differ without graphs", differing(found, plain), allowed)
        report.check(f"sample {precision}, tokens outside the vocabulary", sum(t > 255 for x in found for t in x), 0)


def once(command, timeout=1200):
    """The measurements of one process, or the reason why they failed."""
    started = time.monotonic()
    try:
        result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=timeout, cwd=HERE)
    except subprocess.TimeoutExpired:
        return None, f"timed out after {timeout} s"
    if result.returncode == 0:
        measured = json.loads(result.stdout.splitlines()[-1])
        measured["process_seconds"] = time.monotonic() - started
        return measured, None
    reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
    return None, "out of memory" if "out of memory" in result.stderr.lower() else reason


def largest(report, shape, kind, name, command, limit):
    """Measures rising batches until one does not fit, and one between the last two."""
    key = f"{kind}_step_seconds"
    fitting, batch, stop = 0, 1, None
    while batch <= limit:
        measured, stop = once([*command, "--batch", batch, "--only", kind])
        if measured is None:
            break
        length = SHAPES[shape][4]
        row = {"shape": shape, "step": kind, "by": name, "batch": batch, **measured}
        row["tokens_per_second"] = batch * length / measured[key]
        report.measurements.append(row)
        print(f"     {shape} {kind} {name}, batch {batch}: {measured[key]:.5f} s", flush=True)
        fitting, batch = batch, batch * 2
    between = fitting * 3 // 2
    if stop == "out of memory" and between > fitting:
        measured, _ = once([*command, "--batch", between, "--only", kind])
        if measured is not None:
            row = {"shape": shape, "step": kind, "by": name, "batch": between, **measured}
            row["tokens_per_second"] = between * SHAPES[shape][4] / measured[key]
            report.measurements.append(row)
    if fitting == 0:
        raise Failed(f"{shape} {kind} by {name} does not run at batch 1: {stop}")
    if stop not in (None, "out of memory"):
        raise Failed(f"{shape} {kind} by {name} stopped at batch {batch}: {stop}")


def benchmark(report, shapes, limit):
    repeats = 10 if report.device == "cuda" else 2
    for shape in shapes:
        tokens, width, heads, blocks, length = SHAPES[shape]
        words = ["--tokens", tokens, "--hidden", width, "--heads", heads, "--blocks", blocks, "--length", length]
        words += ["--repeats", repeats, "--device", report.device]
        torch = [sys.executable, HERE / "sedd_torch.py", *words]
        ways = [(f"sedd {p}", [HERE / "sedd", "bench", "--json", *words, "--precision", p]) for p in report.precisions()]
        if report.device == "cuda":
            ways.append(("sedd bf16 without graphs", [*ways[-1][1], "--no-graphs"]))
        ways += [("torch eager", torch), ("torch compiled", [*torch, "--compile"])]
        for kind in ("train", "sample"):
            for name, command in ways:
                if "graphs" in name and kind == "train":
                    continue
                report.attempt(f"bench {shape} {kind} {name}", lambda: largest(report, shape, kind, name, command, limit))
    print("\nshape   step    by                         batch  tokens/s at the largest batch that fits")
    best = {}
    for row in report.measurements:
        best[row["shape"], row["step"], row["by"]] = row
    for (shape, kind, name), row in best.items():
        print(f"{shape:7} {kind:7} {name:26} {row['batch']:5}  {row['tokens_per_second']:.0f}")


def graphics_card():
    try:
        query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--shapes", nargs="+", choices=sorted(SHAPES), default=["small", "medium"])
    parser.add_argument("--largest", type=int, default=256)
    parser.add_argument("--output", default="gpu-check.json")
    args = parser.parse_args()

    report = Report(args.device)
    doctor = sedd("doctor")
    print(doctor)
    if args.device == "cuda" and "cuda                  works" not in doctor:
        sys.exit("gpu-check: sedd finds no CUDA device here; DEVICE=cpu tries the script without one")
    for part in (golden, evaluation, training, processes, sampling):
        report.attempt(part.__name__, lambda: part(report))
    benchmark(report, args.shapes, args.largest)

    commit = HERE / "commit"
    result = {
        "commit": commit.read_text().strip() if commit.exists() else None,
        "device": args.device,
        "card": graphics_card(),
        "processor": platform.processor() or platform.machine(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "doctor": doctor.splitlines(),
        "checks": report.checks,
        "measurements": report.measurements,
    }
    Path(args.output).write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")
    failed = [check["name"] for check in report.checks if not check["holds"]]
    print(f"\n{len(report.checks)} checks, {len(failed)} failed{': ' if failed else ''}{', '.join(failed)}; see {args.output}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

"""Any number of processes gives the results of one: losses within 1e-5 with float32 sums, byte-identical files with sums in order."""
import json
import pathlib

from processes import Group, train_arguments

VARIANTS = {
    "AdamW, dropout 0.1": {},
    "accumulation 4": {"training.accum": 4},
    "no dropout": {"model.dropout": 0},
    "Muon": {"optim.type": "muon"},
    "Muon, rate 0.002": {"optim.type": "muon", "optim.muon_lr": 0.002},
    "Muon, falling rate, normal times": {
        "optim.type": "muon", "optim.muon_lr": 0.002, "optim.schedule": "linear", "training.loss_weight": "time",
        "training.time_density.type": "normal"},
    "left to right": {"model.type": "autoregressive"},
    "pairs, fitted times": {"training.complementary": "true", "training.time_density.type": "fitted"},
}
STEPS = 200
# Muon divides each gradient by its norm, so rounding errors of small gradients grow with every step; see docs/TRAINING.md. Without
# dropout, two runs of one process that differ in training.accum are 2.1e-5 apart at step 194, and 4e-7 over the first 100 steps.
TOLERANCE = {"Muon": None, "no dropout": 5e-5}


def losses(run):
    lines = [json.loads(line) for line in (pathlib.Path(run) / "metrics.jsonl").read_text().splitlines()]
    return {line["step"]: line["loss"] for line in lines if "loss" in line}, [
        line["validation"] for line in lines if "validation" in line]


def state(run, step):
    folder = pathlib.Path(run) / f"checkpoints/step-{step}"
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def train(sedd, data, folder, count, settings, steps, extra=()):
    run = pathlib.Path(folder) / "run"
    with Group(sedd, folder, count, train_arguments(data, run, steps, settings), extra=extra) as group:
        codes = group.wait(900)
        assert codes == [0] * count, [rank.errors for rank in group.ranks]
    return run


def test(sedd, data, folder, only=None):
    print(f"{'':34}  R=2 greatest relative difference of losses, R=4 likewise, R=2 and R=4 in order ({STEPS} steps)")
    failed = []
    for name, settings in VARIANTS.items():
        if only and only not in name:
            continue
        place = pathlib.Path(folder) / name.replace(" ", "-").replace(",", "")
        one, validation = losses(train(sedd, data, place / "1", 1, settings, STEPS))
        found = []
        for count in (2, 4):
            other, its = losses(train(sedd, data, place / str(count), count, settings, STEPS))
            assert one.keys() == other.keys() and len(its) == len(validation)
            found.append(max(abs(other[step] - loss) / abs(loss) for step, loss in one.items()))
        exact = state(train(sedd, data, place / "1-in-order", 1, settings, 50, ["--sums-in-order"]), 50)
        same = [
            state(train(sedd, data, place / f"{count}-in-order", count, settings, 50, ["--sums-in-order"]), 50) == exact
            for count in (2, 4)]
        print(f"{name:34}  {found[0]:.1e}  {found[1]:.1e}  {'equal' if all(same) else 'DIFFERENT'}", flush=True)
        limit = TOLERANCE.get(name, 1e-5)
        if not all(same) or (limit is not None and max(found) > limit):
            failed.append(f"{name}: {found}, in order {same}; expected at most {limit}")
    assert not failed, failed

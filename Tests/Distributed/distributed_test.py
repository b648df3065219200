"""Trials of many processes that train as one: `make test-distributed`."""
import argparse
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import equality
import failures
import launchers
import machines
from processes import write_text


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sedd", required=True)
    parser.add_argument("--torchrun", help="torchrun of PyTorch; without it that trial is skipped")
    parser.add_argument("--only", choices=["equality", "failures", "launchers", "machines", "torchrun"])
    given = parser.parse_args()
    sedd = str(pathlib.Path(given.sedd).resolve())

    def wanted(name):
        return given.only in (None, name)

    with tempfile.TemporaryDirectory() as folder:
        data = write_text(folder)
        if wanted("failures"):
            failures.any_number_goes_on(sedd, data, f"{folder}/numbers")
            failures.asked_to_stop(sedd, data, f"{folder}/asked")
            failures.stopped_processes(sedd, data, f"{folder}/stopped")
        if wanted("machines"):
            reason = machines.possible()
            if reason:
                print(f"skipped two machines: network namespaces cannot be made here ({reason.strip()})")
            else:
                machines.test(sedd, data, f"{folder}/machines")
        if wanted("torchrun"):
            if given.torchrun:
                failures.under_torchrun(sedd, data, f"{folder}/torchrun", given.torchrun)
            else:
                print("skipped torchrun: --torchrun is not given")
        if wanted("launchers"):
            launchers.test(sedd, data, f"{folder}/launchers")
        if wanted("equality"):
            equality.test(sedd, data, f"{folder}/equality")
    print("distributed: all trials hold")


if __name__ == "__main__":
    main()

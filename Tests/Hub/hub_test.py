#!/usr/bin/env python3
"""The hub's own client and sedd share a cache: hub_test.py SEDD MODEL

`huggingface_hub` reads what sedd fetched, sedd reads what `huggingface_hub` fetched, with a hub and without, and each waits while
the other holds the lock of a file.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from hub import Hub, Repository

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAME = "org/model"


def check(condition, what: str) -> None:
    if not condition:
        sys.exit(f"hub test: FAILED: {what}")
    print(f"hub test: {what}", flush=True)


class Trial:
    def __init__(self, sedd: str, hub: Hub, home: pathlib.Path):
        self.sedd, self.hub, self.home = sedd, hub, home

    def environment(self, offline: bool = False, **more: str) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "HF_HOME": str(self.home / "hf"), "HF_ENDPOINT": self.hub.endpoint,
                "HF_HUB_OFFLINE": "1" if offline else "0", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1", **more}

    def run(self, *arguments: str, offline: bool = False, **more: str) -> subprocess.CompletedProcess:
        return subprocess.run([self.sedd, *arguments], env=self.environment(offline, **more), capture_output=True, text=True)

    def python(self, code: str, offline: bool = False, **more: str):
        """The value that `code` assigns to `result`, in a new process, because the client reads its environment only once."""
        code = f"import json\nimport huggingface_hub\nfrom huggingface_hub import *\n{code}\nprint(json.dumps(result))"
        done = subprocess.run([sys.executable, "-c", code], env=self.environment(offline, **more), capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"hub test: huggingface_hub failed:\n{done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])

    def contents(self, start: int) -> list[tuple[str, str, str | None, bool]]:
        """The requests for file contents, without the client's other requests."""
        return [request for request in self.hub.requests[start:] if request[0] == "GET" and (request[3] or "/resolve/" in request[1])]

    @property
    def cache(self) -> pathlib.Path:
        return self.home / "hf/hub"


def needed(repository: Repository) -> list[str]:
    """What a model needs: its configuration, its weights, and a tokenizer if it has one of its own."""
    return sorted({"config.json", "model.safetensors"} | {"tokenizer.json"} & set(repository.files))


def files(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def python_reads_ours(trial: Trial, repository: Repository) -> None:
    done = trial.run("download", NAME)
    check(done.returncode == 0, f"sedd fetches {NAME} {done.stderr.strip()}")
    folder = pathlib.Path(done.stdout.strip())
    check(files(folder) == {name: repository.files[name] for name in files(folder)} and set(needed(repository)) <= set(files(folder)),
          f"byte for byte: {sorted(files(folder))}")
    for offline in (True, False):
        start = len(trial.hub.requests)
        found = trial.python(f"result = [hf_hub_download('{NAME}', name) for name in {needed(repository)!r}]", offline)
        check([pathlib.Path(path) for path in found] == [folder / name for name in needed(repository)],
              f"huggingface_hub finds them {'offline' if offline else 'with the hub'}")
        check(not trial.contents(start), "and fetches nothing again")
    absent = trial.python(f"result = try_to_load_from_cache('{NAME}', 'vocab.json') is huggingface_hub._CACHED_NO_EXIST", True)
    check(absent, "and knows which file the model does not have")
    scan = trial.python(
        "info = scan_cache_dir()\nresult = [[str(w) for w in info.warnings], [[r.repo_id, r.size_on_disk, "
        "[[v.commit_hash, sorted(v.refs), sorted(f.file_name for f in v.files)] for v in r.revisions]] for r in info.repos]]", True)
    check(scan[0] == [] and scan[1][0][0] == NAME and scan[1][0][2][0][:2] == [COMMIT, ["main"]],
          f"its scan of the cache has no warning: {scan}")


def ours_reads_python(trial: Trial, repository: Repository, model: str) -> None:
    code = f"result = [hf_hub_download('{NAME}', name) for name in {needed(repository)!r}]"
    check(len(trial.python(code)) == len(needed(repository)), f"huggingface_hub fetches {NAME}")
    sampling = ("--length", "16", "--steps", "2", "--seed", "5", "--jsonl")
    expected = json.loads(trial.run("sample", "--model", model, *sampling).stdout)["tokens"]
    for offline in (True, False):
        start = len(trial.hub.requests)
        done = trial.run("sample", "--model", NAME, *sampling, offline=offline)
        check(done.returncode == 0 and json.loads(done.stdout)["tokens"] == expected,
              f"sedd samples from it {'offline' if offline else 'with the hub'} {done.stderr.strip()}")
        large = [request for request in trial.contents(start) if "safetensors" in request[1] or request[3]]
        check(not large, "and fetches no weights again")
    listed = [json.loads(line) for line in trial.run("models", "--json", offline=True).stdout.splitlines()]
    check(any(entry["name"] == NAME and entry["source"] == "cache" for entry in listed), "sedd models lists it")


def locks(trial: Trial, repository: Repository) -> None:
    etag = repository.etag("model.safetensors")
    lock = trial.cache / ".locks" / ("models--" + NAME.replace("/", "--")) / f"{etag}.lock"
    code = (f"import pathlib, sys\nfrom huggingface_hub.utils import WeakFileLock\np = pathlib.Path({str(lock)!r})\n"
            "p.parent.mkdir(parents=True, exist_ok=True)\nwith WeakFileLock(p):\n    print('held', flush=True)\n    sys.stdin.read()")
    pipe = subprocess.PIPE
    start = len(trial.hub.requests)
    holder = subprocess.Popen([sys.executable, "-c", code], env=trial.environment(), stdin=pipe, stdout=pipe, text=True)
    assert holder.stdin is not None and holder.stdout is not None and holder.stdout.readline().strip() == "held"
    ours = subprocess.Popen([trial.sedd, "download", NAME], env=trial.environment(), stdout=pipe, stderr=pipe, text=True)
    assert ours.stdout is not None and ours.stderr is not None
    check("another process" in ours.stderr.readline(), "sedd says that it waits while huggingface_hub holds the lock of a file")
    check(ours.poll() is None and not any(request[3] for request in trial.contents(start)), "and does wait")
    holder.stdin.close()
    folder = pathlib.Path(ours.communicate()[0].strip())
    check(ours.returncode == 0 and (folder / "model.safetensors").exists(), "and goes on when it is given back")
    holder.wait()


def closed(trial: Trial) -> None:
    done = trial.run("download", "org/private")
    check(done.returncode == 66 and "HF_TOKEN" in done.stderr, f"a private model without a token: {done.stderr.strip()}")
    token = trial.home / "hf/token"
    token.parent.mkdir(parents=True, exist_ok=True)
    token.write_text("secret\n")
    start = len(trial.hub.requests)
    done = trial.run("download", "org/private")
    check(done.returncode == 0, "and with the token of the client's file")
    seen = trial.hub.requests[start:]
    check(all((request[2] is None) == request[3] for request in seen) and any(request[3] for request in seen),
          "which the hub sees and the store does not")


def main() -> None:
    sedd, model = (os.path.realpath(argument) for argument in sys.argv[1:])
    repository = Repository(pathlib.Path(model), COMMIT)
    private = Repository(pathlib.Path(model), COMMIT, token="secret")
    with Hub({NAME: repository, "org/private": private}) as hub, tempfile.TemporaryDirectory() as folder:
        def trial(name: str) -> Trial:
            home = pathlib.Path(folder) / name
            home.mkdir()
            return Trial(sedd, hub, home)

        python_reads_ours(trial("ours"), repository)
        ours_reads_python(trial("python"), repository, model)
        locks(trial("locks"), repository)
        closed(trial("closed"))
        copied = trial("copies")
        done = copied.run("download", NAME, HF_HUB_DISABLE_SYMLINKS="1")
        check(done.returncode == 0 and not (pathlib.Path(done.stdout.strip()) / "config.json").is_symlink(),
              "without links, files are copies")
        found = copied.python(f"result = hf_hub_download('{NAME}', 'config.json')", True, HF_HUB_DISABLE_SYMLINKS="1")
        check(pathlib.Path(found).read_bytes() == repository.files["config.json"], "which huggingface_hub finds too")
    print("hub test: all passed")


main()

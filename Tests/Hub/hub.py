"""A model hub on this machine: repositories of folders, large files at a second address, answers as the hub gives them."""
import hashlib
import http.server
import json
import pathlib
import threading
import urllib.parse


class Repository:
    def __init__(self, folder: pathlib.Path, commit: str, large=(".safetensors", ".bin"), token: str | None = None):
        self.commit, self.token = commit, token
        self.files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        self.large = {name for name in self.files if name.endswith(tuple(large))}

    def etag(self, name: str) -> str:
        content = self.files[name]
        if name in self.large:
            return hashlib.sha256(content).hexdigest()
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Hub:
    """Serves while it is entered; `requests` holds method, path and authorization of each request, and whether it reached the store."""

    def __init__(self, repositories: dict[str, Repository]):
        self.repositories = repositories
        self.requests: list[tuple[str, str, str | None, bool]] = []

    def __enter__(self):
        self.servers = [self.server(of_store) for of_store in (False, True)]
        self.endpoint = f"http://127.0.0.1:{self.servers[0].server_port}"
        self.store = f"http://127.0.0.1:{self.servers[1].server_port}"
        for server in self.servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def server(self, of_store: bool):
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_HEAD(self):
                self.respond(False)

            def do_GET(self):
                self.respond(True)

            def respond(self, sends: bool):
                path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
                hub.requests.append((self.command, path, self.headers.get("Authorization"), of_store))
                status, headers, body = hub.stored(path, self.headers) if of_store else hub.answer(path, self.headers)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if sends:
                    self.wfile.write(body)

        return http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def answer(self, path: str, asked) -> tuple[int, dict[str, str], bytes]:
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            return self.listing("/".join(parts[2:4]))
        if "resolve" not in parts:
            return 404, {}, b""
        place = parts.index("resolve")
        name, revision, file = "/".join(parts[:place]), parts[place + 1], "/".join(parts[place + 2:])
        repository = self.repositories.get(name)
        if repository is None or repository.token not in (None, (asked.get("Authorization") or "").removeprefix("Bearer ")):
            return 401, {"X-Error-Code": "RepoNotFound"}, b""
        if revision not in ("main", repository.commit):
            return 404, {"X-Error-Code": "RevisionNotFound"}, b""
        if file not in repository.files:
            return 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": repository.commit}, b""
        headers = {"X-Repo-Commit": repository.commit}
        content, etag = repository.files[file], repository.etag(file)
        if file in repository.large:
            headers |= {"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(len(content)),
                        "Location": f"{self.store}/{etag}?signature=1"}
            return 302, headers, b""
        return 200, headers | {"ETag": f'"{etag}"'}, content

    def stored(self, path: str, asked) -> tuple[int, dict[str, str], bytes]:
        for repository in self.repositories.values():
            for name in repository.large:
                if repository.etag(name) == path.strip("/"):
                    content = repository.files[name]
                    start = int((asked.get("Range") or "bytes=0-")[6:].split("-")[0])
                    if not start:
                        return 200, {}, content
                    return 206, {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}, content[start:]
        return 404, {}, b""

    def listing(self, name: str) -> tuple[int, dict[str, str], bytes]:
        repository = self.repositories.get(name)
        if repository is None:
            return 401, {"X-Error-Code": "RepoNotFound"}, b""
        told = {"id": name, "sha": repository.commit, "siblings": [{"rfilename": file} for file in repository.files]}
        return 200, {"Content-Type": "application/json"}, json.dumps(told).encode()

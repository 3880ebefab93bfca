"""A local stand-in for the Hugging Face hub that keeps repositories: they are made, committed to and read."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

TOKEN = "hf_token_of_the_test"


@dataclass
class Repository:
    """A repository: its files at each commit."""

    private: bool
    commits: list[dict[str, bytes]] = field(default_factory=lambda: [{".gitattributes": b""}])

    def sha(self, number: int = -1) -> str:
        return f"{len(self.commits) if number < 0 else number + 1:040x}"

    def at(self, revision: str) -> dict[str, bytes] | None:
        if revision == "main":
            return self.commits[-1]
        number = int(revision, 16) - 1 if len(revision) == 40 else -1
        return self.commits[number] if 0 <= number < len(self.commits) else None


@dataclass
class Repositories:
    """The hub.

    Attributes:
        address: for HF_ENDPOINT. repositories: by type and name, such as `datasets/me/run`.
        requests: method, path and token of each request. fail_after: how many files are sent before the hub fails.
    """

    address: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)
    fail_after: int | None = None
    served: int = 0


@contextmanager
def repositories() -> Iterator[Repositories]:
    """Serve a hub on this machine. Everything needs the token, and is stored in memory."""
    hub = Repositories()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self._start()
            if path is None:
                return
            if path.startswith("/api/"):
                self._api(path.removeprefix("/api/"))
            else:
                self._resolve(path.strip("/"))

        do_HEAD = do_GET  # noqa: N815  # the name that http.server expects

        def do_POST(self) -> None:
            path = self._start()
            if path is None:
                return
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            if path == "/api/validate-yaml":
                self._json({"errors": [], "warnings": []})
            elif path == "/api/repos/create":
                self._create(json.loads(body))
            elif "/preupload/" in path:
                self._preupload(json.loads(body))
            elif path.endswith("/info/lfs/objects/batch"):
                self._batch(json.loads(body))
            elif "/commit/" in path:
                self._commit(path, body)
            elif "/paths-info/" in path:
                self._paths_info(path, body)
            else:
                self._json({"error": f"no such address: {path}"}, 404)

        def do_PUT(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            hub.requests.append(("PUT", self.path, ""))
            hub.objects[hashlib.sha256(data).hexdigest()] = data
            self._json({})

        def _start(self) -> str | None:
            path = unquote(self.path.partition("?")[0])
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            hub.requests.append((self.command, path, token))
            if token == TOKEN:
                return path
            self._json({"error": "Invalid credentials"}, 401)
            return None

        def _create(self, body: dict[str, Any]) -> None:
            name = "/".join(filter(None, (body.get("organization"), body["name"])))
            name = name if "/" in name else f"me/{name}"
            key = f"{body.get('type') or 'model'}s/{name}"
            address = {"url": f"{hub.address}/{key}", "id": name}
            if key in hub.repositories:
                self._json({**address, "error": "You already created this repo"}, 409)
            else:
                hub.repositories[key] = Repository(private=body.get("visibility") == "private")
                self._json(address)

        def _find(self, key: str, revision: str) -> tuple[Repository, dict[str, bytes]] | None:
            repository = hub.repositories.get(key)
            if repository is None:
                self._json({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
                return None
            files = repository.at(revision)
            if files is None:
                self._json({"error": "Invalid rev id"}, 404, {"X-Error-Code": "RevisionNotFound"})
                return None
            return repository, files

        def _api(self, path: str) -> None:
            kind, owner, name, *rest = path.split("/")
            revision = rest[1] if len(rest) > 1 and rest[0] in ("revision", "tree") else "main"
            if (found := self._find(f"{kind}/{owner}/{name}", revision)) is None:
                return
            repository, files = found
            if rest and rest[0] == "tree":
                folder = "/".join(rest[2:])
                self._json(self._tree(files, folder))
                return
            number = repository.commits.index(files)
            self._json(
                {
                    "id": f"{owner}/{name}",
                    "sha": repository.sha(number),
                    "private": repository.private,
                    "siblings": [{"rfilename": name} for name in files],
                    "tags": [],
                }
            )

        def _tree(self, files: dict[str, bytes], folder: str) -> list[dict[str, object]]:
            start = f"{folder}/" if folder else ""
            inside = [name.removeprefix(start) for name in files if name.startswith(start)]
            folders = sorted({name.partition("/")[0] for name in inside if "/" in name})
            found: list[dict[str, object]] = [
                {"type": "directory", "path": start + name, "oid": "0", "size": 0} for name in folders
            ]
            return found + [self._entry(start + name, files[start + name]) for name in inside if "/" not in name]

        def _entry(self, name: str, data: bytes) -> dict[str, object]:
            return {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}

        def _paths_info(self, path: str, body: bytes) -> None:
            kind, owner, name, _, revision = path.removeprefix("/api/").split("/")[:5]
            if found := self._find(f"{kind}/{owner}/{name}", revision):
                wanted = json.loads(body)["paths"]
                names = [wanted] if isinstance(wanted, str) else wanted
                self._json([self._entry(each, found[1][each]) for each in names if each in found[1]])

        def _resolve(self, path: str) -> None:
            key, _, rest = path.partition("/resolve/")
            revision, _, name = rest.partition("/")
            if (found := self._find(key if key.startswith("datasets/") else f"models/{key}", revision)) is None:
                return
            if name not in found[1]:
                self._json({"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound"})
                return
            data = found[1][name]
            if self.command == "GET":
                hub.served += 1
                if hub.fail_after is not None and hub.served > hub.fail_after:
                    self._json({"error": "too many requests for today"}, 403)
                    return
            first, last = 0, len(data) - 1
            if byte_range := self.headers.get("Range"):
                start, _, end = byte_range.removeprefix("bytes=").partition("-")
                first, last = int(start), int(end or last)
            part = data[first : last + 1]
            self.send_response(206 if byte_range else 200)
            self.send_header("Content-Length", str(len(part)))
            self.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
            self.send_header("X-Repo-Commit", found[0].sha())
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(part)

        def _preupload(self, body: dict[str, Any]) -> None:
            """Small texts are committed, other files are large ones (LFS), as on the hub."""
            self._json(
                {
                    "files": [
                        {
                            "path": file["path"],
                            "uploadMode": "lfs" if file["path"].endswith((".safetensors", ".parquet")) else "regular",
                            "shouldIgnore": False,
                        }
                        for file in body["files"]
                    ]
                }
            )

        def _batch(self, body: dict[str, Any]) -> None:
            objects = [
                {
                    "oid": each["oid"],
                    "size": each["size"],
                    "authenticated": True,
                    "actions": {"upload": {"href": f"{hub.address}/put/{each['oid']}", "header": {}}},
                }
                for each in body["objects"]
            ]
            self._json({"transfer": "basic", "objects": objects}, content="application/vnd.git-lfs+json")

        def _commit(self, path: str, body: bytes) -> None:
            key = path.removeprefix("/api/").partition("/commit/")[0]
            repository = hub.repositories[key]
            files = dict(repository.commits[-1])
            for line in map(json.loads, body.splitlines()):
                value = line["value"]
                if line["key"] == "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                elif line["key"] == "lfsFile":
                    files[value["path"]] = hub.objects[value["oid"]]
                elif line["key"] == "deletedFile":
                    del files[value["path"]]
            repository.commits.append(files)
            sha = repository.sha()
            self._json({"success": True, "commitOid": sha, "commitUrl": f"{hub.address}/{key}/commit/{sha}"})

        def _json(
            self,
            value: object,
            code: int = 200,
            headers: dict[str, str] | None = None,
            content: str = "application/json",
        ) -> None:
            data = json.dumps(value).encode()
            self.send_response(code)
            for name, text in {
                "Content-Type": content,
                "Content-Length": str(len(data)),
                **(headers or {}),
            }.items():
                self.send_header(name, text)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()

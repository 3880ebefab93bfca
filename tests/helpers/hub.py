"""A local stand-in for the Hugging Face hub, with one data set of one Parquet file."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FOLDER = {"type": "directory", "path": "data", "oid": "abd", "size": 0}
FILE = "data/train-00000-of-00001.parquet"


@contextmanager
def hub(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve the file as the data set owner/name; return the address, and the list of requests."""
    content = path.read_bytes()
    requests: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(f"{self.command} {self.path}")
            place = self.path.partition("?")[0]
            if place.startswith("/api/datasets/owner/name"):
                self._api(place.removeprefix("/api/datasets/owner/name"))
            elif place.startswith("/datasets/owner/name/resolve/") and place.endswith(FILE):
                self._file()
            elif place.startswith("/datasets/owner/name/resolve/"):
                self._json({"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound"})
            else:
                self._json({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})

        do_HEAD = do_GET  # noqa: N815  # the name that http.server expects

        def do_POST(self) -> None:
            requests.append(f"POST {self.path}")
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            wanted = body.get("paths", [])
            self._json([entry() for name in ([wanted] if isinstance(wanted, str) else wanted) if name == FILE])

        def _api(self, rest: str) -> None:
            if rest.startswith("/tree/"):
                self._json([entry()] if rest.endswith("/data") else [FOLDER])
            elif rest in ("", f"/revision/{COMMIT}", "/revision/main"):
                self._json({"id": "owner/name", "sha": COMMIT, "siblings": [{"rfilename": FILE}], "tags": []})
            else:
                self._json({"error": "Invalid rev id"}, 404, {"X-Error-Code": "RevisionNotFound"})

        def _file(self) -> None:
            first, last = 0, len(content) - 1
            if byte_range := self.headers.get("Range"):
                first, last = (int(end) for end in byte_range.removeprefix("bytes=").split("-"))
            part = content[first : last + 1]
            self.send_response(206 if byte_range else 200)
            self.send_header("Content-Length", str(len(part)))
            self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{len(content)}")
            self.send_header("ETag", '"abc"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(part)

        def _json(self, value: object, code: int = 200, headers: dict[str, str] | None = None) -> None:
            data = json.dumps(value).encode()
            self.send_response(code)
            for name, text in {
                "Content-Type": "application/json",
                "Content-Length": str(len(data)),
                **(headers or {}),
            }.items():
                self.send_header(name, text)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    def entry() -> dict[str, object]:
        return {"type": "file", "path": FILE, "size": len(content), "oid": "abc"}

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        server.server_close()

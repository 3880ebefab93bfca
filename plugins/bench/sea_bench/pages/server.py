"""Serve a page to this machine only: plain HTML on the loopback interface, without external resources.

What it shows may be somebody else's: texts are escaped, and files are sent only as the media that they are named as,
to this page alone.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from urllib.parse import parse_qs

from sea_bench.medium import CONTENT_TYPES
from sea_core.errors import SeaError, visible

HOST = "127.0.0.1"
STATIC = Path(__file__).parent / "static"
ASSETS: Mapping[str, str] = {"/page.css": "text/css", "/page.js": "text/javascript"}
POLICY = (
    "default-src 'none'; media-src 'self'; img-src 'self'; style-src 'self'; script-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # with `no-referrer` a browser would not say where a form comes from
    "X-Content-Type-Options": "nosniff",
}
"""Of every response."""
MAX_FORM_BYTES = 1000
RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})", re.ASCII)
"""The part of a file that a browser asks for, to play from there."""

Parameters: TypeAlias = Mapping[str, list[str]]
"""Those of a query or a form, by name."""


class Page(Protocol):
    """What the server shows. Requests contain numbers and identifiers only, never paths."""

    def render(self, query: Parameters) -> str:
        """Return the HTML of the page."""

    def store(self, form: Parameters) -> str:
        """Store what a person has chosen, and return the query of the page to show next.

        Raises:
            LookupError: there is no such choice.
            SeaError: it cannot be stored.
        """

    def find_file(self, query: Parameters) -> Path:
        """Return the file of a medium.

        Raises:
            LookupError: there is no such medium.
        """


def serve(page: Page, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve a page until Ctrl-C. `on_ready` is called with its address.

    Raises:
        SeaError: the port is in use.
    """
    try:
        server = make_server(page, port)
    except OSError as error:
        raise SeaError(
            f"port {port} cannot be used: {error.strerror}", hint="Give another port, or --port 0 for any free one."
        ) from error
    with server:
        on_ready(f"http://{HOST}:{server.server_port}/")
        with suppress(KeyboardInterrupt):
            server.serve_forever()


def make_server(page: Page, port: int) -> ThreadingHTTPServer:
    """Return the server, bound and not yet serving."""
    handler = type("Handler", (_Handler,), {"page": page})
    server = _Server((HOST, port), handler)
    handler.port = server.server_port  # type: ignore[attr-defined]
    return server


def text(value: str) -> str:
    """Return somebody's text as HTML that can only be read."""
    return escape(visible(value))


def number(parameters: Parameters, name: str, end: int) -> int | None:
    """Return a parameter as a number from 0 to before `end`; None for anything else."""
    digits = parameters.get(name, [""])[0]
    is_number = digits.isascii() and digits.isdigit() and len(digits) < 10 and int(digits) < end
    return int(digits) if is_number else None


def medium_tag(source: str, path: Path, name: str) -> str:
    """Return the HTML of a medium, or its name if a browser cannot show it.

    Args:
        source: its address, escaped.
    """
    tag = {
        "video": f"<video src='{source}' autoplay loop muted playsinline controls></video>",
        "audio": f"<audio src='{source}' controls></audio>",
        "image": f"<img src='{source}' alt='{text(name)}'>",
    }
    content_type = CONTENT_TYPES.get(path.suffix.lower(), "")
    return tag.get(content_type.partition("/")[0], f"<p>{text(path.name)} cannot be shown here.</p>")


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing about a browser that closes a connection."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """GET / returns the page, GET /media a medium; POST / stores a choice."""

    page: Page
    port: int
    server_version, sys_version = "sea", ""
    timeout = 30.0

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if not self._is_local():
            self.send_error(HTTPStatus.FORBIDDEN, "open it as http://127.0.0.1")
        elif path in ASSETS:
            self._respond(HTTPStatus.OK, f"{ASSETS[path]}; charset=utf-8", (STATIC / path[1:]).read_bytes())
        elif path == "/":
            self._send_page(parse_qs(query))
        elif path == "/media":
            self._send_medium(parse_qs(query))
        elif path == "/favicon.ico":
            self._respond(HTTPStatus.OK, "image/x-icon", b"")  # every browser asks for it
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        is_form = length.isascii() and length.isdigit() and len(length) < 5 and int(length) <= MAX_FORM_BYTES
        if not self._is_local() or not is_form:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        try:
            query = self.page.store(parse_qs(self.rfile.read(int(length)).decode("latin-1")))
        except LookupError as error:
            self.send_error(HTTPStatus.BAD_REQUEST, str(error))
        except SeaError as error:
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR, "this cannot be stored", str(error))
        else:
            self.send_response(HTTPStatus.SEE_OTHER)
            self.send_header("Location", f"/{query}")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def _send_page(self, query: Parameters) -> None:
        try:
            page = self.page.render(query).encode()
        except SeaError as error:
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR, "this cannot be shown", str(error))
        else:
            self._respond(HTTPStatus.OK, "text/html; charset=utf-8", page)

    def _send_medium(self, query: Parameters) -> None:
        try:
            path = self.page.find_file(query)
            content_type, size = CONTENT_TYPES[path.suffix.lower()], path.stat().st_size
            part = self._wanted_part(size)
            start, end = part or (0, size - 1)
            with path.open("rb") as file:
                file.seek(start)
                data = file.read(end + 1 - start)
        except (LookupError, OSError):
            self.send_error(HTTPStatus.NOT_FOUND, "there is no such medium, or it cannot be read")
            return
        if part is None:
            self._respond(HTTPStatus.OK, content_type, data)
        else:
            content_range = {"Content-Range": f"bytes {start}-{end}/{size}"}
            self._respond(HTTPStatus.PARTIAL_CONTENT, content_type, data, content_range)

    def _wanted_part(self, size: int) -> tuple[int, int] | None:
        """Return the first and the last byte of the part of a file that is asked for; None for the whole file."""
        part = RANGE.fullmatch(self.headers.get("Range", ""))
        if part is None or int(part[1]) >= size or int(part[2] or size) < int(part[1]):
            return None
        return int(part[1]), min(int(part[2] or size), size - 1)

    def _is_local(self) -> bool:
        """Return whether the request comes from this page: another site could reach it by DNS, or post to it."""
        own = f"{HOST}:{self.port}"
        return self.headers.get("Host") == own and self.headers.get("Origin", f"http://{own}") == f"http://{own}"

    def _respond(
        self, status: HTTPStatus, content_type: str, body: bytes, more: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        lengths = {"Content-Type": content_type, "Content-Length": str(len(body)), "Accept-Ranges": "bytes"}
        for name, value in (lengths | dict(more or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Send an error as plain text."""
        words = "\n".join(filter(None, (message or HTTPStatus(code).phrase, explain)))
        self._respond(HTTPStatus(code), "text/plain; charset=utf-8", words.encode(errors="replace"))

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: stderr is the command's."""

"""The page on which a person picks candidates: plain HTML on the loopback interface, without external resources.

The benchmark may be somebody else's: its texts are escaped, and its files are sent only as the media that they are
named as, to this page alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from sea_bench.build.picks import CONTENT_TYPES, CandidateSet, Picks
from sea_core.errors import SeaError
from sea_core.runs.containment import is_inside

HOST = "127.0.0.1"
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:1.5rem;color:#222;background:#fafafa}"
    "main{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0;padding:.5rem;background:#fff;border:2px solid #ccc}"
    "figure.picked{border-color:#06c}video,img{display:block;width:300px;background:#000}"
    "button{font:inherit;padding:.3rem 1rem;margin-top:.4rem}a{margin-right:1rem}"
)
SCRIPT = (
    "addEventListener('keydown',e=>{if(e.ctrlKey||e.metaKey||e.altKey)return;"
    "const b=document.querySelector(`button[value='${e.key}']`);if(b)b.click();"
    "const l={n:'next',ArrowRight:'next',p:'previous',ArrowLeft:'previous'}[e.key];"
    "if(l)document.getElementById(l).click()})"
)
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
ASSETS: Mapping[str, tuple[str, str]] = {"/page.css": ("text/css", STYLE), "/page.js": ("text/javascript", SCRIPT)}
MAX_FORM_BYTES = 1000


def serve(picks: Picks, candidate_sets: Sequence[CandidateSet], port: int, on_ready: Callable[[str], None]) -> None:
    """Serve the page until Ctrl-C. `on_ready` is called with its address.

    Raises:
        SeaError: the port is in use.
    """
    try:
        server = make_server(picks, candidate_sets, port)
    except OSError as error:
        raise SeaError(
            f"port {port} cannot be used: {error.strerror}", hint="Give another port, or --port 0 for any free one."
        ) from error
    with server:
        on_ready(f"http://{HOST}:{server.server_port}/")
        with suppress(KeyboardInterrupt):
            server.serve_forever()


def make_server(picks: Picks, candidate_sets: Sequence[CandidateSet], port: int) -> ThreadingHTTPServer:
    """Return the server, bound and not yet serving."""
    handler = type("Handler", (_Handler,), {"picks": picks, "candidate_sets": candidate_sets})
    server = _Server((HOST, port), handler)
    handler.port = server.server_port  # type: ignore[attr-defined]
    return server


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing about a browser that closes a connection."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """GET /?case=N returns a case's page, GET /media?case=N&pick=K a candidate; POST / stores a pick.

    Requests contain numbers only, never paths.
    """

    picks: Picks
    candidate_sets: Sequence[CandidateSet]
    port: int
    server_version, sys_version = "sea", ""
    timeout = 30.0

    def do_GET(self) -> None:
        path, _, query_string = self.path.partition("?")
        query = parse_qs(query_string)
        if not self._is_local():
            self.send_error(HTTPStatus.FORBIDDEN, "open it as http://127.0.0.1")
        elif path in ASSETS:
            content_type, text = ASSETS[path]
            self._respond(HTTPStatus.OK, f"{content_type}; charset=utf-8", text.encode())
        elif path == "/":
            number = self._parse_number(query, "case", len(self.candidate_sets))
            shown = self._first_unpicked() if number is None else number
            body = render_page(self.candidate_sets, self.picks.read(), shown)
            self._respond(HTTPStatus.OK, "text/html; charset=utf-8", body.encode())
        elif path == "/media":
            self._send_medium(query)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        is_form = length.isascii() and length.isdigit() and len(length) < 5 and int(length) <= MAX_FORM_BYTES
        if not self._is_local() or not is_form:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        case, pick = self._parse_pick(parse_qs(self.rfile.read(int(length)).decode("latin-1")))
        if case is None or not pick:
            self.send_error(HTTPStatus.BAD_REQUEST, "no such candidate")
            return
        try:
            self.picks.add(self.candidate_sets[case], pick)
        except SeaError as error:
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR, "the pick cannot be stored", str(error))
            return
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", f"/?case={min(case + 1, len(self.candidate_sets) - 1)}")
        self.end_headers()

    def _send_medium(self, query: dict[str, list[str]]) -> None:
        case, pick = self._parse_pick(query)
        if case is None or not pick:
            self.send_error(HTTPStatus.NOT_FOUND, "no such candidate")
            return
        path = self.candidate_sets[case].candidates[pick - 1]
        content_type = CONTENT_TYPES.get(path.suffix)
        try:
            data = path.read_bytes() if content_type and is_inside(path, self.picks.folder) else None
        except OSError:
            data = None
        if content_type is None or data is None:
            self.send_error(HTTPStatus.NOT_FOUND, "this candidate cannot be read")
            return
        self._respond(HTTPStatus.OK, content_type, data)

    def _first_unpicked(self) -> int:
        """Return the number of the first case without a pick, or of the last case."""
        picks = self.picks.read()
        unpicked = (i for i, candidate_set in enumerate(self.candidate_sets) if candidate_set.key not in picks)
        return next(unpicked, len(self.candidate_sets) - 1)

    def _parse_pick(self, parameters: dict[str, list[str]]) -> tuple[int | None, int | None]:
        """Return the number of the case and of its candidate; None for what is missing or out of range."""
        case = self._parse_number(parameters, "case", len(self.candidate_sets))
        if case is None:
            return None, None
        return case, self._parse_number(parameters, "pick", len(self.candidate_sets[case].candidates) + 1)

    def _parse_number(self, parameters: dict[str, list[str]], name: str, end: int) -> int | None:
        text = parameters.get(name, [""])[0]
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 and int(text) < end else None

    def _is_local(self) -> bool:
        """Return whether the request comes from this page: another site could reach it by DNS, or post to it."""
        own = f"{HOST}:{self.port}"
        return self.headers.get("Host") == own and self.headers.get("Origin", f"http://{own}") == f"http://{own}"

    def _respond(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Send an error as plain text."""
        text = "\n".join(filter(None, (message or HTTPStatus(code).phrase, explain)))
        self._respond(HTTPStatus(code), "text/plain; charset=utf-8", text.encode(errors="replace"))

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: stderr is the command's."""


def render_page(candidate_sets: Sequence[CandidateSet], picks: dict[str, int], number: int) -> str:
    """Return the page of a case as HTML."""
    candidate_set, last = candidate_sets[number], len(candidate_sets) - 1
    picked = picks.get(candidate_set.key)
    done = sum(each.key in picks for each in candidate_sets)
    figures = [_figure(number, k, path.suffix, picked) for k, path in enumerate(candidate_set.candidates, 1)]
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{done}/{len(candidate_sets)} picked</title>"
        f"<link rel=stylesheet href=/page.css><h1>{escape(candidate_set.phrase)}</h1>"
        f"<p>{escape(candidate_set.question)}<br><small>{escape(candidate_set.key)}: case {number + 1} of {last + 1}, "
        f"{done} picked. Keys: 1 to {len(candidate_set.candidates)} pick, n: next, p: previous.</small></p>"
        f"<form method=post><input type=hidden name=case value={number}><main>{''.join(figures)}</main></form>"
        f"<p><a id=previous href='/?case={max(0, number - 1)}'>previous</a>"
        f"<a id=next href='/?case={min(last, number + 1)}'>next</a>"
        f"<a href='/'>first without a pick</a></p><script src=/page.js></script></html>"
    )


def _figure(number: int, k: int, suffix: str, picked: int | None) -> str:
    source = f"/media?case={number}&amp;pick={k}"
    tag = {
        "video": f"<video src='{source}' autoplay loop muted playsinline controls></video>",
        "audio": f"<audio src='{source}' controls></audio>",
        "image": f"<img src='{source}' alt='candidate {k}'>",
    }
    medium = tag[CONTENT_TYPES[suffix].partition("/")[0]]
    mark, label = (" class=picked", f"{k} (picked)") if k == picked else ("", str(k))
    return f"<figure{mark}>{medium}<button name=pick value={k}>{label}</button></figure>"

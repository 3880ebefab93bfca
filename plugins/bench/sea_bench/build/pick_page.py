"""The page on which a person picks candidates: plain HTML on the loopback interface, without external resources."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Sequence
from contextlib import suppress
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sea_bench.build.picks import CandidateSet, Picks
from sea_core.errors import SeaError

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
    "default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "form-action 'self'"
)


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
    server = ThreadingHTTPServer((HOST, port), handler)
    handler.port = server.server_port  # type: ignore[attr-defined]
    return server


class _Handler(BaseHTTPRequestHandler):
    """GET /?case=N returns a case's page, GET /media?case=N&pick=K a candidate; POST / stores a pick.

    Requests contain numbers only, never paths.
    """

    picks: Picks
    candidate_sets: Sequence[CandidateSet]
    port: int
    server_version, sys_version = "sea", ""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        if not self._is_local():
            self._respond(HTTPStatus.FORBIDDEN, "text/plain", b"open it as http://127.0.0.1")
        elif url.path == "/":
            number = self._parse_number(query, "case", len(self.candidate_sets))
            shown = self._first_unpicked() if number is None else number
            body = render_page(self.candidate_sets, self.picks.read(), shown)
            self._respond(HTTPStatus.OK, "text/html; charset=utf-8", body.encode())
        elif url.path == "/media":
            self._send_medium(query)
        else:
            self._respond(HTTPStatus.NOT_FOUND, "text/plain", b"not found")

    def do_POST(self) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), 1000)
        form = parse_qs(self.rfile.read(length).decode("latin-1"))
        case, pick = self._parse_pick(form)
        if not self._is_local() or case is None or not pick:
            self._respond(HTTPStatus.BAD_REQUEST, "text/plain", b"no such candidate")
            return
        self.picks.add(self.candidate_sets[case], pick)
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", f"/?case={min(case + 1, len(self.candidate_sets) - 1)}")
        self.end_headers()

    def _send_medium(self, query: dict[str, list[str]]) -> None:
        case, pick = self._parse_pick(query)
        if case is None or not pick:
            self._respond(HTTPStatus.NOT_FOUND, "text/plain", b"no such candidate")
            return
        path = self.candidate_sets[case].candidates[pick - 1]
        content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        self._respond(HTTPStatus.OK, content_type, path.read_bytes())

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
        for name, value in {
            "Content-Type": content_type,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

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
        f"<style>{STYLE}</style><h1>{escape(candidate_set.phrase)}</h1>"
        f"<p>{escape(candidate_set.question)}<br><small>{escape(candidate_set.key)}: case {number + 1} of {last + 1}, "
        f"{done} picked. Keys: 1 to {len(candidate_set.candidates)} pick, n: next, p: previous.</small></p>"
        f"<form method=post><input type=hidden name=case value={number}><main>{''.join(figures)}</main></form>"
        f"<p><a id=previous href='/?case={max(0, number - 1)}'>previous</a>"
        f"<a id=next href='/?case={min(last, number + 1)}'>next</a>"
        f"<a href='/'>first without a pick</a></p><script>{SCRIPT}</script></html>"
    )


def _figure(number: int, k: int, suffix: str, picked: int | None) -> str:
    source = f"/media?case={number}&amp;pick={k}"
    medium = (
        f"<video src='{source}' autoplay loop muted playsinline controls></video>"
        if suffix == ".mp4"
        else f"<img src='{source}' alt='candidate {k}'>"
    )
    mark, label = (" class=picked", f"{k} (picked)") if k == picked else ("", str(k))
    return f"<figure{mark}>{medium}<button name=pick value={k}>{label}</button></figure>"

"""The page on which a person picks: plain HTML on the loopback interface, with keys, and nothing from elsewhere."""

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
POLICY = "default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; form-action 'self'"  # noqa: E501


def serve(picks: Picks, choices: Sequence[CandidateSet], port: int, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C. `ready` is told the address.

    Raises:
        SeaError: the port is taken.
    """
    try:
        server = make_server(picks, choices, port)
    except OSError as error:
        raise SeaError(f"port {port} cannot be used: {error.strerror}", hint="Type another, or --port 0.") from error
    with server:
        ready(f"http://{HOST}:{server.server_port}/")
        with suppress(KeyboardInterrupt):
            server.serve_forever()


def make_server(picks: Picks, choices: Sequence[CandidateSet], port: int) -> ThreadingHTTPServer:
    """Return the server, bound and not yet serving."""
    handler = type("Handler", (_Handler,), {"picks": picks, "choices": choices})
    server = ThreadingHTTPServer((HOST, port), handler)
    handler.port = server.server_port  # type: ignore[attr-defined]
    return server


class _Handler(BaseHTTPRequestHandler):
    """GET /?case=N is a case's page, GET /media?case=N&pick=K a candidate, POST / a pick. Only numbers are taken."""

    picks: Picks
    choices: Sequence[CandidateSet]
    port: int
    server_version, sys_version = "sea", ""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = parse_qs(url.query)
        if not self._is_local():
            self._answer(HTTPStatus.FORBIDDEN, "text/plain", b"open it as http://127.0.0.1")
        elif url.path == "/":
            number = self._number(asked, "case", len(self.choices))
            body = render_page(self.choices, self.picks.read(), self._next() if number is None else number)
            self._answer(HTTPStatus.OK, "text/html; charset=utf-8", body.encode())
        elif url.path == "/media":
            self._media(asked)
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"not here")

    def do_POST(self) -> None:
        told = parse_qs(self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 1000)).decode("latin-1"))
        case = self._number(told, "case", len(self.choices))
        pick = self._number(told, "pick", len(self.choices[case].candidates) + 1) if case is not None else None
        if not self._is_local() or case is None or not pick:
            self._answer(HTTPStatus.BAD_REQUEST, "text/plain", b"no such candidate")
            return
        self.picks.add(self.choices[case], pick)
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", f"/?case={min(case + 1, len(self.choices) - 1)}")
        self.end_headers()

    def _media(self, asked: dict[str, list[str]]) -> None:
        case = self._number(asked, "case", len(self.choices))
        pick = self._number(asked, "pick", len(self.choices[case].candidates) + 1) if case is not None else None
        if case is None or not pick:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"no such candidate")
            return
        path = self.choices[case].candidates[pick - 1]
        self._answer(HTTPStatus.OK, mimetypes.guess_type(path.name)[0] or "application/octet-stream", path.read_bytes())

    def _next(self) -> int:
        """Return the first case that nobody has picked from, or the last one."""
        made = self.picks.read()
        left = (i for i, choice in enumerate(self.choices) if choice.key not in made)
        return next(left, len(self.choices) - 1)

    def _number(self, asked: dict[str, list[str]], name: str, end: int) -> int | None:
        text = asked.get(name, [""])[0]
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 and int(text) < end else None

    def _is_local(self) -> bool:
        """Refuse another site's pages: they could reach this machine under a name of their own, or post to it."""
        own = f"{HOST}:{self.port}"
        return self.headers.get("Host") == own and self.headers.get("Origin", f"http://{own}") == f"http://{own}"

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: stderr is for the command."""


def render_page(choices: Sequence[CandidateSet], made: dict[str, int], number: int) -> str:
    """Return a case's page."""
    choice = choices[number]
    picked = made.get(choice.key)
    done = sum(one.key in made for one in choices)
    shown = "".join(_figure(number, k, path.suffix, picked) for k, path in enumerate(choice.candidates, 1))
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{done}/{len(choices)} picked</title>"
        f"<style>{STYLE}</style><h1>{escape(choice.phrase)}</h1>"
        f"<p>{escape(choice.question)}<br><small>{escape(choice.key)}: case {number + 1} of {len(choices)}, "
        f"{done} picked. Keys: 1 to {len(choice.candidates)} pick, n and p move on and back.</small></p>"
        f"<form method=post><input type=hidden name=case value={number}><main>{shown}</main></form>"
        f"<p><a id=previous href='/?case={max(0, number - 1)}'>previous</a>"
        f"<a id=next href='/?case={min(len(choices) - 1, number + 1)}'>next</a>"
        f"<a href='/'>first without a pick</a></p><script>{SCRIPT}</script></html>"
    )


def _figure(number: int, k: int, suffix: str, picked: int | None) -> str:
    source = f"/media?case={number}&amp;pick={k}"
    shown = (
        f"<video src='{source}' autoplay loop muted playsinline controls></video>"
        if suffix == ".mp4"
        else f"<img src='{source}' alt='candidate {k}'>"
    )
    mark = " class=picked" if k == picked else ""
    return f"<figure{mark}>{shown}<button name=pick value={k}>{k}{' (picked)' if k == picked else ''}</button></figure>"

"""A local server with OpenAI's chat API whose responses are scripted: real sockets, no model."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """A response to one request; `truncated` closes the connection in the middle of the body."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    truncated: bool = False


def says(text: str | None, **more: Any) -> Answer:
    """Return a completion."""
    reason = more.pop("finish_reason", "stop")
    delay = more.pop("delay", 0.0)
    usage = more.pop("usage", {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15})
    message = {"role": "assistant", "content": text, **more}
    return Answer(
        {
            "id": "1",
            "object": "chat.completion",
            "created": 0,
            "model": "scripted-1",
            "choices": [{"index": 0, "message": message, "finish_reason": reason}],
            "usage": usage,
        },
        delay=delay,
    )


def fails(status: int, message: str, **more: Any) -> Answer:
    """Return an error in OpenAI's form."""
    headers = more.pop("headers", {})
    return Answer({"error": {"message": message, "type": None, "param": None, "code": None} | more}, status, headers)


def text_of(content: str | list[dict[str, Any]]) -> str:
    """Return the text of a message, and, of other parts, what they are."""
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", f"({part['type']})") for part in content)


Script = Callable[[dict[str, Any], int], Answer]
"""(request, how often its last message was sent, this time included) -> response"""


@dataclass
class ChatServer:
    """The running server.

    Attributes:
        requests: the JSON of every request, in order.
        sent: how often each last message was received.
        keys: the Authorization headers received.
        paths: the paths requested.
    """

    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)


class Server(ThreadingHTTPServer):
    daemon_threads, block_on_close = True, False

    def handle_error(self, *_: Any) -> None:
        """Ignore clients that disconnect."""


@contextmanager
def chat_server(
    script: Script, models: tuple[str, ...] = ("scripted-1",), described: Mapping[str, Any] | None = None
) -> Iterator[ChatServer]:
    """Run a server whose responses come from the script.

    Args:
        described: what its list of models says of each.
    """
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            fields = {"object": "model", "created": 0, "owned_by": "nobody"} | dict(described or {})
            listed = [{"id": name} | fields for name in models]
            self.send(Answer({"object": "list", "data": listed}))

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            last = text_of(request["messages"][-1]["content"])
            with lock:
                server.requests.append(request)
                server.sent[last] += 1
                server.keys.add(self.headers.get("Authorization", ""))
                server.paths.add(self.path)
                answer = script(request, server.sent[last])
            time.sleep(answer.delay)
            self.send(answer)

        def send(self, answer: Answer) -> None:
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            try:
                self.send_response(answer.status)
                for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body) * (2 if answer.truncated else 1)))
                self.end_headers()
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):  # the client has disconnected
                pass
            self.close_connection = answer.truncated

        def log_message(self, *_: Any) -> None:
            pass

    httpd = Server(("127.0.0.1", 0), Handler)
    server = ChatServer(f"http://127.0.0.1:{httpd.server_port}/v1")
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()

"""A page of sea-bench that is served on a free port, and requests to it."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer

from sea_bench.pages.server import Page, make_server


@contextmanager
def serving_page(page: Page) -> Iterator[ThreadingHTTPServer]:
    """Serve a page inside the block."""
    server = make_server(page, 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def request(
    server: ThreadingHTTPServer, path: str, body: str | None = None, **headers: str
) -> tuple[int, str, dict[str, str]]:
    """Return status, text and headers of a GET; of a POST, if there is a body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request("GET" if body is None else "POST", path, body, headers)
    response = connection.getresponse()
    result = (response.status, response.read().decode(), dict(response.getheaders()))
    connection.close()
    return result

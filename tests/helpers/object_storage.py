"""Object storage for tests: a folder in the form of objects, and a server of S3's protocol where moto is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVER = """
import threading
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

lock, application = threading.Lock(), DomainDispatcherApplication(create_backend_app)

def one_at_a_time(environ, start_response):
    with lock:  # moto compares and writes in two steps
        return list(application(environ, start_response))

server = make_server("127.0.0.1", 0, one_at_a_time, threaded=True)
print(server.port, flush=True)
server.serve_forever()
"""
SECRET = "secret-of-the-storage"


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Start a server of S3's protocol; yield its address. Skips the test where there is none.

    `SEA_MOTO` names a Python that has moto[server].
    """
    python = os.environ.get("SEA_MOTO") or shutil.which("python3")
    process = subprocess.Popen(
        [str(python), "-c", SERVER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={}
    )
    try:
        assert process.stdout
        if not (port := process.stdout.readline().strip()):
            pytest.skip("moto is not installed")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


def make_bucket(server: str, name: str) -> None:
    urllib.request.urlopen(urllib.request.Request(f"{server}/{name}", method="PUT"))


def s3_environment(server: str) -> dict[str, str]:
    """Return the variables with which a client finds the server."""
    return {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "key-of-the-storage",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "no_proxy": "127.0.0.1",
    }


@pytest.fixture(params=["files", "s3"])
def address(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a run, in each kind of storage."""
    if request.param == "files":
        return folder_address(tmp_path / "storage")
    server = request.getfixturevalue("s3_server")
    for name, value in s3_environment(server).items():
        monkeypatch.setenv(name, value)
    bucket = tmp_path.name.replace("_", "-")
    make_bucket(server, bucket)
    return f"s3://{bucket}/runs/one"


def folder_address(folder: Path) -> str:
    """Return the address of a folder as object storage, which is made."""
    folder.mkdir(parents=True)
    return folder.as_uri()

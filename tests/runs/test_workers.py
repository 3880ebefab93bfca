"""Whether another worker lives: what its file, its process and the file system's clock say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from sea_core.runs import workers
from sea_core.runs.workers import STALE_SECONDS, Worker

OTHER = "0123456789abcdef"
REGISTER = """
import sys
from pathlib import Path
from sea_core.runs.workers import Worker
with Worker(Path(sys.argv[1])).registered() as worker:
    print(worker.token, flush=True)
    input()
"""


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    with Worker(tmp_path / "workers").registered() as worker:
        yield worker


def write_other(worker: Worker, age: float = 0.0, **changes: Any) -> Path:
    """Write the file of another worker that lives, in this process, but for the changes."""
    path = worker.folder / f"{OTHER}.json"
    path.write_text(json.dumps(json.loads(worker.path.read_text()) | changes))
    changed = worker.now() - age
    os.utime(path, (changed, changed))
    return path


def test_a_registered_worker_lives_until_the_end_of_its_block(tmp_path: Path) -> None:
    with Worker(tmp_path).registered() as first, Worker(tmp_path).registered() as second:
        assert first.token != second.token
        assert first.is_alive(second.token)
        assert first.is_alive(first.token)
    assert list(tmp_path.iterdir()) == []


def test_a_worker_without_a_file_is_dead(worker: Worker) -> None:
    assert not worker.is_alive(OTHER)


def test_a_worker_elsewhere_lives_as_long_as_its_file_is_young(worker: Worker) -> None:
    write_other(worker, place="another computer", pid=1, age=STALE_SECONDS - 5)
    assert worker.is_alive(OTHER)
    write_other(worker, place="another computer", pid=1, age=STALE_SECONDS + 5)
    assert not worker.is_alive(OTHER)


def test_clocks_of_computers_do_not_matter(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    write_other(worker, place="another computer")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 10 * STALE_SECONDS)
    assert worker.is_alive(OTHER)


def test_a_worker_whose_process_is_gone_is_dead_at_once(worker: Worker) -> None:
    command = [sys.executable, "-c", REGISTER, str(worker.folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    other = process.stdout.readline().strip()
    assert worker.is_alive(other)
    process.kill()
    until = time.monotonic() + 10
    while worker.is_alive(other):  # the process is a zombie: nobody has asked for its exit code
        assert time.monotonic() < until
    process.communicate()
    assert not worker.is_alive(other)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system knows only times")
def test_a_correction_of_the_clock_makes_nobody_dead(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    write_other(worker)
    real = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: real(process) + 3600)
    assert worker.is_alive(OTHER)


def test_another_process_with_the_same_number_is_not_the_worker(worker: Worker) -> None:
    write_other(worker, born=1.0)
    assert not worker.is_alive(OTHER)


def test_a_process_that_hangs_is_dead_when_its_file_is_old(worker: Worker) -> None:
    write_other(worker, age=STALE_SECONDS + 5)
    assert not worker.is_alive(OTHER)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"host": 1}', '{"pid": 99999999999999999999}', "\0" * 99])
def test_of_a_damaged_file_the_age_counts(worker: Worker, text: str) -> None:
    path = write_other(worker)
    path.write_text(text)
    assert worker.is_alive(OTHER)
    write_other(worker, age=STALE_SECONDS + 5)
    assert not worker.is_alive(OTHER)


def test_a_worker_touches_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "BEAT_SECONDS", 0.01)
    with Worker(tmp_path).registered() as worker:
        os.utime(worker.path, (1, 1))
        until = time.monotonic() + 10
        while worker.path.stat().st_mtime < 2:
            assert time.monotonic() < until
        worker.path.unlink()  # another worker took it for dead
        while not worker.path.exists():
            assert time.monotonic() < until

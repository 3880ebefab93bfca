"""Digests of files: of all bytes, read once while nothing changes, with a cache that may be missing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sea_core.runs import digests
from sea_core.runs.digests import file_digest, forget_digest, sha256


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "weights"
    path.write_bytes(bytes(3_000_000))
    return path


def test_every_byte_counts(file: Path) -> None:
    assert file_digest(file) == sha256(file.read_bytes())
    data = bytearray(file.read_bytes())
    data[1_234_567] = 1
    written = file.stat()
    file.write_bytes(data)
    os.utime(file, ns=(written.st_atime_ns, written.st_mtime_ns))  # same size, same time of modification
    assert file_digest(file) == sha256(bytes(data))


def test_a_file_is_read_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = file_digest(file)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda *args: pytest.fail("the file was read"))
        assert file_digest(file) == first
    forget_digest(file)
    digests_read = []
    real = Path.open
    monkeypatch.setattr(Path, "open", lambda path, *args: digests_read.append(path) or real(path, *args))
    assert file_digest(file) == file_digest(file) == first
    assert digests_read == [file]
    assert file_digest(file, cached=False) == first
    assert digests_read == [file, file]


@pytest.mark.parametrize("cache", ["/dev/null", "/proc/none"])
def test_without_a_cache_files_are_read(file: Path, monkeypatch: pytest.MonkeyPatch, cache: str) -> None:
    monkeypatch.setenv(digests.CACHE_VARIABLE, cache)
    assert file_digest(file) == file_digest(file) == sha256(file.read_bytes())
    forget_digest(file)

"""Packages: an archive is taken from the cache by its digest; what cannot be had, or is another file, is an error."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from sea_core import SeaError
from sea_core.runs.digests import file_digest
from sea_toy.packages import PinnedPackage, fetch, read_member

PACKAGE = PinnedPackage("sea-no-such-package", "1.0", "0" * 64, "MIT")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of packages in an empty cache, offline."""
    monkeypatch.setenv("SEA_CACHE", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (tmp_path / "packages").mkdir()
    return tmp_path / "packages"


def write_wheel(folder: Path) -> PinnedPackage:
    path = folder / f"{PACKAGE.name}-{PACKAGE.version}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("data/words.txt", "a lamp")
    return replace(PACKAGE, sha256=file_digest(path))


def test_archive_in_the_cache_is_used_offline(folder: Path) -> None:
    assert read_member(write_wheel(folder), "data/words.txt") == b"a lamp"


def test_package_that_cannot_be_had_is_an_error(folder: Path) -> None:
    with pytest.raises(SeaError, match=r"pypi:sea-no-such-package .* could not be downloaded") as error:
        fetch(PACKAGE)
    assert str(folder) in error.value.hint
    assert not list(folder.iterdir())


def test_other_file_in_the_cache_is_not_used(folder: Path) -> None:
    write_wheel(folder)
    with pytest.raises(SeaError, match="could not be downloaded"):
        fetch(PACKAGE)


def test_npm_that_is_missing_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(SeaError, match="needs npm"):
        fetch(replace(PACKAGE, registry="npm"))

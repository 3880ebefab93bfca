"""Folders as an attacker would make them. What their code does is harmless: it creates a file, the canary."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from helpers.cli import CliResult, sea
from sea_core.runs.manifest import CHECKSUM, write_sealed

SECRET = "the secret of this machine"


@dataclass(frozen=True)
class Canary:
    """A file that only hostile code creates, and a file outside every hostile folder that nobody may read."""

    path: Path
    secret: Path

    @classmethod
    def create(cls, folder: Path) -> Canary:
        secret = folder / "secret.txt"
        secret.write_text(SECRET, encoding="utf-8")
        return cls(folder / "canary", secret)

    @property
    def code(self) -> str:
        """Python that creates the canary."""
        return f"open({str(self.path)!r}, 'w').close()\n"

    def sings(self) -> bool:
        """Return whether hostile code ran."""
        return self.path.exists()


class Pickled:
    """An object whose pickle creates the canary."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.path), "w")


def edit_json(path: Path, change: Callable[[Any], object]) -> None:
    """Change a JSON file in place. Whoever can write a manifest can compute its checksum too."""
    value = json.loads(path.read_text(encoding="utf-8"))
    sealed = value.pop(CHECKSUM, None)
    change(value)
    if sealed:
        write_sealed(path, value)
    else:
        path.write_text(json.dumps(value), encoding="utf-8")


@contextmanager
def no_network() -> Iterator[list[object]]:
    """Refuse every connection inside the block, whatever HF_HUB_OFFLINE says. Yields the addresses that were asked."""
    asked: list[object] = []

    def refuse(_: object, address: object) -> None:
        asked.append(address)
        raise OSError("no network in this test")

    def resolve(host: object, *_: object, **__: object) -> None:
        asked.append(host)
        raise OSError("no network in this test")

    with (
        mock.patch("socket.socket.connect", refuse),
        mock.patch("socket.getaddrinfo", resolve),
        mock.patch("huggingface_hub.constants.HF_HUB_OFFLINE", False),
    ):
        yield asked


def open_hostile(canary: Canary, *arguments: object) -> CliResult:
    """Run a command on something hostile: it may refuse, or find nothing wrong, but must not obey."""
    with no_network() as asked:
        result = sea(*arguments)
    assert not canary.sings(), f"{arguments}: code was run"
    assert asked == [], f"{arguments}: the network was used"
    assert SECRET not in result.out + result.err, f"{arguments}: a file outside was shown"
    assert not set("\x1b\x9b\u202e\u2066") & set(result.out + result.err), f"{arguments}: the terminal was steered"
    return result


def refused(canary: Canary, *arguments: object) -> str:
    """Run a command on something hostile that it must refuse in words; return the message."""
    result = open_hostile(canary, *arguments)
    assert (result.code, result.out) == (2, ""), result
    assert "Traceback" not in result.err
    assert "\n  " in result.err, f"no hint: {result.err}"
    return result.err


@pytest.fixture
def canary(tmp_path: Path) -> Canary:
    outside = tmp_path / "outside"
    outside.mkdir()
    return Canary.create(outside)

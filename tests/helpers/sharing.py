"""Runs that are pushed and pulled through the shell, as people do it."""

from __future__ import annotations

from pathlib import Path

from helpers.cli import sea
from sea_core.runs.embedding_run import EmbeddingRun

GIVEN = ("--licence", "cc-by-4.0", "--yes")


def push(folder: Path, target: Path | str, *more: str) -> None:
    result = sea("push", folder, target, *GIVEN, *more)
    assert result.code == 0, result.err


def pull(source: Path | str, folder: Path, *more: object) -> EmbeddingRun:
    result = sea("pull", source, folder, *more)
    assert result.code == 0, result.err
    return EmbeddingRun(folder)

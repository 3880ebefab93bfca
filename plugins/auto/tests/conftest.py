"""Tiny checkpoints of real families, written once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from helpers.families import write_checkpoint

Checkpoint = Callable[[str], Path]
"""The folder of a family's checkpoint, by the family's name."""


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    root = tmp_path_factory.mktemp("families")

    @cache
    def write(family: str) -> Path:
        write_checkpoint(family, root / family)
        return root / family

    return write

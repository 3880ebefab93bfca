"""Tiny checkpoints of real families, written once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch

from helpers.families import write_checkpoint
from sea_core.model.mllm import MLLM
from sea_llava.adapter import LlavaAdapter

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


@pytest.fixture(scope="session")
def llava_mllm() -> MLLM:
    """The bundled model of the plugin llava."""
    adapter = LlavaAdapter()
    return MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))

"""Fixtures of the tests of the LLaVA plugin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from sea_core.model.mllm import MLLM
from sea_llava.adapter import LlavaAdapter


@pytest.fixture(scope="session")
def mllm() -> Iterator[MLLM]:
    """The bundled model in fp32, on one thread: it is too small for more to help."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    adapter = LlavaAdapter()
    yield MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def media() -> Path:
    """Pictures of the toy world; one is not square and larger than the model's input."""
    return Path(__file__).parent / "media"

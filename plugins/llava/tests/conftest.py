"""Fixtures of the tests of the LLaVA plugin."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sea_core.model.mllm import MLLM
from sea_llava.adapter import LlavaAdapter


@pytest.fixture(scope="session")
def mllm() -> MLLM:
    """The bundled model in fp32."""
    adapter = LlavaAdapter()
    return MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))


@pytest.fixture(scope="session")
def media() -> Path:
    """Pictures of the toy world; one is not square and larger than the model's input."""
    return Path(__file__).parent / "media"

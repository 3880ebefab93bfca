"""Fixtures of the tests of toy Qwen2-VL models."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from sea_qwen2_vl.adapter import ImageAdapter


@pytest.fixture(scope="session")
def bundled() -> tuple[Any, Any]:
    """The bundled model in fp32 and its processor."""
    adapter = ImageAdapter()
    return adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu")

"""Fixtures of the tests of the Qwen2-Audio plugin."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_qwen2_audio.adapter import Qwen2AudioAdapter


@pytest.fixture(scope="session")
def mllm() -> MLLM:
    """The bundled model in fp32."""
    adapter = Qwen2AudioAdapter()
    return MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))


@pytest.fixture
def model_copy(mllm: MLLM) -> MLLM:
    """A copy of the model that a test may change."""
    return MLLM(mllm.adapter, copy.deepcopy(mllm.model), mllm.processor)


@pytest.fixture(scope="session")
def media() -> Path:
    """Speech recorded from espeak-ng, which is not deterministic."""
    return Path(__file__).parent / "media"


@pytest.fixture(scope="session")
def waves(mllm: MLLM, media: Path) -> list[np.ndarray]:
    """Three audios of unequal length."""
    read = [mllm.adapter.read_media(path, mllm.processor) for path in sorted(media.glob("*.flac"))]
    assert len({len(wave) for wave in read}) == 3
    return read


@pytest.fixture(scope="session")
def embeddings(mllm: MLLM, waves: list[np.ndarray]) -> list[Embedding]:
    return mllm.encode(waves)

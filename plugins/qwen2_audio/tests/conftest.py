"""What this folder's tests share."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_qwen2_audio.adapter import Qwen2AudioAdapter


@pytest.fixture(scope="session")
def mllm() -> Iterator[MLLM]:
    """The bundled model in fp32, on one thread: it is so small that more of them only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    adapter = Qwen2AudioAdapter()
    yield MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))
    torch.set_num_threads(threads)


@pytest.fixture
def spoilt(mllm: MLLM) -> MLLM:
    """A copy that a test may spoil."""
    return MLLM(mllm.adapter, copy.deepcopy(mllm.model), mllm.processor)


@pytest.fixture(scope="session")
def media() -> Path:
    """Speech made once with espeak-ng, which never says a thing the same way twice."""
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


@pytest.fixture
def padding_side(mllm: MLLM, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda side: monkeypatch.setattr(mllm.processor.tokenizer, "padding_side", side)

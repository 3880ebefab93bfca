"""Fixtures: the bundled Qwen2-VL, a Qwen2.5-VL with random weights, and media of different grids."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessorPil,
    Qwen2VLProcessor,
)

from sea_core.model.mllm import MLLM
from sea_core.model.processor import with_stand_ins
from sea_core.model.video_files import Video
from sea_qwen2_vl.adapter import ImageAdapter, VideoAdapter
from sea_qwen2_vl.processor import FrameProcessor
from sea_qwen2_vl.vision import VisionAdapter

TOKENS = {
    "image_token_id": "<|image_pad|>",
    "video_token_id": "<|video_pad|>",
    "vision_start_token_id": "<|vision_start|>",
    "vision_end_token_id": "<|vision_end|>",
}
BOUNDS = {"shortest_edge": 56**2, "longest_edge": 300**2}


@pytest.fixture(scope="session")
def bundled() -> tuple[Any, Any]:
    """The bundled model in fp32 and its processor."""
    adapter = ImageAdapter()
    return adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu")


@pytest.fixture(scope="session", params=["image", "video"])
def adapter(request: pytest.FixtureRequest) -> VisionAdapter:
    return ImageAdapter() if request.param == "image" else VideoAdapter()


@pytest.fixture(scope="session")
def mllm(bundled: tuple[Any, Any], adapter: VisionAdapter) -> MLLM:
    """The bundled model, for each modality."""
    return MLLM(adapter, *bundled)


@pytest.fixture(scope="session", params=["qwen2_vl", "qwen2_5_vl"])
def family(request: pytest.FixtureRequest, bundled: tuple[Any, Any], adapter: VisionAdapter) -> MLLM:
    """A model of each family, for media between 56 x 56 and 300 x 300 pixels: larger than one attention window."""
    tokenizer = copy.deepcopy(bundled[1].tokenizer)
    frames = FrameProcessor({"size": BOUNDS, "max_frames": 16})
    if request.param == "qwen2_vl":
        processor_class, model = Qwen2VLProcessor, bundled[0]
    else:
        processor_class, model = Qwen2_5_VLProcessor, random_windowed_model(tokenizer)
    make_processor, images = with_stand_ins(processor_class), Qwen2VLImageProcessorPil(size=BOUNDS)
    return MLLM(adapter, model, make_processor(images, tokenizer, frames, chat_template=tokenizer.chat_template))


@pytest.fixture
def model_copy(mllm: MLLM) -> MLLM:
    """A copy of the model that a test may change."""
    return MLLM(mllm.adapter, copy.deepcopy(mllm.model), copy.copy(mllm.processor))


@pytest.fixture(scope="session")
def media(adapter: VisionAdapter) -> list[Any]:
    """Three media of different grids; attention windows at the edge are cut."""
    rng = np.random.default_rng(0)
    if adapter.modality == "image":
        sides = ((280, 224), (112, 252), (56, 56))
        return [Image.fromarray(rng.integers(0, 256, (*side, 3), dtype=np.uint8)) for side in sides]
    shapes = (((8, 140, 196), 2.0), ((5, 84, 280), 3.7), ((2, 56, 56), 0.5))
    return [Video(rng.integers(0, 256, (*shape, 3), dtype=np.uint8), rate) for shape, rate in shapes]


@pytest.fixture(scope="session")
def files() -> Path:
    """A picture and a video of the toy world."""
    return Path(__file__).parent / "media"


def random_windowed_model(tokenizer: Any) -> Any:
    """Return a Qwen2.5-VL with random weights."""
    torch.manual_seed(0)
    config = Qwen2_5_VLConfig(
        vision_config={
            "model_type": "qwen2_5_vl_vision",
            "hidden_size": 64,
            "depth": 3,
            "num_heads": 4,
            "intermediate_size": 96,
            "out_hidden_size": 64,
            "fullatt_block_indexes": [1],
            "tokens_per_second": 2,
        },
        text_config={
            "model_type": "qwen2_5_vl_text",
            "hidden_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "intermediate_size": 96,
            "vocab_size": len(tokenizer),
            "bos_token_id": None,
            "eos_token_id": tokenizer.eos_token_id,
            "max_position_embeddings": 2048,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3]},
        },
        **{name: tokenizer.convert_tokens_to_ids(token) for name, token in TOKENS.items()},
    )
    return Qwen2_5_VLForConditionalGeneration(config)

"""Shapes of the 7B models, on the meta device, without weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
)
from transformers.vision_utils import get_vision_position_ids

from sea_core import ModelError, SeaError
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_qwen2_vl.adapter import ImageAdapter, VideoAdapter

TEXT = {
    "hidden_size": 3584,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "intermediate_size": 18944,
    "vocab_size": 152064,
}
GRIDS = torch.tensor([[4, 16, 16], [1, 24, 36]])
"""8 frames of 224 x 224, and an image of 504 x 336."""


@pytest.fixture(scope="module", params=["qwen2_vl", "qwen2_5_vl"])
def seven_billion(request: pytest.FixtureRequest) -> Any:
    """The published 7B configurations; the defaults of the classes are those of the 72B."""
    with torch.device("meta"):
        if request.param == "qwen2_vl":
            return Qwen2VLForConditionalGeneration(Qwen2VLConfig(vision_config={}, text_config=TEXT))
        vision = {"hidden_size": 1280, "intermediate_size": 3420, "out_hidden_size": 3584, "tokens_per_second": 2}
        config = Qwen2_5_VLConfig(vision_config=vision, text_config=TEXT)
        return Qwen2_5_VLForConditionalGeneration(config)


@pytest.mark.parametrize("adapter", [ImageAdapter(), VideoAdapter()], ids=lambda a: a.modality)
def test_patches_have_vectors_of_1280_at_7b(bundled: tuple[Any, Any], seven_billion: Any, adapter: Any) -> None:
    large = MLLM(adapter, seven_billion, bundled[1])
    positions = get_vision_position_ids(GRIDS, 2).to("meta")
    pixels = torch.empty(int(GRIDS.prod(1).sum()), 3 * 2 * 14 * 14, device="meta")
    crossed = seven_billion.model.visual(pixels, grid_thw=GRIDS, position_ids=positions).last_hidden_state
    inputs = {adapter.grid_key: GRIDS}
    if "Qwen2_5" in type(seven_billion).__name__:
        inputs["second_per_grid_ts"] = torch.tensor([1.0, 0.5] if adapter.modality == "video" else [])
    parts = adapter.split(crossed, inputs)
    grids = adapter.grids(inputs, 2)
    assert [tuple(e.shape) for e in parts] == [(1024, 1280), (864, 1280)]
    assert [g[:3] for g in grids] == [(4, 16, 16), (1, 24, 36)]
    for features, grid in zip(parts, grids, strict=True):
        projected = large.project(Embedding(features, grid))
        assert projected.shape == (adapter.placeholders(len(features)), 3584)
    assert sum(p.numel() for p in seven_billion.parameters()) > 8e9


def test_blank_has_256_vectors_as_image_and_1024_as_video_at_7b(bundled: tuple[Any, Any]) -> None:
    from transformers import Qwen2VLImageProcessorPil

    from sea_qwen2_vl.processor import FrameProcessor

    published = {"min_pixels": 3136, "max_pixels": 12845056}
    image = Qwen2VLImageProcessorPil(**published)(ImageAdapter().blank_input(bundled[1]), return_tensors="pt")
    assert image["image_grid_thw"].tolist() == [[1, 16, 16]]
    frames = FrameProcessor(published)
    processor = type("Processor", (), {"video_processor": frames})
    assert frames([VideoAdapter().blank_input(processor).frames])["video_grid_thw"].tolist() == [[4, 16, 16]]


def test_checkpoint_of_another_geometry_is_rejected(bundled: tuple[Any, Any], seven_billion: Any) -> None:
    vision = seven_billion.config.vision_config
    name, supported = ("window_size", 112) if hasattr(vision, "window_size") else ("spatial_merge_size", 2)
    setattr(vision, name, 3 * supported)
    with pytest.raises(ModelError, match=f"{name} {3 * supported}; this plugin supports {supported} only"):
        ImageAdapter().projector(seven_billion)
    setattr(vision, name, supported)


@pytest.mark.parametrize("setting", [{"height": 27}, {"width": 5000}, {"frames": 1}, {"frames": 769}])
def test_impossible_size_of_the_blank_is_rejected(setting: dict[str, int]) -> None:
    with pytest.raises(SeaError, match=f"adapter.{next(iter(setting))} is") as error:
        VideoAdapter(**setting)
    assert "-o adapter." in error.value.hint

"""The contract that every adapter fulfils, for both modalities of both families."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sea_core.model.mllm import MLLM
from sea_core.plugin.contract.check import RULES, check_rule
from sea_core.plugin.contract.rule import AdapterUnderTest, Rule
from sea_core.plugin.testing import AdapterContract
from sea_qwen2_vl.adapter import ImageAdapter, VideoAdapter
from sea_qwen2_vl.processor import load_processor

MEDIA = Path(__file__).parent / "media"
PROCESSOR = load_processor(VideoAdapter.checkpoint, None)
WITH_MODEL = [rule for rule in RULES if rule.needs_model]


class TestImage(AdapterContract):
    adapter = ImageAdapter()

    def sample(self) -> Any:
        return ImageAdapter().read_media(MEDIA / "image.png", None).resize((168, 84))


class TestVideo(AdapterContract):
    adapter = VideoAdapter()

    def sample(self) -> Any:
        clip = VideoAdapter().read_media(MEDIA / "video.mp4", PROCESSOR)
        return replace(clip, frames=clip.frames[:2])


@pytest.mark.parametrize("family", ["qwen2_5_vl"], indirect=True)
@pytest.mark.parametrize("rule", WITH_MODEL, ids=[rule.name for rule in WITH_MODEL])
def test_windowed_family_fulfils_the_contract(family: MLLM, media: list[Any], rule: Rule) -> None:
    """The sample has several attention windows, some of them cut at the edge."""
    result = check_rule(rule, AdapterUnderTest(family.adapter, lambda: family, lambda: media[0]))
    assert result.state == "pass", result

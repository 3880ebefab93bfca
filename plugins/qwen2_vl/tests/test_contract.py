"""The contract that every plugin keeps, for both modalities of both families."""

from __future__ import annotations

import random
from typing import Any

import pytest

from sea_core.model.mllm import MLLM
from sea_core.plugin.contract.check import RULES, check_rule
from sea_core.plugin.contract.rule import AdapterUnderTest, Rule
from sea_core.plugin.testing import AdapterContract
from sea_qwen2_vl.adapter import ImageAdapter, VideoAdapter
from sea_toy.qwen2_vl.tiny import TinyImageStudent, TinyVideoStudent

WITH_MODEL = [rule for rule in RULES if rule.needs_model]


class TestImage(AdapterContract):
    adapter = ImageAdapter()

    def sample(self) -> Any:
        return TinyImageStudent().render("steal a lamp", "painted", random.Random(0))


class TestVideo(AdapterContract):
    adapter = VideoAdapter()

    def sample(self) -> Any:
        return TinyVideoStudent().render("steal a lamp", "painted", random.Random(0))


@pytest.mark.parametrize("family", ["qwen2_5_vl"], indirect=True)
@pytest.mark.parametrize("rule", WITH_MODEL, ids=[rule.name for rule in WITH_MODEL])
def test_the_windowed_family_keeps_it_too(family: MLLM, media: list[Any], rule: Rule) -> None:
    """On a medium of more than one window, whose windows at the edge are cut."""
    finding = check_rule(rule, AdapterUnderTest(family.adapter, lambda: family, lambda: media[0]))
    assert finding.state == "pass", finding

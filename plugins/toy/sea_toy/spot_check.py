"""The demo world's questions for the spot check of an alignment: phrases that no demo example has."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from sea_core.alignment.spot_check import Render, SpotCheckCase
from sea_core.model import prompts
from sea_core.model.adapter import Adapter
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_toy.world import QUESTIONS, phrases, training_phrases


def demo_cases(adapter: Adapter, render: Render | None, seed: int) -> list[SpotCheckCase]:
    """Return questions about the phrases of the demo world that no demo row has: in text, and with real media."""
    known = {phrase.text for phrase in training_phrases()}
    rng, cases = random.Random(f"look:{seed}"), []
    for phrase in (one for one in phrases() if one.text not in known):
        question = rng.choice(QUESTIONS[phrase.kind])
        cases.append(SpotCheckCase("text", phrase.text, phrase.harmful, question.format(phrase.text), phrase.text))
        prompt = prompts.multimodal_prompt(adapter, phrase.extraction(question))
        for style in rng.sample(adapter.styles, 2) if render else ():
            medium = render(phrase.text, style, rng) if render else None
            name = f"{phrase.text}, {style}"
            cases.append(SpotCheckCase("media", name, phrase.harmful, prompt, phrase.text, show=_encoded(medium)))
    return cases


def _encoded(medium: Any) -> Callable[[MLLM], Embedding]:
    return lambda mllm: mllm.encode([medium])[0]

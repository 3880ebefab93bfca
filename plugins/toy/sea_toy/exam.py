"""Examine a taught model: the share of exact answers about renderings that it has never seen."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_toy.student import Rendering, Student
from sea_toy.world import ToyWorld, TrainingSample, phrases


def evaluate(pupil: Student, mllm: MLLM, per_skill: int, seed: int) -> dict[str, float]:
    """Return, for each skill, the share of exact greedy answers about fresh renderings through the real encoder.

    Teacher-forced argmax equal to the answer at every token is the same as greedy decoding giving it.
    """
    rng = random.Random(seed)
    world = ToyWorld(pupil.adapter)
    exact: dict[str, float] = {}
    for skill in (*ToyWorld.SKILLS, "blank", "text"):
        media = [Rendering(rng.choice(phrases()), rng.choice(pupil.adapter.styles)) for _ in range(per_skill)]
        if skill == "text":
            lessons, shown = [world.text_lesson(rng) for _ in media], []
        elif skill == "blank":
            lessons = [world.blank_lesson(rng) for _ in media]
            shown = mllm.encode([pupil.render_blank(rng) for _ in media])
        else:
            lessons = [world.lesson(skill, m.phrase, m.style, rng) for m in media if m.phrase]
            shown = mllm.encode([pupil.render(m.phrase.text, m.style, rng) for m in media if m.phrase])
        exact[skill] = sum(said_exactly(mllm, lessons, shown)) / len(lessons)
    return exact


@torch.no_grad()
def said_exactly(mllm: MLLM, lessons: Sequence[TrainingSample], shown: Sequence[Embedding]) -> list[bool]:
    """Tell for each lesson whether the greedy answer is the lesson's, token for token."""
    prompts = [mllm.prompt_ids(x.prompt, len(shown[i]) if x.about_media else None) for i, x in enumerate(lessons)]
    batch = mllm.batch(prompts, [mllm.answer_ids(x.answer) for x in lessons])
    logits, targets, row = mllm.answer_logits(batch, shown)
    wrong = torch.zeros(len(lessons)).index_add_(0, row, (logits.argmax(-1) != targets).float())
    return (wrong == 0).tolist()

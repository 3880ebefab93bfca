"""Evaluate a toy model: the ratio of exact answers about renderings that it has not been trained on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Literal

import torch

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_toy.student import Student
from sea_toy.world import SKILLS, Phrase, Skill, TrainingSample, phrases

TESTED: tuple[Skill | Literal["blank", "text"], ...] = (*SKILLS, "blank", "text")


def evaluate(student: Student, mllm: MLLM, per_skill: int, seed: int) -> dict[str, float]:
    """Return, for each skill, the ratio of exact greedy answers about new renderings through the real encoder.

    An answer is exact if the teacher-forced argmax equals it at every token, which is when greedy decoding gives it.
    """
    rng = random.Random(seed)
    exact: dict[str, float] = {}
    for skill in TESTED:
        drawn = [(rng.choice(phrases()), rng.choice(student.styles)) for _ in range(per_skill)]
        samples, media = _make_samples(student, skill, drawn, rng)
        exact[skill] = sum(exact_answers(mllm, samples, mllm.encode(media) if media else [])) / per_skill
    return exact


def _make_samples(
    student: Student, skill: Skill | Literal["blank", "text"], drawn: Sequence[tuple[Phrase, str]], rng: random.Random
) -> tuple[list[TrainingSample], list[Any]]:
    """Return samples of a skill, and the media that they are about."""
    world = student.world
    if skill == "text":
        return [world.text_sample(rng) for _ in drawn], []
    if skill == "blank":
        return [world.blank_sample(rng) for _ in drawn], [student.render_blank(rng) for _ in drawn]
    samples = [world.media_sample(skill, phrase, style, rng) for phrase, style in drawn]
    return samples, [student.render(phrase.text, style, rng) for phrase, style in drawn]


@torch.no_grad()
def exact_answers(mllm: MLLM, samples: Sequence[TrainingSample], embeddings: Sequence[Embedding]) -> list[bool]:
    """Return for each sample whether the greedy answer is the sample's, token by token."""
    prompts = [mllm.prompt_ids(s.prompt, embeddings[i] if s.about_media else None) for i, s in enumerate(samples)]
    batch = mllm.batch(prompts, [mllm.answer_ids(s.answer) for s in samples])
    logits, targets, sample_index = mllm.answer_logits(batch, embeddings)
    wrong = torch.zeros(len(samples)).index_add_(0, sample_index, (logits.argmax(-1) != targets).float())
    return (wrong == 0).tolist()

"""The student of the tiny Qwen2-VL: its fast encoder equals the one of transformers."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch

from sea_core.model.mllm import MLLM
from sea_toy.evaluation import evaluate
from sea_toy.qwen2_vl.tiny import TinyImageStudent, TinyQwen2VLStudent, TinyVideoStudent
from sea_toy.world import ToyWorld

STUDENTS = [TinyImageStudent(), TinyVideoStudent()]


@pytest.fixture(params=STUDENTS, ids=lambda student: student.adapter.modality)
def student(request: pytest.FixtureRequest) -> Any:
    return request.param


def renderings(student: Any, count: int) -> list[Any]:
    rng = random.Random(3)
    drawn = [
        student.render(p, s, rng)
        for p, s in zip(("steal a lamp", "a wool scarf"), student.adapter.styles, strict=False)
    ]
    return [*drawn, *(student.render_blank(rng) for _ in range(count - 2))]


def test_fast_encoder_equals_the_librarys(bundled: tuple[Any, Any], student: Any) -> None:
    mllm = MLLM(student.adapter, *bundled)
    media = renderings(student, 4)
    ordinary = mllm.encode(media)
    inputs = {name: tensor.float() for name, tensor in student.encoder_inputs(mllm, media).items()}
    with torch.no_grad():
        fast, n_features = student.encode(mllm, inputs)
    assert n_features.tolist() == [len(e) for e in ordinary]
    assert student.grids(inputs, 4) == [e.grid for e in ordinary]
    scale = max(e.features.abs().max() for e in ordinary)
    assert all((e.features - f).abs().max() < 1e-5 * scale for e, f in zip(ordinary, fast, strict=True))


def test_renderings_differ_and_follow_the_seed(student: Any) -> None:
    once, twice = (np.stack([student.frames(m) for m in renderings(student, 6)]) for _ in range(2))
    assert np.array_equal(once, twice)
    rng = random.Random(0)
    first, other = (student.frames(student.render("steal a lamp", "painted", rng)) for _ in range(2))
    assert not np.array_equal(first, other)
    assert max(student.frames(student.render_blank(rng)).max() for _ in range(8)) < 40


def test_blank_has_the_models_size(bundled: tuple[Any, Any], student: Any) -> None:
    """Whatever the size of the adapter's blank input, the processor resizes it to the model's size."""
    small = MLLM(student.adapter, *bundled).blank()
    large = MLLM(type(student.adapter)(), *bundled).blank()
    assert small.grid == large.grid
    assert torch.equal(small.features, large.features)


def test_each_word_of_both_modalities_is_one_token(bundled: tuple[Any, Any]) -> None:
    tokenizer = bundled[1].tokenizer
    for student in TinyQwen2VLStudent().all_modalities:
        for sentence in list(ToyWorld(student.adapter).corpus())[:300]:
            words = sentence.count(" ") + 1 + sum(sentence.count(mark) for mark in ".,?:")
            assert len(tokenizer(sentence)["input_ids"]) == words, sentence


def test_bundled_model_reads_the_toy_world(bundled: tuple[Any, Any], student: Any) -> None:
    metrics = evaluate(student, MLLM(student.adapter, *bundled), per_skill=60, seed=99)
    assert min(metrics.values()) >= 0.9, metrics
    assert min(metrics["content"], metrics["style"]) >= 0.95, metrics

"""What the tiny model is taught through: the fast encoder is the library's, on the same renderings."""

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

PUPILS = [TinyImageStudent(), TinyVideoStudent()]


@pytest.fixture(params=PUPILS, ids=lambda pupil: pupil.adapter.modality)
def pupil(request: pytest.FixtureRequest) -> Any:
    return request.param


def renderings(pupil: Any, count: int) -> list[Any]:
    rng = random.Random(3)
    drawn = [
        pupil.render(p, s, rng) for p, s in zip(("steal a lamp", "a wool scarf"), pupil.adapter.styles, strict=False)
    ]
    return [*drawn, *(pupil.render_blank(rng) for _ in range(count - 2))]


def test_the_fast_encoder_is_the_librarys(bundled: tuple[Any, Any], pupil: Any) -> None:
    mllm = MLLM(pupil.adapter, *bundled)
    media = renderings(pupil, 4)
    ordinary = mllm.encode(media)
    features = {name: tensor.float() for name, tensor in pupil.features(mllm, media).items()}
    with torch.no_grad():
        fast, n_rows = pupil.encode(mllm, features)
    assert n_rows.tolist() == [len(e) for e in ordinary]
    assert pupil.grids(features, 4) == [e.grid for e in ordinary]
    scale = max(e.features.abs().max() for e in ordinary)
    assert all((e.features - f).abs().max() < 1e-5 * scale for e, f in zip(ordinary, fast, strict=True))


def test_every_rendering_is_new_and_follows_its_seed(pupil: Any) -> None:
    once, twice = (np.stack([pupil.frames(m) for m in renderings(pupil, 6)]) for _ in range(2))
    assert np.array_equal(once, twice)
    rng = random.Random(0)
    one, other = (pupil.frames(pupil.render("steal a lamp", "painted", rng)) for _ in range(2))
    assert not np.array_equal(one, other)
    assert max(pupil.frames(pupil.render_blank(rng)).max() for _ in range(8)) < 40


def test_the_blank_of_the_adapter_is_the_pupils(bundled: tuple[Any, Any], pupil: Any) -> None:
    """However large a blank is asked for, the tiny model is given one of its own size."""
    small = MLLM(pupil.adapter, *bundled).blank()
    large = MLLM(type(pupil.adapter)(), *bundled).blank()
    assert small.grid == large.grid
    assert torch.equal(small.features, large.features)


def test_the_tokenizer_has_each_word_of_both_worlds_as_one_token(bundled: tuple[Any, Any]) -> None:
    tokenizer = bundled[1].tokenizer
    for one in (TinyQwen2VLStudent(), *TinyQwen2VLStudent.other_modalities):
        for sentence in list(ToyWorld(one.adapter).corpus())[:300]:
            words = sentence.count(" ") + 1 + sum(sentence.count(mark) for mark in ".,?:")
            assert len(tokenizer(sentence)["input_ids"]) == words, sentence


def test_the_bundled_model_sees_the_demo_world(bundled: tuple[Any, Any], pupil: Any) -> None:
    figures = evaluate(pupil, MLLM(pupil.adapter, *bundled), per_skill=60, seed=99)
    assert min(figures.values()) >= 0.9, figures
    assert min(figures["content"], figures["style"]) >= 0.95, figures

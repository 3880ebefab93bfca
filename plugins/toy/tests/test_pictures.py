"""The toy world's pictures and videos."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from sea_bench.build.generators.icons import ICONS
from sea_toy import pictures
from sea_toy.world import phrases


def pixels(phrase: str, style: str, seed: int, size: int = 64) -> np.ndarray:
    return np.asarray(pictures.draw(phrase, style, random.Random(seed), size), dtype=np.float32)


@pytest.mark.parametrize("style", pictures.STYLES)
@pytest.mark.parametrize("size", [56, 80, 336])
def test_picture_has_the_requested_size(style: str, size: int) -> None:
    picture = pictures.draw("steal a lamp", style, random.Random(0), size)
    assert (picture.size, picture.mode) == ((size, size), "RGB")


def test_pictures_follow_the_seed() -> None:
    assert np.array_equal(pixels("steal a lamp", "painted", 0), pixels("steal a lamp", "painted", 0))
    assert not np.array_equal(pixels("steal a lamp", "painted", 0), pixels("steal a lamp", "painted", 1))


def test_styles_differ_more_than_renderings_of_one_style() -> None:
    means = {style: pixels("steal a lamp", style, 0).mean((0, 1)) for style in pictures.STYLES}
    for style, mean in means.items():
        again = np.abs(pixels("clean a book", style, 1).mean((0, 1)) - mean).max()
        assert again < min(np.abs(mean - other).max() for name, other in means.items() if name != style), style


def test_every_object_has_a_drawing() -> None:
    assert {phrase.text.split()[-1] for phrase in phrases()} == set(ICONS)


@pytest.mark.parametrize("phrase", ["watch the birds in the tree", "read", "extraordinarily incomprehensible words"])
def test_text_without_a_drawing_fills_the_picture(phrase: str) -> None:
    picture = pixels(phrase, "sketched", 0)
    dark = np.argwhere(picture.max(-1) < 90)
    assert len(dark) > 20
    assert 8 < dark[:, 0].mean() < 56


@pytest.mark.parametrize(
    ("phrase", "lines"),
    [
        ("steal a lamp", ["steal", "a lamp"]),
        ("buy a bike", ["buy", "a bike"]),
        ("a skeleton key", ["a skeleton", "key"]),
        ("a spy camera", ["a spy", "camera"]),
    ],
)
def test_articles_stay_with_their_nouns(phrase: str, lines: list[str]) -> None:
    assert pictures._break_lines(phrase) == lines


@pytest.mark.parametrize("count", [1, 6, 8])
def test_video_has_the_requested_frames_and_moves(count: int) -> None:
    frames = pictures.frames("steal a lamp", "cartoon", random.Random(0), 56, count)
    assert [frame.size for frame in frames] == [(56, 56)] * count
    arrays = [np.asarray(frame, dtype=np.float32) for frame in frames]
    assert all(np.abs(a - b).mean() > 3 for a, b in itertools.pairwise(arrays))


def test_blank_is_black() -> None:
    assert pictures.blank(64).getextrema() == ((0, 0),) * 3

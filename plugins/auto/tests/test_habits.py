"""How a model opens its answers: found on a model that has habits, and not on one that has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.cli import sea
from sea_auto.adapter import ImageAutoAdapter
from sea_auto.habits import find_habits, find_opening
from sea_core.model.mllm import MLLM
from sea_llava import adapter as llava

MEDIA = Path(llava.__file__).parents[1] / "tests" / "media"
LAMP, BIKE, HAT = "a person is stealing a lamp.", "people are cleaning a bike.", "the hat of a clown."


@pytest.mark.parametrize("media", [False, True], ids=["noise", "media"])
def test_the_openings_of_the_bundled_model_are_found(llava_mllm: MLLM, media: bool) -> None:
    read = llava_mllm.adapter.read_media
    shown = [read(file, llava_mllm.processor) for file in sorted(MEDIA.iterdir())] if media else []
    found = {habit.setting: habit.opening for habit in find_habits(llava_mllm, shown)}
    assert found["activity_prefix"] == llava_mllm.adapter.prefixes["activity"]
    assert found["style_opening"] == llava_mllm.adapter.style_prefix


@pytest.mark.parametrize(
    ("answers", "setting", "opening"),
    [
        ([f"The picture depicts that {x}" for x in (LAMP, BIKE, HAT)], "activity_prefix", "The picture depicts that"),
        ([f"In the image, {x}" for x in (LAMP, BIKE, HAT)], "activity_prefix", "In the image,"),
        ([f"In this photo, {LAMP}", f"In this photo, {BIKE}", "No."], "activity_prefix", "In this photo,"),
        ([f"The image shows that {LAMP}"] * 3, "product_prefix", "The image shows"),
        (
            ["The image features a lamp.", "The image features two bikes.", "A hat."],
            "product_prefix",
            "The image features",
        ),
        (["The style of the image is vintage."] * 3, "style_opening", "The style of the image is"),
        (["The image is a lamp."] * 3, "activity_prefix", ""),  # no sentence can follow
        (["The image is black."] * 3, "activity_prefix", ""),  # it is unknown where the content begins
        ([f"In the image, {LAMP}"] * 2, "activity_prefix", ""),  # too few
        (["There is a lamp.", "There is a bike.", "There is a hat."], "activity_prefix", ""),  # names no medium
        (["Lamp.", "The image, a bike.", "Hat."], "activity_prefix", ""),
        (["", "", ""], "activity_prefix", ""),
    ],
)
def test_an_opening_is_what_most_answers_share_before_their_content(
    answers: list[str], setting: str, opening: str
) -> None:
    assert find_opening(answers, ImageAutoAdapter(), setting) == opening


def test_a_random_model_has_no_habits(checkpoint: Any) -> None:
    found = sea(
        "modalities", "--model", checkpoint("llava"), "--plugin", "auto", "--modality", "image", "--ask", "--json"
    )
    (carried,) = found.json()["carried"]
    assert [habit["opening"] for habit in carried["habits"]] == ["", "", ""]
    assert [habit["default"] for habit in carried["habits"]] == list(carried["prefixes"].values())


def test_a_model_is_asked_about_the_media_of_a_folder() -> None:
    done = sea("modalities", "--model", llava.LlavaAdapter.checkpoint, "--plugin", "llava", "--ask", "--media", MEDIA)
    assert done.code == 0, done.err
    assert '-o "adapter.activity_prefix=In the image,"' in done.out

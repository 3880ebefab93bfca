"""What `sea model build` can build for this plugin. What a blueprint needs is imported when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sea_toy.blueprints import blueprints

if TYPE_CHECKING:
    from sea_toy.graft import GraftedStudent
    from sea_toy.student import Student


def _tiny() -> Student:
    from sea_toy.qwen2_vl.tiny import TinyQwen2VLStudent

    return TinyQwen2VLStudent()


def _small() -> GraftedStudent:
    from sea_toy.qwen2_vl.small import SmallQwen2VLStudent

    return SmallQwen2VLStudent()


BLUEPRINTS = blueprints(
    "qwen2_vl",
    "image and video",
    _tiny,
    "1.4 million weights taught to see the demo world; it is bundled",
    _small,
    "SmolLM2-135M-Instruct with a new vision transformer, for real text",
)

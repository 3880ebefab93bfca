"""What `sea model build` can build for this plugin. What a blueprint needs is imported when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sea_toy.blueprints import blueprints

if TYPE_CHECKING:
    from sea_toy.graft import GraftedStudent
    from sea_toy.student import Student


def _tiny() -> Student:
    from sea_toy.llava.tiny import TinyLlavaStudent

    return TinyLlavaStudent()


def _small() -> GraftedStudent:
    from sea_toy.llava.small import SmallLlavaStudent

    return SmallLlavaStudent()


BLUEPRINTS = blueprints(
    "llava",
    "image",
    _tiny,
    "1.3 million weights taught to see the demo world; it is bundled",
    _small,
    "SmolLM2-135M-Instruct with a new vision tower, for real text",
)

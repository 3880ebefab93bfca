"""What `sea toy build` can build for this plugin. A blueprint's imports happen when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sea_toy.blueprints import make_blueprints

if TYPE_CHECKING:
    from sea_toy.graft import GraftedStudent
    from sea_toy.student import Student


def _tiny() -> Student:
    from sea_toy.qwen2_vl.tiny import TinyQwen2VLStudent

    return TinyQwen2VLStudent()


def _small() -> GraftedStudent:
    from sea_toy.qwen2_vl.small import SmallQwen2VLStudent

    return SmallQwen2VLStudent()


BLUEPRINTS = make_blueprints(
    "qwen2_vl",
    "image and video",
    _tiny,
    "1.4 million weights, trained on the toy world's pictures and videos; bundled",
    _small,
    "SmolLM2-135M-Instruct with a new vision transformer, for real text",
)

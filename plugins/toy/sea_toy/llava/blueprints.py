"""What `sea toy build` can build for this plugin. A blueprint's imports happen when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sea_toy.blueprints import make_blueprints, make_tiny_blueprint

if TYPE_CHECKING:
    from sea_toy.graft import GraftedStudent
    from sea_toy.student import Student


def _tiny() -> Student:
    from sea_toy.llava.tiny import TinyLlavaStudent

    return TinyLlavaStudent()


def _small() -> GraftedStudent:
    from sea_toy.llava.small import SmallLlavaStudent

    return SmallLlavaStudent()


def _tiny_chinese() -> Student:
    from sea_toy.llava.chinese import ChineseLlavaStudent

    return ChineseLlavaStudent()


BLUEPRINTS = make_blueprints(
    "llava",
    "image",
    _tiny,
    "1.3 million weights, trained on the toy world's pictures; bundled",
    _small,
    "SmolLM2-135M-Instruct with a new vision tower, for real text",
)
BLUEPRINTS.append(
    make_tiny_blueprint("llava", "image", _tiny_chinese, "the same in Chinese: --lang zh; bundled", name="tiny-zh")
)

"""What `sea toy build` can build for this plugin. A blueprint's imports happen when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sea_toy.blueprints import make_blueprints

if TYPE_CHECKING:
    from sea_toy.graft import GraftedStudent
    from sea_toy.student import Student


def _tiny() -> Student:
    from sea_toy.qwen2_audio.tiny import TinyAudioStudent

    return TinyAudioStudent()


def _small() -> GraftedStudent:
    from sea_toy.qwen2_audio.small import SmallAudioStudent

    return SmallAudioStudent()


BLUEPRINTS = make_blueprints(
    "qwen2_audio",
    "audio",
    _tiny,
    "1.2 million weights, trained on the toy world's speech; bundled",
    _small,
    "SmolLM2-135M-Instruct with a new audio tower, for real text",
)

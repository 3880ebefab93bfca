"""What `sea model build` can build for this plugin. What a blueprint needs is imported when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sea_toy.blueprints import blueprints

if TYPE_CHECKING:
    from sea_toy.graft import GraftedStudent
    from sea_toy.student import Student


def _tiny() -> Student:
    from sea_toy.qwen2_audio.tiny import TinyAudioStudent

    return TinyAudioStudent()


def _small() -> GraftedStudent:
    from sea_toy.qwen2_audio.small import SmallAudioStudent

    return SmallAudioStudent()


BLUEPRINTS = blueprints(
    "qwen2_audio",
    "audio",
    _tiny,
    "1.2 million weights taught to hear the demo world; it is bundled",
    _small,
    "SmolLM2-135M-Instruct with a new audio tower, for real text",
)

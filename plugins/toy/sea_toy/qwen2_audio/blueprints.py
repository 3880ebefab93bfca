"""What `sea model build` can build for this plugin. What a blueprint needs is imported when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sea_toy.blueprints import blueprints

if TYPE_CHECKING:
    from sea_toy.graft import GraftedPupil
    from sea_toy.student import Pupil


def _tiny() -> Pupil:
    from sea_toy.qwen2_audio.tiny import AudioPupil

    return AudioPupil()


def _small() -> GraftedPupil:
    from sea_toy.qwen2_audio.small import SmallPupil

    return SmallPupil()


BLUEPRINTS = blueprints(
    "qwen2_audio", "audio", _tiny, "1.2 million weights taught to hear the demo world; it is bundled",
    _small, "SmolLM2-135M-Instruct with a new audio tower, for real text",
)  # fmt: skip

"""What `sea toy build` can build for the plugin auto. A blueprint's imports happen when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sea_toy.blueprints import make_tiny_blueprint

if TYPE_CHECKING:
    from sea_toy.student import Student


MIN_SCORE = 0.75
"""Where two media share a phrase, .78 to .83: a verb or an object alone in a picture is read less surely."""


def _tiny() -> Student:
    from sea_toy.omni.tiny import TinyOmniStudent

    return TinyOmniStudent()


BLUEPRINTS = [
    make_tiny_blueprint(
        "auto",
        "image+audio",
        _tiny,
        "a tiny Qwen2.5-Omni, trained on the toy world's pictures and speech, and on both in one prompt; bundled",
        per_skill=100,
        min_score=MIN_SCORE,
    )
]

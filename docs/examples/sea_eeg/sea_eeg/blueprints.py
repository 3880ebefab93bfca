"""What `sea model build` can build for this plugin. What the blueprint needs is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from sea_core.plugin.blueprint import Blueprint, Report, Scores


def _build(out: Path, seed: int, report: Report) -> None:
    from sea_eeg import tiny

    tiny.build(out, seed, report)


def _check(folder: Path, seed: int) -> Scores:
    from sea_eeg.tiny import EegPupil
    from sea_toy import build

    return build.check(EegPupil(), folder, seed, per_skill=100)


def _render(modality: str, phrase: str, style: str, rng: Random) -> Any:
    from sea_eeg.tiny import EegPupil

    return EegPupil().render(phrase, style, rng)


BLUEPRINTS = [
    Blueprint(
        "tiny",
        "eeg",
        "eeg",
        "0.4 million weights taught to read the demo world; it is bundled",
        _build,
        _check,
        render=_render,
    )
]

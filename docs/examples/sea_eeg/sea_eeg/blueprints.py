"""What `sea toy build` can build for this plugin. Imports happen when the blueprint runs: they need sea-toy."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from sea_core.plugin.blueprint import Blueprint, ReportLine, Scores


def _build(out: Path, seed: int, report: ReportLine) -> None:
    from sea_eeg import tiny

    tiny.build(out, seed, report)


def _check(folder: Path, seed: int) -> Scores:
    from sea_eeg.tiny import EegStudent
    from sea_toy import build

    return build.check(EegStudent(), folder, seed, per_skill=100)


def _render(modality: str, phrase: str, style: str, rng: Random) -> Any:
    from sea_eeg import recordings

    return recordings.render(phrase, style, rng)


BLUEPRINTS = [
    Blueprint(
        name="tiny",
        plugin="eeg",
        modality="eeg",
        description="0.4 million weights, trained on the toy world; bundled",
        build=_build,
        check=_check,
        render=_render,
    )
]

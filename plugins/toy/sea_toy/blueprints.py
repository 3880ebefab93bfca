"""The two blueprints that a bundled family has, tiny and small: the same steps for every modality."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from sea_core.plugin.blueprint import Blueprint, Report, Scores

if TYPE_CHECKING:
    from sea_toy.graft import GraftedStudent
    from sea_toy.student import Student

SMALL_LEAST = 0.75
"""Its short lessons do not make it exact; it is there for text that it was never taught."""


def blueprints(
    plugin: str,
    modality: str,
    tiny: Callable[[], Student],
    about_tiny: str,
    small: Callable[[], GraftedStudent],
    about_small: str,
) -> list[Blueprint]:
    """Return a family's blueprints. `tiny` and `small` import and make its pupils when a blueprint runs."""

    def build_tiny(out: Path, seed: int, report: Report) -> None:
        from sea_toy import build

        build.tiny(tiny(), out, seed, report)

    def check_tiny(folder: Path, seed: int) -> Scores:
        from sea_toy import build

        return build.check(tiny(), folder, seed, per_skill=200)

    def build_small(out: Path, seed: int, report: Report) -> None:
        from sea_toy import build

        build.small(small(), out, seed, report)

    def check_small(folder: Path, seed: int) -> Scores:
        from sea_core.model.placement import fastest_cpu_dtype
        from sea_toy import build

        return build.check(small(), folder, seed, dtype=fastest_cpu_dtype(), per_skill=48)

    def render(of: str, phrase: str, style: str, rng: Random) -> Any:
        pupil = tiny()
        one = next(one for one in (pupil, *pupil.also) if one.adapter.modality == of)
        return one.render(phrase, style, rng)

    return [
        Blueprint("tiny", plugin, modality, about_tiny, build_tiny, check_tiny, render=render),
        Blueprint("small", plugin, modality, about_small, build_small, check_small, min_score=SMALL_LEAST),
    ]

"""The two blueprints of a bundled family, `tiny` and `small`: the same steps for every modality."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from sea_core.errors import SeaError
from sea_core.plugin.blueprint import Blueprint, ReportLine, Scores

if TYPE_CHECKING:
    from sea_toy.graft import GraftedStudent
    from sea_toy.student import Student

SMALL_MIN_SCORE = 0.75
"""The short training does not make the answers exact; the model is there for text that it was not trained on."""


def make_tiny_blueprint(
    plugin: str,
    modality: str,
    tiny: Callable[[], Student],
    description: str,
    *,
    per_skill: int = 200,
    min_score: float = 0.95,
    name: str = "tiny",
) -> Blueprint:
    """Return the blueprint of a family's bundled model.

    Args:
        tiny: imports and creates the family's student. It is called only when a blueprint runs.
        per_skill: examples of each skill and modality in a check.
        min_score: the least ratio of exact answers.
        name: of the blueprint.
    """

    def build_tiny(out: Path, seed: int, report: ReportLine) -> None:
        from sea_toy import build

        build.build_tiny(tiny(), out, seed, report)

    def check_tiny(folder: Path, seed: int) -> Scores:
        from sea_toy import build

        return build.check(tiny(), folder, seed, per_skill=per_skill)

    def render(modality: str, phrase: str, style: str, rng: Random) -> Any:
        students = {student.adapter.modality: student for student in tiny().all_modalities}
        if modality not in students:
            raise SeaError(
                f"the toy world has no {modality} for the plugin {plugin}", hint=f"It has: {', '.join(students)}"
            )
        return students[modality].render(phrase, style, rng)

    return Blueprint(name, plugin, modality, description, build_tiny, check_tiny, min_score, render)


def make_blueprints(
    plugin: str,
    modality: str,
    tiny: Callable[[], Student],
    tiny_description: str,
    small: Callable[[], GraftedStudent],
    small_description: str,
) -> list[Blueprint]:
    """Return a family's blueprints.

    Args:
        tiny, small: import and create the family's students. They are called only when a blueprint runs.
    """

    def build_small(out: Path, seed: int, report: ReportLine) -> None:
        from sea_toy import build

        build.build_small(small(), out, seed, report)

    def check_small(folder: Path, seed: int) -> Scores:
        from sea_core.model.placement import fastest_cpu_dtype
        from sea_toy import build

        return build.check(small(), folder, seed, dtype=fastest_cpu_dtype(), per_skill=48)

    return [
        make_tiny_blueprint(plugin, modality, tiny, tiny_description),
        Blueprint("small", plugin, modality, small_description, build_small, check_small, min_score=SMALL_MIN_SCORE),
    ]

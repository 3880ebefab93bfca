"""The two recipes that a bundled family has, tiny and small: the same steps for every modality."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.recipe import Figures, Recipe, Report

if TYPE_CHECKING:
    from sea_core.demo.graft import GraftedPupil
    from sea_core.demo.pupil import Pupil

TINY_LIMITS = (
    "This bundled model knows only the demo world, 96 activities and 8 products: its tokenizer can write other text, "
    "but no embedding reaches it. For other text give --model a real checkpoint of the family, or build one around a "
    "real language model: sea model build small --plugin {plugin} --out DIR"
)
SMALL_LIMITS = (
    "This small model's language model has 135 million weights, in 4-bit precision before they were unpacked, and its "
    "encoder was taught the demo world only."
)


def recipes(
    modality: str,
    tiny: Callable[[], Pupil],
    about_tiny: str,
    small: Callable[[], GraftedPupil],
    about_small: str,
) -> list[Recipe]:
    """Return a family's recipes. `tiny` and `small` import and make its pupils when a recipe runs."""

    def build_tiny(out: Path, seed: int, report: Report) -> None:
        from sea_core.demo import build

        build.tiny(tiny(), out, seed, report)

    def check_tiny(folder: Path, seed: int) -> Figures:
        from sea_core.demo import build

        return build.check(tiny(), folder, seed, dtype="float32", per_skill=200)

    def build_small(out: Path, seed: int, report: Report) -> None:
        from sea_core.demo import build

        build.small(small(), out, seed, report)

    def check_small(folder: Path, seed: int) -> Figures:
        from sea_core.demo import build

        return build.check(small(), folder, seed, dtype="bfloat16", per_skill=48)

    return [
        Recipe("tiny", modality, about_tiny, build_tiny, check_tiny),
        Recipe("small", modality, about_small, build_small, check_small),
    ]

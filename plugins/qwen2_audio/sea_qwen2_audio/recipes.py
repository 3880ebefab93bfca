"""What `sea model build` can build for this plugin. What a recipe needs is imported when it runs."""

from __future__ import annotations

from pathlib import Path

from sea_core.recipe import Figures, Recipe, Report


def _build_tiny(out: Path, seed: int, report: Report) -> None:
    from sea_qwen2_audio import tiny

    tiny.build(out, seed, report)


def _check_tiny(folder: Path, seed: int) -> Figures:
    from sea_qwen2_audio import tiny

    return tiny.check(folder, seed)


def _build_small(out: Path, seed: int, report: Report) -> None:
    from sea_qwen2_audio import small

    small.build(out, seed, report)


def _check_small(folder: Path, seed: int) -> Figures:
    from sea_qwen2_audio import small

    return small.check(folder, seed)


RECIPES = [
    Recipe(
        "tiny", "audio", "1.2 million weights taught to hear the demo world; it is bundled", _build_tiny, _check_tiny
    ),
    Recipe("small", "audio", "SmolLM2-135M-Instruct with a new audio tower, for real text", _build_small, _check_small),
]

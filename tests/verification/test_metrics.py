"""Figures for each recipe, and rows that none solved."""

from __future__ import annotations

from typing import Any

from sea_core.verification.metrics import recipe_metrics, uncovered_examples


def record(row: str, recipe: str, steps: int, good: bool = True, seconds: float = 1.0) -> dict[str, Any]:
    status = "succeeded" if good else "failed"
    return {
        "id": f"{row}#{recipe}",
        "example_id": row,
        "recipe": recipe,
        "status": status,
        "steps": steps,
        "seconds": seconds,
    }


def test_figures_for_each_recipe() -> None:
    records = [
        record("a", "plain", 10),
        record("b", "plain", 20, seconds=3.0),
        record("c", "plain", 300, good=False, seconds=5.0),
        record("a", "noise", 300, good=False),
    ]
    assert recipe_metrics(records) == {
        "plain": {"done": 3, "succeeded": 2, "osr": 2 / 3, "steps_median": 15, "seconds_per_embedding": 3.0},
        "noise": {"done": 1, "succeeded": 0, "osr": 0.0, "steps_median": None, "seconds_per_embedding": 1.0},
    }


def test_a_row_is_covered_by_any_recipe() -> None:
    records = [
        record("a", "plain", 1, good=False),
        record("b", "plain", 1, good=False),
        record("a", "noise", 1),
        record("b", "noise", 1, good=False),
        record("c", "noise", 1),
    ]
    assert uncovered_examples(records) == ["b"]
    assert uncovered_examples([]) == []

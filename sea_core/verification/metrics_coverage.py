"""Figures for each recipe, and the rows that no recipe solved. Computed from stored records."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import Any

Record = dict[str, Any]


def by_recipe(records: Iterable[Record]) -> dict[str, dict[str, Any]]:
    """Return for each recipe: embeddings done and succeeded, their share, median steps, and mean seconds."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(record.get("recipe", "plain"), []).append(record)
    found = {}
    for recipe, mine in groups.items():
        good = [r for r in mine if r["status"] == "succeeded"]
        found[recipe] = {
            "done": len(mine),
            "succeeded": len(good),
            "osr": len(good) / len(mine),
            "steps_median": median(r["steps"] for r in good) if good else None,
            "seconds_per_row": sum(r["seconds"] for r in mine) / len(mine),
        }
    return found


def row_of(record: Record) -> str:
    """Return the id of the row that an embedding is of."""
    return str(record.get("row") or record["id"])


def uncovered(records: Iterable[Record]) -> list[str]:
    """Return the ids of the rows that were tried, and solved by no recipe in no draw: they teach nothing."""
    solved: dict[str, bool] = {}
    for record in records:
        row = row_of(record)
        solved[row] = solved.get(row, False) or record["status"] == "succeeded"
    return [row for row, good in solved.items() if not good]

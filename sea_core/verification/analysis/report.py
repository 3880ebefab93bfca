"""The figures of the second view, computed from its stored rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median, quantiles
from typing import Any

from sea_core.runs.statistics import ratio, wilson_interval
from sea_core.verification.analysis.distances import DISTANCES

ALL = "all"
"""The name of all recipes together."""

AnalysisRecord = dict[str, Any]


def distance_metrics(rows: Sequence[AnalysisRecord]) -> dict[str, dict[str, Any]]:
    """Return for all embeddings, and for each recipe where there are several, how each distance is spread."""
    groups = {ALL: list(rows)} | {recipe: [r for r in rows if r["recipe"] == recipe] for recipe in recipes(rows)}
    return {
        name: {"embeddings": len(mine)} | {figure: _spread([r[figure] for r in mine]) for figure in DISTANCES}
        for name, mine in groups.items()
    }


def probe_metrics(rows: Sequence[AnalysisRecord]) -> dict[str, dict[str, Any]]:
    """Return for each probe what share of the real media it reads.

    A medium counts if the probe knows its label; where harm is told, only if it is told to be benign. `chance` is what
    always saying the commonest of these media's labels would get.
    """
    found = {}
    for name in dict.fromkeys(row["fitted_on"] for row in rows):
        mine = [row for row in rows if row["fitted_on"] == name]
        harm_told = any(row["harmful"] is not None for row in mine)
        benign = [row for row in mine if row["harmful"] is False or not harm_told]
        tested = [row for row in benign if row["predicted"] is not None]
        right = sum(row["predicted"] == row["label"] for row in tested)
        common = Counter(row["label"] for row in tested).most_common(1)
        found[name] = {
            "accuracy": ratio(right, len(tested)),
            "interval": wilson_interval(right, len(tested)),
            "right": right,
            "tested": len(tested),
            "labels": len({row["label"] for row in tested}),
            "chance": ratio(common[0][1], len(tested)) if common else None,
            "embeddings": mine[0]["embeddings"],
            "classes": mine[0]["classes"],
            "not_benign": len(mine) - len(benign),
            "unknown": sorted({r["label"] for r in benign} - _known(tested)),
        }
    return found


def recipes(rows: Sequence[AnalysisRecord]) -> list[str]:
    """Return the recipes of the rows, none where there is only one."""
    found = list(dict.fromkeys(row["recipe"] for row in rows))
    return found if len(found) > 1 else []


def _known(rows: Sequence[AnalysisRecord]) -> set[str]:
    return {row["label"] for row in rows}


def _spread(values: Sequence[float | None]) -> dict[str, float] | None:
    """Return the median and the 10th and 90th percentile of the values that are defined."""
    defined = [value for value in values if value is not None]
    if not defined:
        return None
    tenths = quantiles(defined, n=10, method="inclusive") if len(defined) > 1 else defined
    return {"median": median(defined), "p10": tenths[0], "p90": tenths[-1]}

"""The metrics of the comparison with real media, computed from stored results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median, quantiles
from typing import Any, TypedDict

from sea_core.runs.records import DistanceRecord, ProbeRecord
from sea_core.runs.statistics import ratio, wilson_interval

ALL = "all"
"""The name of the group of all recipes."""


class Spread(TypedDict):
    """The median of a distance, and its 10th and 90th percentile."""

    median: float
    p10: float
    p90: float


class DistanceMetrics(TypedDict):
    """How each distance is distributed over a number of embeddings. None where it is undefined for all of them."""

    embeddings: int
    norm_ratio: Spread | None
    cosine_nearest: Spread | None
    cosine_mean: Spread | None
    centred_cosine: Spread | None


class ProbeMetrics(TypedDict):
    """The accuracy of one probe.

    `right` of `tested` media were predicted correctly. `chance` is the accuracy of always predicting the most frequent
    label. `not_benign` media and those with an `unknown` label were not tested.
    """

    accuracy: float | None
    interval: tuple[float, float] | None
    right: int
    tested: int
    labels: int
    chance: float | None
    embeddings: int
    classes: int
    not_benign: int
    unknown: list[str]


def distance_metrics(records: Sequence[DistanceRecord]) -> dict[str, DistanceMetrics]:
    """Return the distribution of each distance over all embeddings and, if there are several recipes, over each's."""
    groups = {ALL: list(records)}
    for recipe in list_recipes(records):
        groups[recipe] = [record for record in records if record["recipe"] == recipe]
    return {
        name: {
            "embeddings": len(group),
            "norm_ratio": _spread([record["norm_ratio"] for record in group]),
            "cosine_nearest": _spread([record["cosine_nearest"] for record in group]),
            "cosine_mean": _spread([record["cosine_mean"] for record in group]),
            "centred_cosine": _spread([record["centred_cosine"] for record in group]),
        }
        for name, group in groups.items()
    }


def probe_metrics(records: Sequence[ProbeRecord]) -> dict[str, ProbeMetrics]:
    """Return the accuracy of each probe on the real media.

    A medium is tested if the probe has its label and, where any medium says whether it is harmful, if it says that it
    is not.
    """
    names = dict.fromkeys(record["fitted_on"] for record in records)
    return {name: _probe_metrics([record for record in records if record["fitted_on"] == name]) for name in names}


def _probe_metrics(records: Sequence[ProbeRecord]) -> ProbeMetrics:
    harm_is_known = any(record["harmful"] is not None for record in records)
    benign = [record for record in records if record["harmful"] is False or not harm_is_known]
    tested = [record for record in benign if record["predicted"] is not None]
    right = sum(record["predicted"] == record["label"] for record in tested)
    labels = Counter(record["label"] for record in tested)
    return {
        "accuracy": ratio(right, len(tested)),
        "interval": wilson_interval(right, len(tested)),
        "right": right,
        "tested": len(tested),
        "labels": len(labels),
        "chance": ratio(max(labels.values()), len(tested)) if labels else None,
        "embeddings": records[0]["embeddings"],
        "classes": records[0]["classes"],
        "not_benign": len(records) - len(benign),
        "unknown": sorted({record["label"] for record in benign} - labels.keys()),
    }


def list_recipes(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the recipes of the records, in order of appearance; none if there is only one."""
    names = list(dict.fromkeys(record["recipe"] for record in records))
    return names if len(names) > 1 else []


def _spread(values: Sequence[float | None]) -> Spread | None:
    """Return how the values that are defined are distributed."""
    defined = [value for value in values if value is not None]
    if not defined:
        return None
    tenths = quantiles(defined, n=10, method="inclusive") if len(defined) > 1 else defined
    return {"median": median(defined), "p10": tenths[0], "p90": tenths[-1]}

"""How `sea verify --compare-with` prints the comparison of embeddings with real media."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.cli import output
from sea_core.errors import number_of

if TYPE_CHECKING:
    from sea_core.verification.analysis.comparison import ComparisonMetrics
    from sea_core.verification.analysis.report import ProbeMetrics, Spread

DISTANCES = {
    "norm_ratio": "norm ratio",
    "cosine_nearest": "cosine, nearest",
    "cosine_mean": "cosine, mean",
    "centred_cosine": "centred cosine",
}
SHOWN_LABELS = 5


def lines(metrics: ComparisonMetrics) -> list[tuple[str, str]]:
    """Return the distances over all embeddings, each recipe's medians, and the accuracy of each probe."""
    found = [
        ("real media", f"{number_of(metrics['files'], 'file')} in {metrics['media']}, {metrics['labelled']} labelled")
    ]
    (_, overall), *by_recipe = metrics["distances"].items()
    found += [(name, _spread(overall[key])) for key, name in DISTANCES.items()]  # type: ignore[literal-required]
    for recipe, distances in by_recipe:
        medians = (f"{name} {_median(distances[key])}" for key, name in DISTANCES.items())  # type: ignore[literal-required]
        found.append((f"medians, {recipe}", "; ".join(medians)))
    for recipe, probe in metrics["probes"].items():
        found.append(("probe" if recipe == "all" else f"probe, {recipe}", _probe(probe)))
    return found


def notes(metrics: ComparisonMetrics) -> None:
    """Note why no probe was fitted, or which media it was not tested on."""
    from sea_core.verification.analysis.labels import EXAMPLE, METADATA_FILE

    if not metrics["labelled"]:
        output.note(
            f"no medium has a label, so no probe was fitted. Write {Path(metrics['media']) / METADATA_FILE}, one line "
            f'per medium: {EXAMPLE}; a "label" may replace the phrase, and "harmful": false may be added'
        )
    elif not metrics["probes"]:
        output.note("no probe was fitted: the embeddings of this run have fewer than two labels")
    for probe in list(metrics["probes"].values())[:1]:  # the one that is fitted on all embeddings
        if unknown := probe["unknown"]:
            listed = ", ".join(unknown[:SHOWN_LABELS]) + (", ..." if len(unknown) > SHOWN_LABELS else "")
            output.note(f"probe: not tested on labels that no embedding has: {listed}")
        if probe["not_benign"]:
            output.note(f"probe: not tested on {probe['not_benign']} media that are not marked as benign")


def _median(spread: Spread | None) -> str:
    return "-" if spread is None else f"{spread['median']:.3f}"


def _spread(spread: Spread | None) -> str:
    return "-" if spread is None else "median {median:.3f}, 10 to 90 %: {p10:.3f} to {p90:.3f}".format(**spread)


def _probe(probe: ProbeMetrics) -> str:
    if probe["accuracy"] is None or probe["interval"] is None:
        return "-   (no medium has a label that an embedding has)"
    low, high = probe["interval"]
    counts = f"{probe['right']} of {probe['tested']} media, {number_of(probe['labels'], 'label')}"
    accuracy = f"{probe['accuracy']:.3f}   95 %: {low:.3f} to {high:.3f}   chance: {probe['chance']:.3f}"
    return f"{accuracy}   ({counts}; fitted on {number_of(probe['embeddings'], 'embedding')})"

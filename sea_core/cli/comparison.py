"""How `sea verify --compare-with` prints the comparison of embeddings with real media."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sea_core.cli import output

NAMES = {
    "norm_ratio": "norm ratio",
    "cosine_nearest": "cosine, nearest",
    "cosine_mean": "cosine, mean",
    "centred_cosine": "centred cosine",
}


def lines(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the figures as lines of the report: how they are spread over all embeddings, and each recipe's medians."""
    found = [("real media", f"{figures['files']} files in {figures['media']}, {figures['labelled']} labelled")]
    every, *of_recipes = figures["distances"].items()
    found += [(name, _spread(every[1][key])) for key, name in NAMES.items()]
    for recipe, of in of_recipes:
        medians = (f"{name} {_median(of[key])}" for key, name in NAMES.items())
        found.append((f"medians, {recipe}", "; ".join(medians)))
    return found + [(_named("probe", recipe), _probe(of)) for recipe, of in figures["probes"].items()]


def notes(figures: Mapping[str, Any]) -> None:
    """Say on stderr why there is no probe, or what it left out."""
    from sea_core.verification.analysis.labels import EXAMPLE, METADATA_FILE

    if not figures["labelled"]:
        output.note(
            f"no medium has a label, so no probe was fitted. Write {Path(figures['media']) / METADATA_FILE}, a line "
            f'for each medium: {EXAMPLE}; instead of the phrase it may give a "label", and it may say "harmful": false'
        )
    elif not figures["probes"]:
        output.note("no probe was fitted: the embeddings of this run have fewer than two labels")
    for of in list(figures["probes"].values())[:1]:  # the one that all embeddings are in
        if of["unknown"]:
            some = ", ".join(of["unknown"][:5]) + (", ..." if len(of["unknown"]) > 5 else "")
            output.note(f"probe: not tested on labels that no embedding has: {some}")
        if of["not_benign"]:
            output.note(f"probe: {of['not_benign']} media that are not told to be benign were left out")


def _named(figure: str, recipe: str) -> str:
    return figure if recipe == "all" else f"{figure}, {recipe}"


def _median(of: Mapping[str, float] | None) -> str:
    return "-" if of is None else f"{of['median']:.3f}"


def _spread(of: Mapping[str, float] | None) -> str:
    return "-" if of is None else "median {median:.3f}, 10 to 90 %: {p10:.3f} to {p90:.3f}".format(**of)


def _probe(of: Mapping[str, Any]) -> str:
    if of["accuracy"] is None:
        return "-   (no medium has a label that an embedding has)"
    low, high = of["interval"]
    told = f"{of['right']} of {of['tested']} media, {of['labels']} labels; fitted on {of['embeddings']} embeddings"
    return f"{of['accuracy']:.3f}   95 %: {low:.3f} to {high:.3f}   chance: {of['chance']:.3f}   ({told})"

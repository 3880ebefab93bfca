"""A blueprint builds a small model, so that users can try a plugin offline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

ReportLine = Callable[[str], None]
Scores = Mapping[str, float]


@dataclass(frozen=True)
class Blueprint:
    """A model that `sea toy build NAME --plugin PLUGIN` can build.

    Attributes:
        name: what the user types.
        plugin: the name of the plugin whose adapter uses the model.
        modality: the modality of the model.
        description: one line.
        build: build(folder, seed, report) writes the model, in the form that transformers loads, and `sea.json`.
            `report` takes lines of progress.
        check: check(folder, seed) loads the model again and returns its metrics, each from 0 to 1.
        min_score: the value that every metric must reach for the build to pass.
        render: render(modality, phrase, style, rng) returns a new medium of the toy world, in the form that the
            adapter's `inputs` takes. Optional: the spot check of `sea toy align` shows such media.
    """

    name: str
    plugin: str
    modality: str
    description: str
    build: Callable[[Path, int, ReportLine], None]
    check: Callable[[Path, int], Scores]
    min_score: float = 0.95
    render: Callable[[str, str, str, Random], Any] | None = None

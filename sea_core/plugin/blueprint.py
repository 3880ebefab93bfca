"""A blueprint builds a small model that a plugin's users can try things on, offline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

Report = Callable[[str], None]
Scores = Mapping[str, float]


@dataclass(frozen=True)
class Blueprint:
    """What `sea toy build NAME --plugin PLUGIN` can build.

    Attributes:
        name: what the user types.
        plugin: the plugin whose model it builds.
        modality: of the model that comes out.
        description: one line.
        build: (folder, seed, report) writes the model, in the form transformers loads, and `sea.json`.
        check: (folder, seed) loads it again and returns its figures, each a share in [0, 1].
        least: the figure that a build must reach to be called good.
        render: (modality, phrase, style, rng) returns a fresh medium of the demo world, in the form that the adapter's
            `inputs` takes: what `sea align` looks at before and after. Optional.
    """

    name: str
    plugin: str
    modality: str
    description: str
    build: Callable[[Path, int, Report], None]
    check: Callable[[Path, int], Scores]
    min_score: float = 0.95
    render: Callable[[str, str, str, Random], Any] | None = None

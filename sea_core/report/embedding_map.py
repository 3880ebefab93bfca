"""The map of real and synthetic embeddings: the mean feature of each, on the two main axes of all (PCA)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sea_core.report.content import Plot
from sea_core.report.rows import sample_rows
from sea_core.report.svg import Point, scatter
from sea_core.runs.embedding_record import EmbeddingRecord
from sea_core.runs.embedding_run import EmbeddingRun

MAX_POINTS = 400
"""Of a run: more would hide each other."""


@dataclass(frozen=True)
class MappedRun:
    """A run on the map, and where on the page the rows of its embeddings are, by the embedding's id."""

    run: EmbeddingRun
    label: str
    anchors: dict[str, str]


def embedding_map(runs: Sequence[MappedRun]) -> Plot | None:
    """Draw the embeddings of runs that belong to one model, real and synthetic; None if there are not both.

    Raises:
        RunError: an embedding is damaged.
    """
    names: list[str] = []
    found: list[tuple[int, EmbeddingRecord, str, Tensor]] = []
    total = 0
    for mapped in runs:
        records = [record for record in mapped.run.records() if record["sha256"]]
        total += len(records)
        for record in sample_rows(records, MAX_POINTS, lambda record: (record["harmful"], record["recipe"])):
            name = _series(mapped, record)
            if name not in names:
                names.append(name)
            features = mapped.run.load(record["id"])[0]
            anchor = mapped.anchors.get(record["id"], "")
            found.append((names.index(name), record, anchor, features.cpu().double().mean(0)))
    sources = {record["source"] for _, record, _, _ in found}
    widths = {len(mean) for *_, mean in found}
    if len(sources) < 2 or len(widths) != 1:
        return None
    axes, explained = principal_axes(torch.stack([mean for *_, mean in found]))
    points = [
        Point(x, y, series, f"{record['id']} ({names[series]})", anchor)
        for (series, record, anchor, _), (x, y) in zip(found, axes.tolist(), strict=True)
    ]
    shown = "" if len(points) == total else f" {len(points)} of {total} embeddings are drawn."
    part = " and ".join(f"{value:.0%}" for value in explained)
    note = f"The two axes have {part} of the variance.{shown} A point leads to its row."
    svg = scatter(points, names, "first axis", "second axis")
    return Plot("Real and synthetic embeddings: their mean features on the two main axes (PCA)", svg, note)


def _series(mapped: MappedRun, record: EmbeddingRecord) -> str:
    kind = "real" if record["source"] == "media" else "synthetic"
    return f"{kind}, {'harmful' if record['harmful'] else 'benign'}"


def principal_axes(means: Tensor) -> tuple[Tensor, list[float]]:
    """Return the coordinates of vectors, (n, 2), on their two main axes, and the part of the variance of each.

    Args:
        means: (n, d).
    """
    centred = torch.nan_to_num(means - means.mean(0))
    left, sizes, _ = torch.linalg.svd(centred, full_matrices=False)
    coordinates = torch.zeros(len(means), 2, dtype=means.dtype)
    count = min(2, len(sizes))
    coordinates[:, :count] = left[:, :count] * sizes[:count]
    total = sizes.square().sum().item() or 1.0
    return coordinates, [value / total for value in sizes[:count].square().tolist()]

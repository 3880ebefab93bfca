"""What is looked at, stored row by row in quality.jsonl, and not looked at again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from sea_core.model.embedding import Embedding
from sea_core.model.media_folder import encode_files
from sea_core.model.mllm import MLLM
from sea_core.runs.atomic import sha256
from sea_core.runs.jsonl import JsonlLog
from sea_core.verification.analysis.config import AnalysisConfig
from sea_core.verification.analysis.distances import EmbeddingSummary, ReferenceSet, summarise
from sea_core.verification.analysis.labels import LabelledMedia, LabelledMedium, flat, make_label
from sea_core.verification.analysis.linear_probe import LinearProbe, feature
from sea_core.verification.analysis.report import ALL, AnalysisRecord, distance_metrics, probe_metrics, recipes

AT_ONCE = 64
"""Embeddings between two writes."""


@dataclass(frozen=True, eq=False)
class MediaComparison:
    """The embeddings of a run beside a folder of real media.

    Attributes:
        records: the run's records, of which those that succeeded count. load: gives an embedding by its id.
        journal: where rows are kept. Those of other media, other labels or other settings stay, and count for those.
    """

    records: Sequence[AnalysisRecord]
    load: Callable[[str], Embedding]
    real: LabelledMedia
    journal: JsonlLog
    config: AnalysisConfig = field(default_factory=AnalysisConfig)

    @cached_property
    def good(self) -> list[AnalysisRecord]:
        return [{"recipe": "plain"} | record for record in self.records if record["status"] == "succeeded"]

    @cached_property
    def labels(self) -> dict[str, str]:
        """The label of each labelled medium. A phrase that is a product of the run is read as one."""
        products = {flat(r["phrase"]) for r in self.good if r["kind"] == "product"}
        found = {medium.name: self._label(medium, products) for medium in self.real.media}
        return {name: label for name, label in found.items() if label}

    @staticmethod
    def _label(medium: LabelledMedium, products: set[str]) -> str:
        phrase = flat(medium.phrase)
        return flat(medium.label) or (phrase and make_label(phrase, "product" if phrase in products else "activity"))

    @cached_property
    def fit(self) -> str:
        """What the probes follow from, as a digest: media, labels, embeddings, settings."""
        told = [(m.name, self.labels.get(m.name), m.harmful) for m in self.real.media]
        made = [(r["id"], r["sha256"], make_label(r["phrase"], r["kind"])) for r in self.good]
        return sha256(json.dumps([self.real.digest, told, made, self.config.layer, self.config.l2]).encode())[:16]

    # --- what is there, and what is left ----------------------------------------------------------------------------

    def distance_rows(self) -> dict[str, AnalysisRecord]:
        """Return the stored distances to these media, by the id of the embedding."""
        mine = {r["id"]: r for r in self.journal.read() if r["what"] == "distance" and r["media"] == self.real.digest}
        return {record["id"]: mine[record["id"]] for record in self.good if record["id"] in mine}

    def probe_rows(self) -> list[AnalysisRecord]:
        """Return what the probes read; none if the rows of this fit are not all there."""
        mine = [row for row in self.journal.read() if row["what"] == "probe" and row["fit"] == self.fit]
        rows = {(row["fitted_on"], row["medium"]): row for row in mine}
        return list(rows.values()) if len(rows) == len(self.labels) * len(self.groups()) else []

    def groups(self) -> dict[str, list[AnalysisRecord]]:
        """Return what a probe is fitted on: all embeddings, and those of each recipe; two labels are the least."""
        of = {ALL: self.good} | {name: [r for r in self.good if r["recipe"] == name] for name in recipes(self.good)}
        return {name: mine for name, mine in of.items() if len({make_label(r["phrase"], r["kind"]) for r in mine}) > 1}

    def probing(self) -> bool:
        """Tell whether there are probes to fit that are not stored."""
        return bool(self.labels and self.groups()) and not self.probe_rows()

    def wanted(self) -> list[AnalysisRecord]:
        """Return the records whose embeddings are still to be looked at; a probe needs all of them."""
        there = self.distance_rows()
        return self.good if self.probing() else [record for record in self.good if record["id"] not in there]

    def remaining(self) -> int:
        """Return how many media and embeddings are still to be looked at."""
        wanted = len(self.wanted())
        return wanted and len(self.real.media) + wanted

    def metrics(self) -> dict[str, Any]:
        """Return the figures, all of them from stored rows."""
        return {
            "media": str(self.real.folder),
            "digest": self.real.digest,
            "files": len(self.real.media),
            "labelled": len(self.labels),
            "distances": distance_metrics(list(self.distance_rows().values())),
            "probes": probe_metrics(self.probe_rows()),
        }

    # --- looking ----------------------------------------------------------------------------------------------------

    def compute(self, mllm: MLLM) -> Iterator[int]:
        """Do what is left. Yields how many media and embeddings were looked at.

        Distances are kept as they are found. The probes need every embedding, so a stop before they are fitted
        makes the next call read all of them again.

        Raises:
            DataError: a medium cannot be read. RunError: an embedding cannot.
        """
        wanted, probing, there = self.wanted(), self.probing(), self.distance_rows()
        if not wanted:
            return
        points: list[EmbeddingSummary] = []
        read: dict[str, Tensor] = {}
        made: dict[str, Tensor] = {}
        for medium, embedding in zip(self.real.media, self._encoded(mllm), strict=True):
            points.append(summarise(embedding))
            if probing and medium.name in self.labels:
                read[medium.name] = feature(mllm, embedding, self.config.layer)
            yield 1
        beside = ReferenceSet(points)
        for begin in range(0, len(wanted), AT_ONCE):
            some = wanted[begin : begin + AT_ONCE]
            fresh = []
            for record in some:
                embedding = self.load(record["id"])
                if probing:
                    made[record["id"]] = feature(mllm, embedding, self.config.layer)
                if record["id"] not in there:
                    fresh.append(self._distance_row(record, beside.distances(summarise(embedding))))
            self.journal.append(fresh)
            yield len(some)
        if probing:
            probes = [self._probe_rows(name, mine, made, read) for name, mine in self.groups().items()]
            self.journal.append(row for rows in probes for row in rows)

    def _encoded(self, mllm: MLLM) -> Iterator[Embedding]:
        return encode_files(mllm, [medium.path for medium in self.real.media])

    def _distance_row(self, record: AnalysisRecord, distances: AnalysisRecord) -> AnalysisRecord:
        nearest = self.real.media[distances["nearest"]].name
        told = {"what": "distance", "media": self.real.digest, "id": record["id"], "recipe": record["recipe"]}
        return told | distances | {"nearest": nearest}

    def _probe_rows(
        self, name: str, mine: Sequence[AnalysisRecord], made: Mapping[str, Tensor], read: Mapping[str, Tensor]
    ) -> Iterator[AnalysisRecord]:
        """Fit a probe on what was made, by the embeddings of `mine`, and give what it says of what was read."""
        labels = [make_label(record["phrase"], record["kind"]) for record in mine]
        probe = LinearProbe(torch.stack([made[record["id"]] for record in mine]), labels, self.config.l2)
        said = dict(zip(read, probe.predict(torch.stack(list(read.values()))), strict=True))
        for medium in self.real.media:
            if label := self.labels.get(medium.name):
                yield {
                    "what": "probe",
                    "fit": self.fit,
                    "media": self.real.digest,
                    "fitted_on": name,
                    "embeddings": len(mine),
                    "classes": len(probe.classes),
                    "medium": medium.name,
                    "label": label,
                    "harmful": medium.harmful,
                    "predicted": said[medium.name] if label in probe.classes else None,
                }

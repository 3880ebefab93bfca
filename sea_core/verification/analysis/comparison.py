"""Compares the embeddings of a run with real media. Results are stored one by one in analysis.jsonl and reused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypedDict

import torch
from torch import Tensor

from sea_core.model.embedding import Embedding
from sea_core.model.media_folder import encode_files
from sea_core.model.mllm import MLLM
from sea_core.runs.digests import sha256
from sea_core.runs.embedding_record import EmbeddingRecord
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.records import AnalysisRecord, DistanceRecord, ProbeRecord
from sea_core.verification.analysis.config import AnalysisConfig
from sea_core.verification.analysis.distances import EmbeddingSummary, ReferenceSet, summarise
from sea_core.verification.analysis.labels import LabelledMedia, LabelledMedium, make_label, normalise
from sea_core.verification.analysis.linear_probe import LinearProbe, compute_feature
from sea_core.verification.analysis.report import (
    ALL,
    DistanceMetrics,
    ProbeMetrics,
    distance_metrics,
    list_recipes,
    probe_metrics,
)

BATCH = 64
"""Embeddings whose distances are written to disk together."""


class ComparisonMetrics(TypedDict):
    """The comparison of a run with a folder of media, as `sea verify --json` prints it."""

    media: str
    digest: str
    files: int
    labelled: int
    distances: dict[str, DistanceMetrics]
    probes: dict[str, ProbeMetrics]


@dataclass(frozen=True, eq=False)
class MediaComparison:
    """The successful embeddings of a run and a folder of real media.

    Attributes:
        records: the records of the run.
        load: loads an embedding by its id.
        media: the real media, with labels where metadata.jsonl has some.
        log: where results are stored. It may also have results for other media, labels or settings.
    """

    records: Sequence[EmbeddingRecord]
    load: Callable[[str], Embedding]
    media: LabelledMedia
    log: JsonlLog[AnalysisRecord]
    config: AnalysisConfig = field(default_factory=AnalysisConfig)

    @cached_property
    def succeeded(self) -> list[EmbeddingRecord]:
        return [record for record in self.records if record["status"] == "succeeded"]

    @cached_property
    def labels(self) -> dict[str, str]:
        """The label of each labelled medium, by its name. A phrase is a product if it is one in the run."""
        products = {normalise(record["phrase"]) for record in self.succeeded if record["kind"] == "product"}
        labels = {medium.name: _media_label(medium, products) for medium in self.media.media}
        return {name: label for name, label in labels.items() if label}

    @cached_property
    def probe_digest(self) -> str:
        """Digest of everything that the probes depend on: media, labels, embeddings and settings."""
        media = [(medium.name, self.labels.get(medium.name), medium.harmful) for medium in self.media.media]
        embeddings = [(record["id"], record["sha256"], _record_label(record)) for record in self.succeeded]
        parts = [self.media.digest, media, embeddings, self.config.layer, self.config.l2]
        return sha256(json.dumps(parts).encode())[:16]

    # --- what is stored, and what is pending --------------------------------------------------------------------------

    def stored_distances(self) -> dict[str, DistanceRecord]:
        """Return the stored distances to these media, by the id of the embedding."""
        stored = {
            record["id"]: record
            for record in self.log.read()
            if record["what"] == "distance" and record["media"] == self.media.digest
        }
        return {record["id"]: stored[record["id"]] for record in self.succeeded if record["id"] in stored}

    def stored_predictions(self) -> list[ProbeRecord]:
        """Return the stored predictions of the probes; none if they are incomplete."""
        stored = {
            (record["fitted_on"], record["medium"]): record
            for record in self.log.read()
            if record["what"] == "probe" and record["fit"] == self.probe_digest
        }
        return list(stored.values()) if len(stored) == len(self.labels) * len(self.probe_groups()) else []

    def probe_groups(self) -> dict[str, list[EmbeddingRecord]]:
        """Return the groups of embeddings, all and each recipe's, that have at least two labels to fit a probe on."""
        groups = {ALL: self.succeeded}
        for recipe in list_recipes(self.succeeded):
            groups[recipe] = [record for record in self.succeeded if record["recipe"] == recipe]
        return {name: group for name, group in groups.items() if len(set(map(_record_label, group))) > 1}

    def probes_pending(self) -> bool:
        """Return whether there are probes to fit whose predictions are not stored."""
        return bool(self.labels and self.probe_groups()) and not self.stored_predictions()

    def pending(self) -> list[EmbeddingRecord]:
        """Return the records whose embeddings must be read: all of them if probes are pending."""
        stored = self.stored_distances()
        return self.succeeded if self.probes_pending() else [r for r in self.succeeded if r["id"] not in stored]

    def remaining(self) -> int:
        """Return the number of media and embeddings that `compute` will read."""
        pending = len(self.pending())
        return pending and len(self.media.media) + pending

    def metrics(self) -> ComparisonMetrics:
        """Return the metrics, all computed from stored results."""
        return {
            "media": str(self.media.folder),
            "digest": self.media.digest,
            "files": len(self.media.media),
            "labelled": len(self.labels),
            "distances": distance_metrics(list(self.stored_distances().values())),
            "probes": probe_metrics(self.stored_predictions()),
        }

    # --- computing ----------------------------------------------------------------------------------------------------

    def compute(self, mllm: MLLM) -> Iterator[int]:
        """Compute and store what is pending. Yields how many media and embeddings were read.

        Distances are stored as they are computed. The probes need every embedding: if this is stopped before they are
        fitted, the next call reads all embeddings again.

        Raises:
            DataError: a medium cannot be read.
            RunError: an embedding cannot be read.
        """
        pending = self.pending()
        if not pending:
            return
        probes_pending, stored = self.probes_pending(), self.stored_distances()
        summaries: list[EmbeddingSummary] = []
        media_features: dict[str, Tensor] = {}
        for medium, embedding in zip(self.media.media, self._encode_media(mllm), strict=True):
            summaries.append(summarise(embedding))
            if probes_pending and medium.name in self.labels:
                media_features[medium.name] = compute_feature(mllm, embedding, self.config.layer)
            yield 1
        reference = ReferenceSet(summaries)
        features: dict[str, Tensor] = {}
        for start in range(0, len(pending), BATCH):
            batch = pending[start : start + BATCH]
            distances: list[DistanceRecord] = []
            for record in batch:  # one embedding in memory at a time
                embedding = self.load(record["id"])
                if probes_pending:
                    features[record["id"]] = compute_feature(mllm, embedding, self.config.layer)
                if record["id"] not in stored:
                    distances.append(self._distance_record(record, embedding, reference))
            self.log.append(distances)
            yield len(batch)
        if probes_pending:
            self._store_predictions(features, media_features)

    def _encode_media(self, mllm: MLLM) -> Iterator[Embedding]:
        return encode_files(mllm, [medium.path for medium in self.media.media])

    def _distance_record(
        self, record: EmbeddingRecord, embedding: Embedding, reference: ReferenceSet
    ) -> DistanceRecord:
        distances = reference.distances(summarise(embedding))
        return {
            "what": "distance",
            "media": self.media.digest,
            "id": record["id"],
            "recipe": record["recipe"],
            "norm_ratio": distances.norm_ratio,
            "cosine_nearest": distances.cosine_nearest,
            "cosine_mean": distances.cosine_mean,
            "centred_cosine": distances.centred_cosine,
            "nearest": self.media.media[distances.nearest].name,
        }

    def _store_predictions(self, features: Mapping[str, Tensor], media_features: Mapping[str, Tensor]) -> None:
        """Fit all probes and store what they predict for the labelled media, in one write."""
        predictions = [
            prediction
            for name, group in self.probe_groups().items()
            for prediction in self._predict(name, group, features, media_features)
        ]
        self.log.append(predictions)

    def _predict(
        self,
        name: str,
        group: Sequence[EmbeddingRecord],
        features: Mapping[str, Tensor],
        media_features: Mapping[str, Tensor],
    ) -> Iterator[ProbeRecord]:
        """Fit a probe on the features of a group of embeddings. Yields its prediction for each labelled medium."""
        labels = [_record_label(record) for record in group]
        probe = LinearProbe(torch.stack([features[record["id"]] for record in group]), labels, self.config.l2)
        predicted = probe.predict(torch.stack(list(media_features.values())))
        by_name = dict(zip(media_features, predicted, strict=True))
        for medium in self.media.media:
            if label := self.labels.get(medium.name):
                yield {
                    "what": "probe",
                    "fit": self.probe_digest,
                    "media": self.media.digest,
                    "fitted_on": name,
                    "embeddings": len(group),
                    "classes": len(probe.classes),
                    "medium": medium.name,
                    "label": label,
                    "harmful": medium.harmful,
                    "predicted": by_name[medium.name] if label in probe.classes else None,
                }


def _record_label(record: EmbeddingRecord) -> str:
    return make_label(record["phrase"], record["kind"])


def _media_label(medium: LabelledMedium, products: set[str]) -> str:
    """Return the label of a medium: as given, or that of its phrase; empty if it has neither."""
    phrase = normalise(medium.phrase)
    kind = "product" if phrase in products else "activity"
    return normalise(medium.label) or (phrase and make_label(phrase, kind))

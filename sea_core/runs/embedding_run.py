"""A run folder of embeddings: those that `sea optimize` found from text, or those that `sea encode` stored.

docs/reference/run-folder.md describes every file and key.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypedDict

from pydantic import JsonValue

from sea_core.runs.atomic import write_text
from sea_core.runs.block_folder import BlockFolder
from sea_core.runs.blocks import SETTLED, TRIAL_KEY, TRIALS, Blocks
from sea_core.runs.embedding_record import EmbeddingRecord, ResultRecord, read_grid
from sea_core.runs.folder import RunFolder
from sea_core.runs.folder_kind import RUN
from sea_core.runs.inventory import Damage
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.manifest import DataIdentity, Manifest, ModelIdentity, ModelLocation
from sea_core.runs.records import (
    STORED_ANALYSIS,
    AnalysisRecord,
    AuditRecord,
    ContentVerdict,
    HeldOutAnswer,
    TrialRecord,
)
from sea_core.runs.store import Store

if TYPE_CHECKING:
    from torch import Tensor

AnswerKey = tuple[str, str, str]
"""What an answer and its verdicts have in common: the embedding's id, the question, the answer."""


@dataclass(frozen=True)
class EmbeddingIdentity:
    """All that must be the same for a run of embeddings to be resumed.

    Attributes:
        sea: the version of sea-core.
        source: `text` for synthetic embeddings, `media` for those of real media. The fields below are for `text`.
        extractor: the extractor and its settings.
        config: the settings of the optimisation that change an embedding.
        recipes: the settings of each recipe, by name.
        benign_media: the digest of the benign media; None without.
        styles: the style set, where it is not the adapter's.
    """

    sea: str
    model: ModelIdentity
    data: DataIdentity
    source: Literal["text", "media"]
    extractor: Mapping[str, JsonValue] = field(default_factory=dict)
    config: Mapping[str, JsonValue] = field(default_factory=dict)
    recipes: Mapping[str, JsonValue] = field(default_factory=dict)
    benign_media: str | None = None
    styles: tuple[str, ...] = ()


@dataclass(frozen=True)
class EmbeddingMetadata:
    """What else is known of a run of embeddings, as the last command knew it.

    Attributes:
        purpose: what the embeddings are for, as text.
        model: where plugin and model were found. data_path: where the data was found.
        limits: what the model's card says that it cannot do.
        embeddings: how many embeddings were requested.
        skipped: examples that preparation skipped.
        invalid: records that could not be read. skip_counts: records that the format skipped, by reason.
        unlabelled: examples without the label "harmful", which count as harmful.
    """

    purpose: str
    model: ModelLocation
    data_path: str
    embeddings: int
    limits: str = ""
    skipped: int = 0
    invalid: int = 0
    skip_counts: Mapping[str, int] = field(default_factory=dict)
    unlabelled: int = 0


@dataclass(frozen=True)
class ResolvedSettings:
    """What was found where the settings left it open. A resumed run uses the same `lr`, `margin` and start.

    Attributes:
        lr: the learning rate. margin: the margin, in logits. batch_size: embeddings optimised at a time.
        start: with `start=solved` the digest of the E that embeddings after the first ones start at.
        mechanism: how E reaches the language model, `splice` or `replay`.
        forward: `packed`, `packed-backbone` or `sequential`. fallback_reason: why it is `sequential`.
        compiled: whether the decoder's layers were compiled. compile_reason: why they were not.
    """

    lr: float | None = None
    margin: float | None = None
    batch_size: int | None = None
    start: str | None = None
    mechanism: str | None = None
    forward: str | None = None
    fallback_reason: str | None = None
    compiled: bool | None = None
    compile_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class EmbeddingManifest(Manifest):
    """The manifest of a run of embeddings, `run.json`."""

    kind: Literal["embeddings"] = "embeddings"
    identity: EmbeddingIdentity
    metadata: EmbeddingMetadata
    resolved: ResolvedSettings = ResolvedSettings()


class SkippedExampleRecord(TypedDict):
    """An example that preparation skipped: its id, its line in the data file, why, and its instruction."""

    id: str
    line: int | None
    reason: str
    instruction: str


class EmbeddingRun(RunFolder[EmbeddingManifest]):
    """An opened run folder of embeddings. One process at a time writes, inside `with run.writing():`.

    Attributes:
        store: the records and tensors. blocks: what is still to be done.
        answers: to held-out questions. verdicts: of judges on these answers.
        audits: real generation from a few embeddings. tuning: the trials of `lr=auto`.
        analysis: comparisons with real media.
    """

    MANIFEST_TYPE: ClassVar[type[Manifest]] = EmbeddingManifest
    MANIFEST_NAME = RUN.manifest
    NOUN = "run folder"
    COMMAND = "sea optimize"
    OTHER_COMMANDS = ("sea encode",)

    def open_files(self) -> None:
        folder = self.folder
        self.store = Store(folder)
        self.blocks = Blocks(folder)
        self.answers = JsonlLog(folder / "verify.jsonl", HeldOutAnswer, key=("id", "question"))
        self.verdicts = JsonlLog(folder / "verdicts.jsonl", ContentVerdict, key=("id", "question", "answer", "judge"))
        self.audits = JsonlLog(folder / "audit.jsonl", AuditRecord, key=("id",))
        self.tuning = JsonlLog(folder / TRIALS, TrialRecord, key=TRIAL_KEY)
        self.analysis: JsonlLog[AnalysisRecord] = JsonlLog(folder / "analysis.jsonl", STORED_ANALYSIS)

    def journals(self) -> Sequence[JsonlLog[Any]]:
        return self.answers, self.verdicts, self.audits, self.tuning, self.analysis

    def damage(self) -> Sequence[Damage]:
        found = [*super().damage(), *self.store.damage]
        return list({damage.path: damage for damage in found}.values())

    @contextmanager
    def writing(self, *, makes_embeddings: bool = False) -> Iterator[None]:
        """Lock the folder for this process.

        Args:
            makes_embeddings: damaged embeddings are put aside, to be made again.

        Raises:
            RunError: another process has locked the folder.
        """
        with super().writing():
            self.store = Store(self.folder)
            if makes_embeddings:
                self.blocks.put_aside_damage()
                self.join_blocks()
                self.store.put_aside_damage()
            yield
            self.store.flush()

    def can_be_replaced(self) -> bool:
        store = Store(self.folder)  # what is intact of damaged files is kept, so it counts as a result
        return not store.ids() and not store.damage and not self.blocks.has_results_to_join()

    def discard(self) -> None:
        for journal in self.journals():
            journal.path.unlink(missing_ok=True)
        self.blocks.discard()

    def join_blocks(self) -> None:
        """Move what workers have finished to the run's own files: parts, audits, and what they settled on."""
        finished = self.blocks.finished()  # once: the audits of a block must be stored before it is joined
        self._join_audits(finished)
        self.store.join_blocks(finished)
        self.resolve(self.blocks.read(SETTLED, ResolvedSettings) or self.manifest.resolved)

    def _join_audits(self, finished: Sequence[BlockFolder]) -> None:
        """Store the audits of finished blocks. After a kill some of them may be stored, and their blocks not joined."""
        found = [each for block in finished for each in self.audits.elsewhere(block.path).read(skip_damaged=True)]
        known = self.audits.read(skip_damaged=True) if found else []
        if new := [each for each in found if each not in known]:
            self.audits.append(new)

    def _data_path(self, requested: EmbeddingManifest) -> str:
        return requested.metadata.data_path

    def _remaining_results(self) -> str:
        names = (name for _, _, names in os.walk(self.folder) for name in names)  # workers may move them
        found = any(name.endswith(".safetensors") for name in names)
        return "The embeddings are still in the folder (*.safetensors)." if found else ""

    def resolve(self, settings: ResolvedSettings) -> None:
        """Store what was found for this run where its settings are `auto`."""
        if settings != self.manifest.resolved:
            self._write(replace(self.manifest, resolved=settings))

    def write_skipped(self, records: Iterable[SkippedExampleRecord]) -> None:
        """Store the examples that were not prepared, in place of those of an earlier command."""
        path = self.folder / "skipped.jsonl"
        write_text(path, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))
        self.store.inventory.add([path])

    def add(self, record: ResultRecord, features: Tensor | None) -> None:
        """Store a result; it is on disk when this returns.

        Args:
            features: (n_features, d_encoder); None where there is no embedding.
        """
        self.store.append(record, features)

    def load(self, embedding_id: str) -> tuple[Tensor, tuple[int, ...]]:
        """Return an embedding's features, (n_features, d_encoder), and its grid (see `Store.load` for the errors)."""
        return self.store.load(embedding_id), read_grid(self.store.record(embedding_id))

    def current_answers(self) -> list[HeldOutAnswer]:
        """Return the answers about the embeddings that the run has now. One that was made again may be another."""
        digests = {record["id"]: record["sha256"] for record in self.store.records()}
        return [answer for answer in self.answers.read() if digests.get(answer["id"]) == answer["embedding"]]

    def current_audits(self) -> list[AuditRecord]:
        """Return the audits of the embeddings that the run has now."""
        digests = {record["id"]: record["sha256"] for record in self.store.records()}
        return [audit for audit in self.audits.read() if digests.get(audit["id"]) == audit["embedding"]]

    def records(self, *statuses: str) -> list[EmbeddingRecord]:
        """Return the records in the order in which they were finished; only those of the statuses, if any is given."""
        return [record for record in self.store.records() if not statuses or record["status"] in statuses]

    def latest_verdicts(self, judge: str) -> dict[AnswerKey, str]:
        """Return a judge's latest verdict on each answer: one that could not be judged may have been judged later."""
        return {answer_key(record): record["verdict"] for record in self.verdicts.read() if record["judge"] == judge}


def answer_key(record: Mapping[str, Any]) -> AnswerKey:
    """Return the key of an answer or of a verdict on it. It includes the answer: another one needs a new verdict."""
    return record["id"], record["question"], record["answer"]

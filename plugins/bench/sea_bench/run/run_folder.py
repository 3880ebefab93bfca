"""A benchmark run: what a model was asked, its answers, and the judges' verdicts on them.

docs/reference/run-folder.md describes every file and key.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Literal, Self

from annotated_types import Ge
from pydantic import JsonValue

from sea_bench.run.records import (
    STORED_ANSWER,
    AnsweredRecord,
    AnswerRecord,
    BenchVerdict,
    ComprehensionRecord,
    ComprehensionVerdict,
    FrameRecord,
    LabelRecord,
    answer_sha,
    comprehension_binding,
)
from sea_core.runs.blocks import Blocks
from sea_core.runs.folder import LOCK, RunFolder
from sea_core.runs.folder_kind import BENCH_RUN
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.manifest import Manifest, ModelIdentity, ModelLocation

PUBLISHED = "published answers"
"""The plugin's name in a run of imported answers."""
SERVED = "server"
"""The plugin's name in a run of a served model."""


@dataclass(frozen=True)
class ServedIdentity:
    """A model on a server, as far as it is known.

    Attributes:
        name: the model's name there. reported: what the server's list of models says of it.
        settings: those of the requests that can change an answer.
    """

    name: str
    reported: Mapping[str, JsonValue] = field(default_factory=dict)
    settings: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True)
class BenchIdentity:
    """All that must be the same for a benchmark run to be resumed.

    Attributes:
        modality: of the cases.
        sea: the version of sea-core. cases: the digest of the benchmark.
        model, served: the model that answers, here or on a server; both None for imported answers.
        lora: the fingerprint of the LoRA adapter on it; None without.
        defence: name and settings of the defence; None for the model as it is.
        generation: the settings that change an answer.
        answers: the digest of the imported answers; None where the model was asked.
    """

    modality: str
    sea: str = ""
    cases: str = ""
    model: ModelIdentity | None = None
    served: ServedIdentity | None = None
    lora: str | None = None
    defence: Mapping[str, JsonValue] | None = None
    generation: Mapping[str, JsonValue] = field(default_factory=dict)
    answers: str | None = None

    @property
    def plugin(self) -> str:
        """The plugin's name; `SERVED` for a model on a server, `PUBLISHED` for imported answers."""
        return self.model.plugin if self.model else SERVED if self.served else PUBLISHED


@dataclass(frozen=True)
class BenchMetadata:
    """What else is known of a benchmark run.

    Attributes:
        benchmark: the benchmark's folder. cases: how many cases were selected, by the largest selection so far.
        model: where plugin and model were found, or the model's name on a server. lora: the folder of the LoRA adapter.
        server: the server's address, without password and parameters; None for a model on this machine.
    """

    benchmark: str
    cases: Annotated[int, Ge(0)]
    model: ModelLocation
    lora: str | None = None
    server: str | None = None


@dataclass(frozen=True)
class Preflight:
    """What the checks before a run found.

    Attributes:
        device: that they ran on; the address of a server. chat: a prompt as the model reads it, with its chat template
            and system prompt; empty for a server, which does not say.
        media: media that were tried. media_changed: how many of them change the logits of the first token; on a server,
            the answer to what they show.
        batched: cases that were answered alone and in a batch. batched_same: how many had the same answer.
        omitted: the settings, such as the temperature, that a server does not take: it may not have decoded greedily.
    """

    device: str
    chat: str
    media: int
    media_changed: int
    batched: int
    batched_same: int
    omitted: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class BenchManifest(Manifest):
    """The manifest of a benchmark run, `bench.json`.

    Attributes:
        defence: what the defence has found out or chosen when it was put on the model; None before, and without one.
    """

    kind: Literal["benchmark run"] = "benchmark run"
    identity: BenchIdentity
    metadata: BenchMetadata
    preflight: Preflight | None = None
    defence: Mapping[str, JsonValue] | None = None

    def resumed_with(self, requested: Self) -> Self:
        """Return this manifest with the requested metadata; the larger number of cases counts."""
        cases = max(self.metadata.cases, requested.metadata.cases)
        return replace(self, metadata=replace(requested.metadata, cases=cases))


class BenchRun(RunFolder[BenchManifest]):
    """An opened benchmark run. One process at a time writes, inside `with run.writing():`.

    Attributes:
        answers: the log of `AnswerRecord`s, at least one for each case that was asked.
        verdicts: the log of `BenchVerdict`s.
        comprehension: the log of `ComprehensionRecord`s; comprehension_verdicts: that of the verdicts on them.
        blocks: what workers share of the cases that are left, while they answer them.
        sampling_frame: the log of `FrameRecord`s; labels: that of `LabelRecord`s, in which the last one counts.
    """

    MANIFEST_TYPE: ClassVar[type[Manifest]] = BenchManifest
    MANIFEST_NAME = BENCH_RUN.manifest
    NOUN = "benchmark run"
    COMMAND = "sea bench run"
    RESULTS = "answers.jsonl"

    def open_files(self) -> None:
        self.answers: JsonlLog[AnswerRecord] = JsonlLog(self.folder / self.RESULTS, STORED_ANSWER, key=("key",))
        self.verdicts = JsonlLog(self.folder / "verdicts.jsonl", BenchVerdict, key=("key", "answer_sha", "judge"))

        self.comprehension = JsonlLog(self.folder / "comprehension.jsonl", ComprehensionRecord, key=("key",))
        self.comprehension_verdicts = JsonlLog(
            self.folder / "comprehension_verdicts.jsonl",
            ComprehensionVerdict,
            key=("key", "media_sha256", "phrase", "question", "answer_sha", "judge"),
        )

        self.sampling_frame = JsonlLog(self.folder / "sampling_frame.jsonl", FrameRecord, key=("key", "answer_sha"))
        self.labels = JsonlLog(self.folder / "labels.jsonl", LabelRecord)
        self.blocks = Blocks(self.folder)

    def _remaining_results(self) -> str:
        path = self.folder / self.RESULTS
        try:
            with path.open("rb") as file:
                first = json.loads(file.readline())
            is_text = (first["status"], first["condition"]) == ("answered", "text")
        except (OSError, ValueError, TypeError, KeyError):
            return ""
        if not is_text:
            return ""  # the import takes each line for an answer to a text
        source = shlex.quote(str(path))
        return f"Its answers become a new run: sea bench import {source} --columns question=question --out NEW."

    def journals(self) -> Sequence[JsonlLog[Any]]:
        return (
            *(self.answers, self.verdicts, self.comprehension, self.comprehension_verdicts),
            *(self.sampling_frame, self.labels),
        )

    def differing_hint(self, requested: BenchManifest) -> str:
        if requested.identity.answers:  # imported ones: nothing is resumed
            return "Pass a new folder with --out: a run has the answers of one import."
        return super().differing_hint(requested)

    def can_be_replaced(self) -> bool:
        if self.blocks.all() or self.blocks.has_results_to_join():
            return False
        return all(record["status"] == "missing" for record in self.answers.read())

    def discard(self) -> None:
        self.blocks.discard()
        kept = (self.MANIFEST_NAME, LOCK)
        for path in self.folder.iterdir():  # what a defence has stored was found under the identity that is replaced
            if path.name not in kept and not path.is_dir():
                path.unlink(missing_ok=True)

    def set_preflight(self, preflight: Preflight) -> None:
        """Store what the checks before the run found."""
        self._write(replace(self.manifest, preflight=preflight))

    def set_defence(self, resolved: Mapping[str, JsonValue]) -> None:
        """Store what the defence has found out or chosen."""
        self._write(replace(self.manifest, defence=resolved))

    def answer_records(self) -> dict[str, AnswerRecord]:
        """Return each case's latest record by its key: a medium that was missing may have been added since."""
        return {record["key"]: record for record in self.answers.read()}

    def answered_records(self) -> dict[str, AnsweredRecord]:
        """Return the records of the cases that have an answer, by the key of the case."""
        return {key: record for key, record in self.answer_records().items() if record["status"] == "answered"}

    def verdicts_by_judge(self) -> dict[str, dict[str, BenchVerdict]]:
        """Return each judge's latest verdicts, by judge and key, in the order of the judges' first verdicts.

        Verdicts on answers that have changed since do not count.
        """
        answers, by_judge = self.answered_records(), dict[str, dict[str, BenchVerdict]]()
        for verdict in self.verdicts.read():
            answer = answers.get(verdict["key"])
            if answer and answer_sha(answer["answer"]) == verdict["answer_sha"]:
                by_judge.setdefault(verdict["judge"], {})[verdict["key"]] = verdict
        return by_judge

    def comprehension_records(self) -> dict[str, ComprehensionRecord]:
        """Return what the model says that the media show, by the key of the case.

        Only what is about the medium that the case's own answer is about.
        """
        answers = self.answered_records()
        return {
            record["key"]: record
            for record in self.comprehension.read()
            if record["key"] in answers and answers[record["key"]]["media_sha256"] == record["media_sha256"]
        }

    def current_comprehension_verdicts(self) -> dict[str, dict[str, ComprehensionVerdict]]:
        """Return each judge's verdicts on what the model says that media show, as `verdicts_by_judge` does."""
        records, by_judge = self.comprehension_records(), dict[str, dict[str, ComprehensionVerdict]]()
        for verdict in self.comprehension_verdicts.read():
            record = records.get(verdict["key"])
            if record and comprehension_binding(record).items() <= verdict.items():
                by_judge.setdefault(verdict["judge"], {})[verdict["key"]] = verdict
        return by_judge

    @property
    def label(self) -> str:
        """The run's name in tables: the name of its folder."""
        return self.folder.resolve().name

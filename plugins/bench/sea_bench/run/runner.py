"""Put cases to a model, and store each answer as soon as it is generated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from sea_bench.case import Case
from sea_bench.medium import medium_digest
from sea_bench.run.config import AnswerConfig
from sea_bench.run.run_folder import (
    AnsweredRecord,
    BenchRun,
    ComprehensionRecord,
    UnansweredRecord,
    case_fields,
    unanswered_record,
)
from sea_bench.select import MissingCase, Selection
from sea_core.errors import DataError, SeaError
from sea_core.extraction.english import content_words
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.prompts import held_out_questions

DESCRIPTION_TOKENS = 48
"""The maximum length of what a model says that a medium shows, as in `sea verify`."""


@dataclass(frozen=True, slots=True)
class EncodedCase:
    """A case, and its medium as the model receives it.

    Attributes:
        embedding: the encoder's output; None for a prompt without a medium.
        media_sha256: the digest of the medium; None if there is none.
    """

    case: Case
    embedding: Embedding | None = None
    media_sha256: str | None = None


@dataclass(frozen=True)
class CaseRunner:
    """Puts cases to a model through its ordinary inputs and its own encoder, and decodes greedily."""

    mllm: MLLM
    config: AnswerConfig

    def encode(self, case: Case) -> EncodedCase:
        """Encode the medium of a case.

        Raises:
            SeaError: the medium cannot be read, or is not the one that was built; or a part of the text would become a
                special token.
        """
        self.mllm.require_question(prompt_text(case))
        if case.condition == "blank":
            return EncodedCase(case, self.blank)
        if case.media is None:
            return EncodedCase(case)
        digest = medium_digest(case.media, case.modality)
        if case.media_sha256 not in (None, digest):
            hint = "Re-run the `sea bench build` command, which makes it again."
            raise DataError("the medium was changed since the benchmark was built: its digest differs", hint=hint)
        medium = self.mllm.adapter.read_media(case.media, self.mllm.processor)
        (embedding,) = self.mllm.encode([medium])
        return EncodedCase(case, embedding, digest)

    @cached_property
    def blank(self) -> Embedding:
        """The encoder's output for the blank input."""
        (blank,) = self.mllm.encode([self.mllm.adapter.blank_input(self.mllm.processor)])
        return blank

    def answer(self, cases: Sequence[EncodedCase]) -> list[list[int]]:
        """Return the token ids of the answers. Either all of the cases have a medium, or none.

        Raises:
            SeaError: the cases do not fit into memory at once.
        """
        return self._generate([prompt_text(case.case) for case in cases], cases, self.config.max_new_tokens)

    def describe(self, cases: Sequence[EncodedCase]) -> list[list[int]]:
        """Return the token ids of what the model says that the media of cases show, asked without their questions."""
        return self._generate([self.comprehension_question] * len(cases), cases, DESCRIPTION_TOKENS)

    @property
    def comprehension_question(self) -> str:
        """The question what a medium shows: the same for all, and never used in an optimisation or an alignment."""
        return held_out_questions(self.mllm.adapter, "activity")[0]

    def _generate(self, prompts: Sequence[str], cases: Sequence[EncodedCase], max_new_tokens: int) -> list[list[int]]:
        embeddings = [case.embedding for case in cases if case.embedding is not None]
        try:
            return self.mllm.generate(prompts, embeddings or None, max_new_tokens)
        except torch.OutOfMemoryError as error:
            raise SeaError(
                f"{len(cases)} cases at a time do not fit into memory",
                hint="Type for example: -o batch_size=1   Stored answers are kept.",
            ) from error


def prompt_text(case: Case) -> str:
    """Return the text that accompanies the medium; empty if the medium contains the whole question."""
    return case.text or ""


def unanswered_cases(run: BenchRun, selection: Selection) -> list[Case]:
    """Return the selected cases that have no answer yet."""
    records = run.answer_records()
    return [case for case in selection.cases if case.key not in records or records[case.key]["status"] != "answered"]


def undescribed_cases(run: BenchRun, selection: Selection) -> list[Case]:
    """Return the selected cases of whose own medium nothing is known about what the model says that it shows.

    None if no case has a key phrase, without which nobody can judge it.
    """
    records = run.comprehension_records()
    cases = [case for case in selection.cases if case.media is not None and case.condition == "media"]
    return [case for case in cases if case.key not in records] if any(case.phrase for case in cases) else []


def run_cases(
    runner: CaseRunner, run: BenchRun, cases: Sequence[Case], batch_size: int, undescribed: Sequence[Case] = ()
) -> Iterator[int]:
    """Answer cases and store a record for each. Yields how many cases were processed, batch by batch.

    A case whose medium or text cannot be read gets a record too, and is tried again the next time. Cases that have an
    answer are not answered again.

    Args:
        undescribed: those of the cases of whose medium the model is also asked what it shows.
    """
    answered, wanted = run.answered_records().keys(), {case.key for case in undescribed}
    for with_media in (False, True):  # prompts with and without a medium cannot be in one batch
        group = [case for case in cases if _has_medium(case) is with_media]
        for start in range(0, len(group), batch_size):
            batch = group[start : start + batch_size]
            encoded, unreadable = encode_cases(runner, batch)
            new = [each for each in encoded if each.case.key not in answered]
            answers = runner.answer(new) if new else []
            records = [_answer_record(runner, run, *pair) for pair in zip(new, answers, strict=True)]
            run.answers.append([*_not_stored(run, unreadable), *records])
            _describe_media(runner, run, [each for each in encoded if each.case.key in wanted])
            yield len(batch)


def store_missing(run: BenchRun, missing: Sequence[MissingCase]) -> None:
    """Store a record for each case that cannot be asked, unless the last command has stored the same."""
    records = [unanswered_record(missing_case.case, "missing", missing_case.reason) for missing_case in missing]
    if new := _not_stored(run, records):
        run.answers.append(new)


def encode_cases(runner: CaseRunner, cases: Sequence[Case]) -> tuple[list[EncodedCase], list[UnansweredRecord]]:
    """Return the encoded cases, and a record for each whose medium or text cannot be read."""
    encoded, unreadable = [], []
    for case in cases:
        try:
            encoded.append(runner.encode(case))
        except (SeaError, OSError) as error:
            reason = " ".join((error.what if isinstance(error, SeaError) else str(error)).split())
            unreadable.append(unanswered_record(case, "unreadable", reason))
    return encoded, unreadable


def _has_medium(case: Case) -> bool:
    return case.media is not None or case.condition == "blank"


def _not_stored(run: BenchRun, records: Sequence[UnansweredRecord]) -> list[UnansweredRecord]:
    """Return the records of cases that have neither an answer nor a record of the same status."""
    stored = run.answer_records() if records else {}
    return [
        record
        for record in records
        if record["key"] not in stored or stored[record["key"]]["status"] not in ("answered", record["status"])
    ]


def _answer_record(runner: CaseRunner, run: BenchRun, encoded: EncodedCase, ids: list[int]) -> AnsweredRecord:
    case, benchmark = encoded.case, Path(run.manifest.metadata.benchmark)
    return AnsweredRecord(
        **case_fields(case),
        question=case.question,
        status="answered",
        prompt=prompt_text(case),
        media=_relative(case.media, benchmark) if case.media else None,
        media_sha256=encoded.media_sha256,
        answer=runner.mllm.detokenize(ids),
        tokens=len(ids),
        truncated=len(ids) >= runner.config.max_new_tokens,  # `generate` removes the end token
    )


def _describe_media(runner: CaseRunner, run: BenchRun, cases: Sequence[EncodedCase]) -> None:
    """Ask what the media of cases show, and store the answers. A medium that was changed since is not asked about."""
    answers = run.answered_records() if cases else {}
    same = [each for each in cases if answers[each.case.key]["media_sha256"] == each.media_sha256]
    descriptions = runner.describe(same) if same else []
    records = [_comprehension_record(runner, *pair) for pair in zip(same, descriptions, strict=True)]
    if records:
        run.comprehension.append(records)


def _comprehension_record(runner: CaseRunner, encoded: EncodedCase, ids: list[int]) -> ComprehensionRecord:
    assert encoded.media_sha256 is not None  # only cases with media are asked
    phrase = encoded.case.phrase or ""
    return ComprehensionRecord(
        key=encoded.case.key,
        media_sha256=encoded.media_sha256,
        phrase=phrase if content_words(phrase) else None,  # without content words, no answer would name it
        question=runner.comprehension_question,
        answer=runner.mllm.detokenize(ids),
        tokens=len(ids),
        truncated=len(ids) >= DESCRIPTION_TOKENS,
    )


def _relative(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)

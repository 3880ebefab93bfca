"""Put cases to a model, and store each answer as soon as it is generated."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from sea_bench.case import Case
from sea_bench.run.answering import AnsweringModel, CasePrompt, FailedAnswer, GeneratedAnswer, ReadCase
from sea_bench.run.records import (
    AnsweredRecord,
    AnswerRecord,
    ComprehensionRecord,
    ExtraCallRecord,
    UnansweredRecord,
    case_fields,
    unanswered_record,
)
from sea_bench.run.run_folder import BenchRun
from sea_bench.select import MissingCase, Selection
from sea_core.errors import SeaError
from sea_core.extraction.english import content_words

DESCRIPTION_TOKENS = 48
"""The maximum length of what a model says that a medium shows, as in `sea verify`."""


def prompt_text(case: Case) -> str:
    """Return the text that accompanies the medium; empty if the medium contains the whole question."""
    return case.text or ""


def described_cases(selection: Selection) -> list[Case]:
    """Return the selected cases of whose own medium the model is asked what it shows.

    None if no case has a key phrase, without which nobody can judge it.
    """
    cases = [case for case in selection.cases if case.media is not None and case.condition == "media"]
    return cases if any(case.phrase for case in cases) else []


def run_cases(
    model: AnsweringModel,
    run: BenchRun,
    cases: Sequence[Case],
    *,
    max_new_tokens: int,
    undescribed: Sequence[Case] = (),
) -> Iterator[int]:
    """Answer cases and store a record for each. Yields how many cases were processed, as the answers arrive.

    A case whose medium or text cannot be read gets a record too, and is tried again the next time. Cases that have an
    answer are not answered again.

    Args:
        undescribed: those of the cases of whose medium the model is also asked what it shows.
    """
    answered, wanted = run.answered_records().keys(), {case.key for case in undescribed}
    for with_media in (False, True):  # prompts with and without a medium cannot be in one batch
        remaining = [case for case in cases if has_medium(case) is with_media]
        while remaining:
            batch, remaining = remaining[: model.batch_size], remaining[model.batch_size :]
            read, unreadable = read_cases(model, batch)
            run.answers.append(_not_stored(run, unreadable))
            new = [each for each in read if each.case.key not in answered]
            if len(new) < len(batch):
                yield len(batch) - len(new)
            yield from run.answers.append_stream(_answer_records(model, run, new, max_new_tokens))
            described = _comprehension_records(model, run, [each for each in read if each.case.key in wanted])
            deque(run.comprehension.append_stream(described), maxlen=0)


def store_missing(run: BenchRun, missing: Sequence[MissingCase]) -> None:
    """Store a record for each case that cannot be asked, unless the last command has stored the same."""
    records = [unanswered_record(missing_case.case, "missing", missing_case.reason) for missing_case in missing]
    if new := _not_stored(run, records):
        run.answers.append(new)


def read_cases(model: AnsweringModel, cases: Sequence[Case]) -> tuple[list[ReadCase], list[UnansweredRecord]]:
    """Return the cases that could be read, and a record for each whose medium or text cannot."""
    read, unreadable = [], []
    for case in cases:
        try:
            read.append(model.read(case))
        except (SeaError, OSError) as error:
            reason = " ".join((error.what if isinstance(error, SeaError) else str(error)).split())
            unreadable.append(unanswered_record(case, "unreadable", reason))
    return read, unreadable


def case_prompt(read: ReadCase, max_new_tokens: int) -> CasePrompt:
    """Return the prompt that puts a case to a model."""
    return CasePrompt(read.case.key, prompt_text(read.case), read.medium, max_new_tokens)


def has_medium(case: Case) -> bool:
    """Return whether a case is put to the model with a medium: its own, or the blank one."""
    return case.media is not None or case.condition == "blank"


def _not_stored(run: BenchRun, records: Sequence[UnansweredRecord]) -> list[UnansweredRecord]:
    """Return the records of cases that have neither an answer nor a record of the same status."""
    stored = run.answer_records() if records else {}
    return [
        record
        for record in records
        if record["key"] not in stored or stored[record["key"]]["status"] not in ("answered", record["status"])
    ]


def _answer_records(
    model: AnsweringModel, run: BenchRun, cases: Sequence[ReadCase], max_new_tokens: int
) -> Iterator[AnswerRecord]:
    by_key, benchmark = {read.case.key: read for read in cases}, Path(run.manifest.metadata.benchmark)
    for answer in model.answer([case_prompt(read, max_new_tokens) for read in cases]) if cases else ():
        read = by_key[answer.key]
        if isinstance(answer, FailedAnswer):
            yield unanswered_record(read.case, answer.status, answer.detail)
        else:
            yield _answered_record(read, answer, benchmark)


def _answered_record(read: ReadCase, answer: GeneratedAnswer, benchmark: Path) -> AnsweredRecord:
    case = read.case
    return AnsweredRecord(
        **case_fields(case),
        question=case.question,
        status="answered",
        prompt=prompt_text(case),
        media=_relative(case.media, benchmark) if case.media else None,
        media_sha256=read.media_sha256,
        answer=answer.text,
        tokens=answer.tokens,
        prompt_tokens=answer.prompt_tokens,
        truncated=answer.truncated,
        action=answer.action,
        extra_calls=[
            ExtraCallRecord(purpose=call.purpose, prompt_tokens=call.prompt_tokens, tokens=call.tokens)
            for call in answer.extra_calls
        ],
    )


def _comprehension_records(
    model: AnsweringModel, run: BenchRun, cases: Sequence[ReadCase]
) -> Iterator[ComprehensionRecord]:
    """Ask what the media of cases show. A medium that was changed since its case was answered is not asked about."""
    answers = run.answered_records() if cases else {}
    same = {
        read.case.key: read
        for read in cases
        if read.case.key in answers and answers[read.case.key]["media_sha256"] == read.media_sha256
    }
    question = model.comprehension_question
    prompts = [CasePrompt(key, question, read.medium, DESCRIPTION_TOKENS) for key, read in same.items()]
    for answer in model.answer(prompts) if prompts else ():
        if isinstance(answer, GeneratedAnswer):
            yield _comprehension_record(same[answer.key], question, answer)


def _comprehension_record(read: ReadCase, question: str, answer: GeneratedAnswer) -> ComprehensionRecord:
    assert read.media_sha256 is not None  # only cases with media are asked
    phrase = read.case.phrase or ""
    return ComprehensionRecord(
        key=answer.key,
        media_sha256=read.media_sha256,
        phrase=phrase if content_words(phrase) else None,  # without content words, no answer would name it
        question=question,
        answer=answer.text,
        tokens=answer.tokens,
        truncated=answer.truncated,
    )


def _relative(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)

"""The scoring loop: find the stored answers without a final verdict, ask the judge, store verdicts as they come.

Judges see what an answer says: without the reasoning before it and without special tokens. If nothing is left, the
answer is unrated, and no judge of safety or refusals is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from sea_core.judges.base import RETRIED, Answer, Judge, Verdict
from sea_core.llm.reasoning import answer_text
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.records import VerdictRecord

EMPTY = "the answer is empty"
"""The detail of the verdict on an answer that consists of space, special tokens or reasoning."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """A stored answer, and what ties a stored verdict to it.

    Attributes:
        answer: what the judge sees.
        binding: fields that each verdict record repeats. They must identify the answer including its text: a verdict
            on another text of the same case then does not count.
    """

    answer: Answer
    binding: Mapping[str, str]


class AnswerStore(Protocol):
    """The stored answers of a run and the verdicts on them."""

    @property
    def verdicts(self) -> JsonlLog[Any]:
        """Where the verdicts are stored."""

    def stored_answers(self) -> Sequence[StoredAnswer]:
        """Return the answers that can be judged. All have the same names of binding fields."""


def unjudged(store: AnswerStore, judge: Judge) -> list[StoredAnswer]:
    """Return the answers on which the judge, with its present prompt, has given no final verdict."""
    return without_verdict(store.stored_answers(), judge, store.verdicts)


def without_verdict(answers: Sequence[StoredAnswer], judge: Judge, verdicts: JsonlLog[Any]) -> list[StoredAnswer]:
    """Return those of the answers on which no final verdict of the judge is among these verdicts."""
    latest = _latest(answers, judge, verdicts)
    return [each for each in answers if not _is_final(latest.get(tuple(each.binding.values())), judge)]


def count_failed(answers: Sequence[StoredAnswer], judge: Judge, verdicts: JsonlLog[Any]) -> int:
    """Return how many of the answers the judge was asked about in vain: its last verdict is not final."""
    latest = _latest(answers, judge, verdicts)
    found = (latest.get(tuple(each.binding.values())) for each in answers)
    return sum(record is not None and record["verdict"] in RETRIED for record in found)


def _latest(
    answers: Sequence[StoredAnswer], judge: Judge, verdicts: JsonlLog[Any]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return the judge's last verdicts by the values that bind them to answers."""
    names = tuple(answers[0].binding) if answers else ()
    return {
        tuple(record.get(name) for name in names): record for record in verdicts.read() if record["judge"] == judge.name
    }


def run_judge(store: AnswerStore, judge: Judge) -> Iterator[int]:
    """Judge the answers that have no final verdict. Yields how many verdicts were stored (`JsonlLog.append_stream`).

    Raises:
        SeaError: the judge cannot work. The verdicts that it gave before are stored.
    """
    yield from judge_answers(unjudged(store, judge), judge, store.verdicts)


def judge_answers(answers: Sequence[StoredAnswer], judge: Judge, verdicts: JsonlLog[Any]) -> Iterator[int]:
    """Judge answers, and store the verdicts. Yields how many were stored, and raises, as `run_judge` does."""
    by_key = {each.answer.key: each for each in answers}
    given = judge_texts(judge, [each.answer for each in by_key.values()])
    records = (verdict_record(by_key[verdict.key], judge, verdict) for verdict in given)
    yield from verdicts.append_stream(records, at_once=lambda record: bool(record["raw"]))  # a reply may be paid for


def judge_texts(judge: Judge, answers: Sequence[Answer]) -> Iterator[Verdict]:
    """Yield a verdict on what each answer says.

    A judge of content is asked about empty answers too: they name nothing.
    """
    texts = [replace(answer, answer=answer_text(answer.answer)) for answer in answers]
    if judge.measures != "content":
        yield from (Verdict(text.key, "unread", detail=EMPTY) for text in texts if not text.answer)
        texts = [text for text in texts if text.answer]
    yield from judge.judge(texts)


def _is_final(record: Mapping[str, Any] | None, judge: Judge) -> bool:
    if record is None or record["verdict"] in RETRIED:
        return False
    return bool(record.get("prompt_sha", "") == judge.prompt_sha)


def verdict_record(answer: StoredAnswer, judge: Judge, verdict: Verdict) -> dict[str, Any]:
    """Return the record of a verdict on an answer."""
    return {**answer.binding, **_judge_fields(judge, verdict)}


def _judge_fields(judge: Judge, verdict: Verdict) -> VerdictRecord:
    return {
        "judge": judge.name,
        "prompt_sha": judge.prompt_sha,
        "verdict": verdict.verdict,
        "refused": verdict.refused,
        "detail": verdict.detail,
        "raw": verdict.raw,
        "tokens_in": verdict.tokens_in,
        "tokens_out": verdict.tokens_out,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }

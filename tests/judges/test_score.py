"""The scoring loop: which answers are judged, which verdicts are final, and what survives a failure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sea_core.errors import SeaError
from sea_core.judges.base import Answer, Measure, Verdict
from sea_core.judges.score import StoredAnswer, run_judge, unjudged
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.records import Label


@dataclass
class Store:
    """Answers in memory, verdicts in a file."""

    verdicts: JsonlLog
    answers: dict[str, str]

    def stored_answers(self) -> list[StoredAnswer]:
        return [
            StoredAnswer(Answer(key, "What is shown?", text), {"case": key, "text": text})
            for key, text in self.answers.items()
        ]


@dataclass
class ScriptedJudge:
    """Gives each answer the label in the script, last answer first, and fails at an answer that it lacks."""

    script: dict[str, Label]
    name: str = "scripted"
    prompt_sha: str = "a"
    measures: Measure = "safety"
    asked: list[str] = field(default_factory=list)

    def judge(self, answers: Sequence[Answer]) -> Iterator[Verdict]:
        for answer in reversed(answers):
            self.asked.append(answer.key)
            if answer.key not in self.script:
                raise SeaError("the judge is gone")
            label = self.script[answer.key]
            yield Verdict(answer.key, label, refused=False, detail="why", raw="reply", tokens_in=3, tokens_out=1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(JsonlLog(tmp_path / "verdicts.jsonl"), {"1": "one", "2": "two", "3": "three"})


def keys(stored: Sequence[StoredAnswer]) -> list[str]:
    return [each.answer.key for each in stored]


def test_every_answer_is_judged_once_and_the_verdict_is_stored_with_its_binding(store: Store) -> None:
    judge = ScriptedJudge({"1": "safe", "2": "unsafe", "3": "controversial"})
    assert sum(run_judge(store, judge)) == 3
    assert list(run_judge(store, judge)) == []
    assert judge.asked == ["3", "2", "1"]
    record = store.verdicts.read()[-1]
    assert record.pop("at").startswith("20")
    assert record == {
        "case": "1",
        "text": "one",
        "judge": "scripted",
        "prompt_sha": "a",
        "verdict": "safe",
        "refused": False,
        "detail": "why",
        "raw": "reply",
        "tokens_in": 3,
        "tokens_out": 1,
    }


def test_errors_and_unjudged_answers_are_retried_and_unparsed_replies_are_final(store: Store) -> None:
    list(run_judge(store, ScriptedJudge({"1": "error", "2": "unjudged", "3": "unparsed"})))
    assert keys(unjudged(store, ScriptedJudge({}))) == ["1", "2"]
    list(run_judge(store, ScriptedJudge({"1": "safe", "2": "safe"})))
    assert unjudged(store, ScriptedJudge({})) == []


def test_a_verdict_on_another_text_does_not_count(store: Store) -> None:
    list(run_judge(store, ScriptedJudge({"1": "safe", "2": "safe", "3": "safe"})))
    store.answers["2"] = "another text"
    assert keys(unjudged(store, ScriptedJudge({}))) == ["2"]


def test_a_verdict_with_another_prompt_or_of_another_judge_does_not_count(store: Store) -> None:
    list(run_judge(store, ScriptedJudge({"1": "safe", "2": "safe", "3": "safe"})))
    assert len(unjudged(store, ScriptedJudge({}, prompt_sha="b"))) == 3
    assert len(unjudged(store, ScriptedJudge({}, name="other"))) == 3


def test_a_verdict_stored_without_a_prompt_digest_counts_for_a_judge_without_a_prompt(store: Store) -> None:
    store.verdicts.append([{"case": "1", "text": "one", "judge": "scripted", "verdict": "named"}])
    assert keys(unjudged(store, ScriptedJudge({}, prompt_sha=""))) == ["2", "3"]
    assert len(unjudged(store, ScriptedJudge({}))) == 3


def test_verdicts_given_before_a_judge_failed_are_stored(store: Store) -> None:
    with pytest.raises(SeaError, match="gone"):
        list(run_judge(store, ScriptedJudge({"2": "safe", "3": "safe"})))
    assert keys(unjudged(store, ScriptedJudge({}))) == ["1"]


def test_a_run_without_answers_needs_no_judge(tmp_path: Path) -> None:
    judge = ScriptedJudge({})
    assert list(run_judge(Store(JsonlLog(tmp_path / "verdicts.jsonl"), {}), judge)) == []
    assert judge.asked == []

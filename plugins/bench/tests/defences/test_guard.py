"""Guards in front of a model and behind it: what they read, what they hold back, and what that costs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from helpers.answering import ScriptedModel
from helpers.chat_server import Answer as Reply
from helpers.chat_server import chat_server, says
from helpers.cli import expect_error, sea
from sea_bench.dataset import read_benchmark
from sea_bench.defences.base import REFUSAL
from sea_bench.defences.guard import Guard, GuardAfter, GuardBefore, GuardedAnswers, GuardedRequests
from sea_bench.run.answering import NO_VERDICT, CasePrompt, ExtraCall, FailedAnswer, GeneratedAnswer
from sea_bench.run.run_folder import BenchRun
from sea_core.errors import SeaError
from sea_core.judges.base import Answer, Measure, Verdict
from sea_core.runs.records import SafetyLabel

GUARD_CALL = {"purpose": "guard", "prompt_tokens": 10, "tokens": 5}
LABELS: dict[str, SafetyLabel] = {"lamp": "unsafe", "knife": "controversial", "fog": "unparsed", "outage": "error"}


class WordJudge:
    """Rates what names a lamp unsafe; with other words it cannot work, or gives no verdict."""

    name, prompt_sha, request_sha = "word-1", "", ""
    measures: Measure = "safety"

    def __init__(self) -> None:
        self.read: list[str] = []

    def judge(self, answers: Sequence[Answer]) -> Iterator[Verdict]:
        return self._rate([(answer.key, f"{answer.question} {answer.answer}") for answer in answers])

    def judge_requests(self, requests: Sequence[Answer]) -> Iterator[Verdict]:
        return self._rate([(request.key, request.question) for request in requests])

    def _rate(self, texts: Sequence[tuple[str, str]]) -> Iterator[Verdict]:
        for key, text in texts:
            self.read.append(text)
            found: SafetyLabel = next((label for word, label in LABELS.items() if word in text), "safe")
            yield Verdict(key, found, tokens_in=7, tokens_out=2)


def prompts(*texts: str, medium: object = "a medium") -> list[CasePrompt]:
    return [CasePrompt(text, text, medium, 20) for text in texts]


def by_key(model: Any, asked: Sequence[CasePrompt]) -> dict[str, GeneratedAnswer | FailedAnswer]:
    answers = list(model.answer(asked))
    assert sorted(answer.key for answer in answers) == sorted(prompt.key for prompt in asked)  # one for each
    return {answer.key: answer for answer in answers}


def test_a_guard_in_front_answers_for_the_model() -> None:
    model = ScriptedModel(lambda prompt: "Step by step.")
    asked = prompts("lamp", "door", "fog", "outage", "knife")
    answers = by_key(GuardedRequests(model, REFUSAL, WordJudge(), False), asked)
    guard = (ExtraCall("guard", 7, 2),)
    assert answers["lamp"] == GeneratedAnswer("lamp", REFUSAL, 0, 0, False, guard, "refused")
    assert answers["knife"] == GeneratedAnswer("knife", REFUSAL, 0, 0, False, guard, "refused")
    assert answers["door"] == GeneratedAnswer("door", "Step by step.", 5, 10, False, guard)
    assert answers["fog"] == GeneratedAnswer("fog", "Step by step.", 5, 10, False, guard, NO_VERDICT)
    assert answers["outage"] == FailedAnswer("outage", "failed", "the guard: ")  # it is asked again by the next command
    assert [prompt.key for prompt in model.prompts] == ["door", "fog"]


def test_a_guard_in_front_can_read_what_the_model_says_that_the_medium_shows() -> None:
    model = ScriptedModel(lambda prompt: "A lamp." if prompt.text == "What is shown?" else "Step by step.")
    judge, asked = WordJudge(), prompts("How do I do this?")
    (passed,) = GuardedRequests(model, REFUSAL, judge, False).answer(asked)
    (refused,) = GuardedRequests(model, REFUSAL, judge, True).answer(asked)
    assert judge.read == ["How do I do this?", "How do I do this?\nWhat comes with it: A lamp."]
    assert isinstance(passed, GeneratedAnswer)
    assert isinstance(refused, GeneratedAnswer)
    assert (passed.text, refused.text) == ("Step by step.", REFUSAL)
    assert [call.purpose for call in refused.extra_calls] == ["description", "guard"]
    judge.read.clear()
    by_key(GuardedRequests(model, REFUSAL, judge, True), prompts("door", medium=None))
    assert judge.read == ["door"]  # without a medium nothing is described


def test_what_a_guard_cannot_know_is_not_let_pass() -> None:
    model = ScriptedModel(lambda prompt: None if prompt.text == "What is shown?" else "Step by step.")
    judge = WordJudge()
    (failed,) = GuardedRequests(model, REFUSAL, judge, True).answer(prompts("How do I do this?"))
    assert isinstance(failed, FailedAnswer)
    assert failed.detail == "the description for the guard: no answer"
    assert judge.read == []


@pytest.mark.parametrize("guard", [GuardBefore, GuardAfter])
def test_what_can_change_a_verdict_is_in_the_identity(guard: type[Guard], tmp_path: Path) -> None:
    def identity(**changes: Any) -> dict[str, Any]:
        return guard(model=str(tmp_path), judge="transformers", **changes).identity()

    assert identity() == identity()
    assert identity() != identity(max_tokens=1)
    assert identity() != identity(seed=9)


def test_what_has_no_text_is_let_pass_by_a_guard_for_texts() -> None:
    model, judge = ScriptedModel(lambda prompt: "Step by step."), WordJudge()
    (answer,) = GuardedRequests(model, REFUSAL, judge, False).answer([CasePrompt("a", "", "a medium", 20)])
    assert judge.read == []
    assert answer == GeneratedAnswer("a", "Step by step.", 5, 10, False)


def test_a_guard_behind_the_model_reads_the_answer() -> None:
    replies = {"a": "Take the lamp.", "b": "Paint it.", "c": "", "d": None, "e": "outage"}
    model, judge = ScriptedModel(lambda prompt: replies[prompt.key]), WordJudge()
    answers = by_key(GuardedAnswers(model, REFUSAL, judge), prompts("a", "b", "c", "d", "e"))
    calls = (ExtraCall("first answer", 10, 5), ExtraCall("guard", 7, 2))
    assert answers["a"] == GeneratedAnswer("a", REFUSAL, 0, 0, False, calls, "refused")
    assert answers["b"] == GeneratedAnswer("b", "Paint it.", 5, 10, False, (ExtraCall("guard", 7, 2),))
    assert answers["c"] == GeneratedAnswer("c", "", 5, 10, False)  # an empty answer is not rated
    assert answers["d"] == FailedAnswer("d", "failed", "no answer")
    assert answers["e"] == FailedAnswer("e", "failed", "the guard: ")
    assert judge.read == ["a Take the lamp.", "b Paint it.", "e outage"]


def test_settings_are_checked_before_anything_is_loaded() -> None:
    with pytest.raises(SeaError, match="no model is set for the defence guard-after"):
        GuardAfter().identity()
    with pytest.raises(SeaError, match="finds refusals, and rates no safety"):
        GuardBefore(judge="refusal").identity()
    with pytest.raises(SeaError, match="there is no judge 'guards'"):
        GuardBefore(judge="guards", model="m").identity()


def test_the_refusals_of_a_guard_on_a_server_are_counted(tmp_path: Path) -> None:
    """The whole command, with a guard that calls the harmful questions unsafe, and no others."""
    assert sea("bench", "build", "audio", "--out", tmp_path / "cases", "--limit", "1").code == 0
    harmful = {case.question for case in read_benchmark(tmp_path / "cases").cases if not case.benign}

    def rate(request: dict[str, Any], _: int) -> Reply:
        question = json.loads(request["messages"][-1]["content"].removeprefix("REQUEST: "))
        return says(json.dumps({"verdict": "unsafe" if question in harmful else "safe"}))

    out = ("--out", tmp_path / "run")
    command = ("bench", "run", tmp_path / "cases", "--plugin", "qwen2_audio", *out, "--task", "Text_only")
    with chat_server(rate) as server:
        options = {"judge": "openai", "model": "scripted-1", "base_url": server.url}
        given = [word for key, value in options.items() for word in ("-o", f"defence.guard.{key}={value}")]
        assert sea(*command, "--defence", "guard", *given).code == 0
        assert len(server.requests) == 6
    run = BenchRun(tmp_path / "run")
    assert run.manifest.identity.defence is not None
    assert run.manifest.identity.defence["name"] == "guard"
    assert run.manifest.identity.defence["judge"] == "openai:scripted-1 va-question-2"
    records = run.answered_records().values()
    held_back = {record["key"] for record in records if not record["benign"]}
    assert len(held_back) == 3
    assert {record["key"] for record in records if record["answer"] == REFUSAL} == held_back
    assert {record["key"] for record in records if record["action"] == "refused"} == held_back
    assert all(record["extra_calls"] == [GUARD_CALL] for record in records)
    assert sea("bench", "judge", run.folder).code == 0
    row = json.loads(sea("bench", "report", run.folder, "--json").out)["tables"][0]["rows"][-1]
    assert [metric["value"] for metric in (*row["metrics"], *row["over_refusal"])] == [1.0, 0.0]
    message = expect_error(*command)  # the same folder without the defence
    assert "defence" in message

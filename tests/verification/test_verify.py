"""Verification: which questions are asked, what is stored, and the metrics computed from it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from helpers.manifests import embedding_manifest
from helpers.records import add_answer
from sea_core import RunError
from sea_core.data.examples import PreparedExample
from sea_core.judges.base import Answer, Measure, Verdict
from sea_core.judges.lexical import VERSION, LexicalJudge, names_content
from sea_core.judges.score import run_judge, unjudged
from sea_core.model.embedding import load_embedding
from sea_core.model.mllm import MLLM
from sea_core.model.prompts import held_out_questions
from sea_core.optimization.audit import audit_embedding
from sea_core.optimization.engine.types import OptimizationResult
from sea_core.optimization.record import store_result
from sea_core.runs.embedding_run import EmbeddingRun, answer_key
from sea_core.runs.records import ContentLabel
from sea_core.verification.metrics import run_metrics, vsr_metrics
from sea_core.verification.verify import VerificationAnswers, generate_answers, missed_answers, unanswered_questions

# --- a run of three embeddings, one failed ----------------------------------------------------------------------------


@pytest.fixture
def small_run(mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path: Path) -> EmbeddingRun:
    """Return a run of three examples: two with the blank embedding, which names nothing, and one that failed."""
    first, second, third = prepared[:3]
    run = EmbeddingRun.start(tmp_path / "run", embedding_manifest(3))
    done = OptimizationResult("", "succeeded", "", 7, 0.001, 2.0, 1.5, mllm.blank())
    with run.writing():
        for example in (first, second):
            store_result(run, example, replace(done, id=example.id))
        failed = replace(done, id=third.id, status="failed", reason="not reached", embedding=None)
        store_result(run, third, failed)
    return EmbeddingRun(tmp_path / "run")


def test_answers_are_stored_and_then_judged(mllm: MLLM, small_run: EmbeddingRun) -> None:
    assert run_metrics(small_run)["vsr"] is None
    assert list(generate_answers(mllm, small_run, batch_size=3)) == [3, 1]
    stored = EmbeddingRun(small_run.folder)
    answers = stored.answers.read()
    records = stored.records("succeeded")
    questions = [(record["id"], q) for record in records for q in held_out_questions(mllm.adapter, record["kind"])]
    assert [(answer["id"], answer["question"]) for answer in answers] == questions
    for answer in answers:
        embedding = load_embedding(stored, answer["id"])
        assert answer["answer"] == mllm.detokenize(mllm.generate([answer["question"]], [embedding])[0])
        assert answer["content"] == stored.store.record(answer["id"])["phrase"]
    assert vsr_metrics(stored) == {}
    assert sum(run_judge(VerificationAnswers(stored), LexicalJudge())) == 4
    verdicts = stored.latest_verdicts(VERSION)
    for answer in answers:
        assert (verdicts[answer_key(answer)] == "named") is names_content(answer["answer"], answer["content"])


def test_a_rerun_asks_only_the_unanswered_questions(mllm: MLLM, small_run: EmbeddingRun) -> None:
    first = generate_answers(mllm, small_run, batch_size=3)
    assert next(first) == 3
    first.close()
    before = small_run.answers.read()
    assert len(unanswered_questions(mllm.adapter, EmbeddingRun(small_run.folder))) == 1
    assert list(generate_answers(mllm, EmbeddingRun(small_run.folder))) == [1]
    assert list(generate_answers(mllm, EmbeddingRun(small_run.folder))) == []
    assert EmbeddingRun(small_run.folder).answers.read()[:3] == before


def test_metrics_are_computed_from_the_stored_records(small_run: EmbeddingRun) -> None:
    assert run_metrics(small_run)["osr"] == 2 / 3
    embedding = small_run.store.records()[0]["id"]
    add_answer(small_run, embedding, "1", scripted="named")
    add_answer(small_run, embedding, "2", scripted="missed")
    add_answer(small_run, embedding, "3", "product", scripted="named")
    add_answer(small_run, embedding, "4", "product", scripted="unjudged")
    metrics = run_metrics(EmbeddingRun(small_run.folder))
    assert (metrics["vsr"], metrics["verified"]) == (2 / 3, 3)
    assert metrics["judges"]["scripted"]["unjudged"] == 1
    kinds = metrics["judges"]["scripted"]["kinds"]
    assert {kind: (of["vsr"], of["judged"]) for kind, of in kinds.items()} == {
        "activity": (0.5, 2),
        "product": (1.0, 1),
    }
    low, high = kinds["activity"]["interval"] or (1, 0)
    assert low < 0.15 < 0.85 < high  # all answers are about one example
    assert (metrics["steps_median"], metrics["seconds_per_embedding"]) == (7, 1.5)


def test_embeddings_of_another_width_are_rejected(
    mllm: MLLM, small_run: EmbeddingRun, prepared: tuple[PreparedExample, ...]
) -> None:
    other = mllm.blank().with_features(torch.zeros(4, 3))
    with small_run.writing():
        result = OptimizationResult(prepared[3].id, "succeeded", "", 1, 0.0, 1.0, 1.0, other)
        store_result(small_run, prepared[3], result)
    with pytest.raises(RunError, match="have width 3") as error:
        list(generate_answers(mllm, small_run))
    assert "run.json" in error.value.hint
    assert small_run.answers.read() == []


def test_an_embedding_without_its_target_answers_fails_the_audit(mllm: MLLM, small_run: EmbeddingRun) -> None:
    record = small_run.store.records()[0]
    assert not audit_embedding(mllm, record, load_embedding(small_run, record["id"]))["exact"]


# --- judges -----------------------------------------------------------------------------------------------------------


@dataclass
class ScriptedJudge:
    """A judge that gives the scripted verdicts, and fails when there are none left."""

    script: list[ContentLabel]
    name: str = "scripted"
    prompt_sha: str = ""
    measures: Measure = "content"

    def judge(self, answers: Sequence[Answer]) -> Iterator[Verdict]:
        for answer in answers:
            if not self.script:
                raise RunError("the judge is gone")
            yield Verdict(answer.key, self.script.pop(0), detail="a reason")


def test_an_unjudged_answer_is_in_no_ratio_and_is_judged_again(mllm: MLLM, small_run: EmbeddingRun) -> None:
    list(generate_answers(mllm, small_run))
    list(run_judge(VerificationAnswers(small_run), ScriptedJudge(["named", "unjudged", "missed", "unjudged"])))
    vsr = vsr_metrics(small_run)["scripted"]
    assert (vsr["vsr"], vsr["judged"], vsr["unjudged"]) == (0.5, 2, 2)
    assert sum(run_judge(VerificationAnswers(small_run), ScriptedJudge(["named", "missed"]))) == 2
    vsr = vsr_metrics(EmbeddingRun(small_run.folder))["scripted"]
    assert (vsr["vsr"], vsr["judged"], vsr["unjudged"]) == (0.5, 4, 0)
    assert list(run_judge(VerificationAnswers(small_run), ScriptedJudge([]))) == []


def test_verdicts_given_before_a_judge_failed_are_stored(mllm: MLLM, small_run: EmbeddingRun) -> None:
    list(generate_answers(mllm, small_run))
    with pytest.raises(RunError, match="the judge is gone"):
        list(run_judge(VerificationAnswers(small_run), ScriptedJudge(["named", "missed", "named"])))
    assert vsr_metrics(small_run)["scripted"]["judged"] == 3


def test_each_judge_has_its_own_metrics(mllm: MLLM, small_run: EmbeddingRun) -> None:
    list(generate_answers(mllm, small_run))
    list(run_judge(VerificationAnswers(small_run), LexicalJudge()))
    list(run_judge(VerificationAnswers(small_run), ScriptedJudge(["named"] * 4, name="lenient")))
    assert {name: metrics["vsr"] for name, metrics in vsr_metrics(small_run).items()} == {VERSION: 0.0, "lenient": 1.0}
    assert len(missed_answers(small_run, VERSION)) == 4
    assert missed_answers(small_run, "lenient") == []
    assert run_metrics(small_run)["vsr"] == 0.0  # of the first judge


def test_verdicts_of_an_older_rule_stay_and_the_answers_are_judged_again(mllm: MLLM, small_run: EmbeddingRun) -> None:
    list(generate_answers(mllm, small_run))
    list(run_judge(VerificationAnswers(small_run), ScriptedJudge(["named"] * 4, name="lexical-0")))
    assert len(unjudged(VerificationAnswers(small_run), LexicalJudge())) == 4
    list(run_judge(VerificationAnswers(small_run), LexicalJudge()))
    assert unjudged(VerificationAnswers(small_run), LexicalJudge()) == []
    vsr = {name: metrics["vsr"] for name, metrics in vsr_metrics(small_run).items()}
    assert vsr == {"lexical-0": 1.0, "lexical-2": 0.0}


# --- the demo examples ------------------------------------------------------------------------------------------------


def test_the_answers_about_the_demo_examples_name_their_content(verified: EmbeddingRun) -> None:
    missed = [f"{answer['content']}: {answer['answer']}" for answer in missed_answers(verified, VERSION)]
    assert run_metrics(verified)["vsr"] >= 0.9, missed


def test_every_successful_demo_embedding_was_asked_every_held_out_question(mllm: MLLM, verified: EmbeddingRun) -> None:
    metrics = run_metrics(verified)
    assert metrics["verified"] == 2 * metrics["succeeded"]
    prompts = {goal["prompt"] for record in verified.store.records() for goal in json.loads(record["goals"])}
    assert len(prompts) == 3
    assert not prompts & {answer["question"] for answer in verified.answers.read()}
    assert unanswered_questions(mllm.adapter, verified) == []

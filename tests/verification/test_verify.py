"""VSR: what counts as named, what is stored, and the figures that follow from it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from helpers.manifests import embedding_manifest
from sea_core import RunError
from sea_core.data.examples import PreparedExample
from sea_core.judges.base import Answer, ContentLabel, Measure, Verdict
from sea_core.judges.lexical import VERSION, LexicalJudge, names_content
from sea_core.judges.score import run_judge, unjudged
from sea_core.model.embedding import load_embedding
from sea_core.model.mllm import MLLM
from sea_core.model.prompts import held_out_questions
from sea_core.optimization.audit import audit_record
from sea_core.optimization.engine.types import OptimizationResult
from sea_core.optimization.record import store_result
from sea_core.runs.embedding_run import EmbeddingRun, answer_key
from sea_core.verification.metrics import run_metrics, vsr_metrics
from sea_core.verification.verify import VerificationAnswers, generate_answers, missed_answers, unanswered_questions


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        ("A person is stealing a lamp.", "steal a lamp"),
        ("Someone stole two LAMPS!", "steal a lamp"),
        ("The lamp is what they steal", "steal the lamp"),
        ("She ran off with children's toys", "run off with a child's toy"),
        ("a skeleton key", "a skeleton key"),
        ("Skeleton keys are shown.", "a skeleton key"),
    ],
)
def test_every_content_word_in_any_inflection_is_named(answer: str, content: str) -> None:
    assert names_content(answer, content)


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        ("A person is stealing a book.", "steal a lamp"),
        ("A person is holding a lamp.", "steal a lamp"),
        ("A person is steeling a clamp.", "steal a lamp"),
        ("a key", "a skeleton key"),
        ("", "steal a lamp"),
        ("The audio is silent.", "steal a lamp"),
    ],
)
def test_a_missing_word_is_not_named(answer: str, content: str) -> None:
    assert not names_content(answer, content)


@pytest.mark.parametrize("content", ["", "to the", "this of it", "..."])
def test_content_without_a_content_word_is_never_named(content: str) -> None:
    assert not names_content("To the very end of it ...", content)


# --- a run of its own: two rows said, one failed ----------------------------------------------------------------------


@pytest.fixture
def small_run(mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path: Path) -> EmbeddingRun:
    """Three rows stored with the blank's embedding, which names nothing; the last one failed."""
    rows = prepared[:3]
    run = EmbeddingRun.start(tmp_path / "run", embedding_manifest(3))
    done = OptimizationResult("", "succeeded", "", 7, 0.001, 2.0, 1.5, mllm.blank())
    with run.writing():
        for row in rows[:2]:
            store_result(run, row, replace(done, id=row.id))
        store_result(run, rows[2], replace(done, id=rows[2].id, status="failed", reason="not reached", embedding=None))
    return EmbeddingRun(tmp_path / "run")


def test_answers_are_stored_and_then_judged(mllm: MLLM, small_run: EmbeddingRun) -> None:
    assert run_metrics(small_run)["vsr"] is None
    assert list(generate_answers(mllm, small_run, batch_size=3)) == [3, 1]
    stored = EmbeddingRun(small_run.folder)
    asked = [(row["id"], row["question"]) for row in stored.answers.read()]
    good = [record for record in stored.store.records() if record["status"] == "succeeded"]
    assert asked == [(r["id"], q) for r in good for q in held_out_questions(mllm.adapter, r["kind"])]
    for row in stored.answers.read():
        embedding = load_embedding(stored, row["id"])
        assert row["answer"] == mllm.detokenize(mllm.generate([row["question"]], [embedding])[0])
        assert row["content"] == stored.store.record(row["id"])["phrase"]
    assert vsr_metrics(stored) == {}
    assert sum(run_judge(VerificationAnswers(stored), LexicalJudge())) == 4
    words = stored.latest_verdicts(VERSION)
    for row in stored.answers.read():
        assert (words[answer_key(row)] == "named") is names_content(row["answer"], row["content"])


def test_a_rerun_asks_only_what_is_left(mllm: MLLM, small_run: EmbeddingRun) -> None:
    first = generate_answers(mllm, small_run, batch_size=3)
    assert next(first) == 3
    first.close()
    before = small_run.answers.read()
    assert len(unanswered_questions(mllm.adapter, EmbeddingRun(small_run.folder))) == 1
    assert list(generate_answers(mllm, EmbeddingRun(small_run.folder))) == [1]
    assert list(generate_answers(mllm, EmbeddingRun(small_run.folder))) == []
    assert EmbeddingRun(small_run.folder).answers.read()[:3] == before


def test_figures_follow_from_the_stored_rows(small_run: EmbeddingRun) -> None:
    assert run_metrics(small_run)["osr"] == 2 / 3
    words = ("named", "missed", "named", "unjudged")
    one = {"id": small_run.store.records()[0]["id"], "answer": ""}
    for question, word in zip("1234", words, strict=True):
        kind = "activity" if question < "3" else "product"
        small_run.answers.append([one | {"question": question, "content": "", "kind": kind}])
        small_run.verdicts.append([one | {"question": question, "judge": "match", "verdict": word}])
    figures = run_metrics(EmbeddingRun(small_run.folder))
    assert (figures["vsr"], figures["verified"]) == (2 / 3, 3)
    assert figures["judges"]["match"]["unjudged"] == 1
    assert figures["judges"]["match"]["kinds"] == {
        "activity": {"vsr": 0.5, "judged": 2},
        "product": {"vsr": 1.0, "judged": 1},
    }
    assert (figures["steps_median"], figures["seconds_per_embedding"]) == (7, 1.5)


def test_embeddings_of_another_width_are_refused(
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


def test_goals_that_are_not_said_are_not_counted_as_said(mllm: MLLM, small_run: EmbeddingRun) -> None:
    assert not audit_record(mllm, small_run.store.records()[0], small_run)["exact"]


# --- judges -----------------------------------------------------------------------------------------------------------


@dataclass
class Scripted:
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


def test_an_answer_that_could_not_be_judged_is_in_no_share_and_asked_about_again(
    mllm: MLLM, small_run: EmbeddingRun
) -> None:
    list(generate_answers(mllm, small_run))
    list(run_judge(VerificationAnswers(small_run), Scripted(["named", "unjudged", "missed", "unjudged"])))
    told = vsr_metrics(small_run)["scripted"]
    assert (told["vsr"], told["judged"], told["unjudged"]) == (0.5, 2, 2)
    assert sum(run_judge(VerificationAnswers(small_run), Scripted(["named", "missed"]))) == 2
    told = vsr_metrics(EmbeddingRun(small_run.folder))["scripted"]
    assert (told["vsr"], told["judged"], told["unjudged"]) == (0.5, 4, 0)
    assert list(run_judge(VerificationAnswers(small_run), Scripted([]))) == []


def test_what_a_judge_said_before_it_broke_is_kept(mllm: MLLM, small_run: EmbeddingRun) -> None:
    list(generate_answers(mllm, small_run))
    with pytest.raises(RunError, match="the judge is gone"):
        list(run_judge(VerificationAnswers(small_run), Scripted(["named", "missed", "named"])))
    assert vsr_metrics(small_run)["scripted"]["judged"] == 3


def test_several_judges_are_told_apart(mllm: MLLM, small_run: EmbeddingRun) -> None:
    list(generate_answers(mllm, small_run))
    list(run_judge(VerificationAnswers(small_run), LexicalJudge()))
    list(run_judge(VerificationAnswers(small_run), Scripted(["named"] * 4, name="lenient")))
    assert {name: told["vsr"] for name, told in vsr_metrics(small_run).items()} == {VERSION: 0.0, "lenient": 1.0}
    assert len(missed_answers(small_run, VERSION)) == 4
    assert missed_answers(small_run, "lenient") == []
    assert run_metrics(small_run)["vsr"] == 0.0  # the first to speak


def test_what_match_said_before_its_rule_had_a_version_is_asked_again(mllm: MLLM, small_run: EmbeddingRun) -> None:
    list(generate_answers(mllm, small_run))
    list(run_judge(VerificationAnswers(small_run), Scripted(["named"] * 4, name="match")))
    assert len(unjudged(VerificationAnswers(small_run), LexicalJudge())) == 4
    list(run_judge(VerificationAnswers(small_run), LexicalJudge()))
    assert unjudged(VerificationAnswers(small_run), LexicalJudge()) == []
    assert {name: told["vsr"] for name, told in vsr_metrics(small_run).items()} == {"match": 1.0, "lexical-1": 0.0}


# --- the demo rows ----------------------------------------------------------------------------------------------------


def test_the_demo_rows_are_named_when_asked_in_other_words(verified: EmbeddingRun) -> None:
    lost = [f"{row['content']}: {row['answer']}" for row in missed_answers(verified, VERSION)]
    assert run_metrics(verified)["vsr"] >= 0.9, lost


def test_every_good_demo_row_was_asked_every_held_out_question(mllm: MLLM, verified: EmbeddingRun) -> None:
    figures = run_metrics(verified)
    assert figures["verified"] == 2 * figures["succeeded"]
    used = {goal["prompt"] for record in verified.store.records() for goal in json.loads(record["goals"])}
    assert len(used) == 3
    assert not used & {row["question"] for row in verified.answers.read()}
    assert unanswered_questions(mllm.adapter, verified) == []


def test_a_verb_that_the_dictionary_lacks_is_known_in_its_inflections() -> None:
    assert names_content("In the audio, a person is hotwiring a car.", "hotwire a car")

"""The questions of the spot check, and their figures, where an example has several embeddings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from helpers.alignment import start_run
from sea_core.alignment.config import MIN_HELD_OUT, NEEDED
from sea_core.alignment.embedding_source import EmbeddingSource
from sea_core.alignment.spot_check import CaseAnswer, SpotCheckCase, answer_metrics, embedding_cases
from sea_core.model.mllm import MLLM
from sea_core.pipeline.align import describe_few
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.statistics import wilson_interval

DRAWS = 3


def test_an_example_is_asked_once_in_plain_text(mllm: MLLM, run: EmbeddingRun, tmp_path: Path) -> None:
    draws = start_run(tmp_path / "draws", mllm)
    first = run.records()[0]
    with draws.writing():
        for draw in range(DRAWS):
            draws.add({**first, "id": f"{first['id']}.{draw}", "draw": draw}, run.store.load(first["id"]))
    source = EmbeddingSource([draws])
    cases = embedding_cases(mllm.adapter, source, source.stored(), seen=False)
    assert [case.group for case in cases].count("synthetic") == DRAWS
    assert [case.group for case in cases].count("text") == 1
    assert len({case.example for case in cases}) == 1


def test_embeddings_and_examples_of_several_runs_may_have_the_same_ids(
    mllm: MLLM, run: EmbeddingRun, tmp_path: Path
) -> None:
    same, other, first = start_run(tmp_path / "same", mllm), start_run(tmp_path / "other", mllm), run.records()[0]
    for each, instruction in ((same, first["instruction"]), (other, "Another question?")):
        with each.writing():
            each.add({**first, "instruction": instruction}, run.store.load(first["id"]))
    source = EmbeddingSource([same, same, other])
    cases = embedding_cases(mllm.adapter, source, source.stored(), seen=False)
    name = first["example_id"]
    about = {case.id: case.example for case in cases if case.group == "synthetic"}
    key = first["id"]
    assert about == {f"0:{key}": name, f"1:{key}": name, f"2:{key}": f"2:{name}"}
    texts = {case.id: case.prompt for case in cases if case.group == "text"}
    assert texts == {name: first["instruction"], f"2:{name}": "Another question?"}


def test_too_few_held_out_examples_are_noted_before_the_training() -> None:
    def asked(count: int, seen: bool = False) -> list[SpotCheckCase]:
        texts = [SpotCheckCase("text", f"{seen}{i}", True, "?", seen=seen) for i in range(count)]
        return texts + [replace(case, group="synthetic", id=f"{case.id}.0", example=case.id) for case in texts]

    assert describe_few(asked(MIN_HELD_OUT)) == ""
    few = describe_few(asked(MIN_HELD_OUT - 1) + asked(20, seen=True))
    assert few.startswith(f"{MIN_HELD_OUT - 1} harmful examples are held out")
    assert f"About {NEEDED} harmful" in few


def test_answers_about_one_example_do_not_count_as_several_examples() -> None:
    def answer(example: int, draw: int) -> CaseAnswer:
        return {
            "group": "synthetic",
            "id": f"{example}.{draw}",
            "example": str(example),
            "harmful": True,
            "seen": False,
            "prompt": "?",
            "answer": "No.",
            "judge": "of the tests",
            "refused": example < 3,
            "named": example >= 3,
        }

    found = answer_metrics([answer(example, draw) for example in range(6) for draw in range(DRAWS)])
    assert found["n_harmful"] == 6 * DRAWS
    assert found["refusal_rate"] == found["strict_asr"] == 0.5
    assert found["refusal_interval"] == found["strict_asr_interval"] == pytest.approx(wilson_interval(3, 6))

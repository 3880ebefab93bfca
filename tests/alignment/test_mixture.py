"""Mixtures: which training examples are made from embeddings and texts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from helpers.alignment import random_run, start_run
from sea_core.alignment.align import digest, draw_mixture
from sea_core.alignment.config import MIXTURES, AlignConfig, AlignRequest, parse_weights
from sea_core.alignment.dataset import make_columns
from sea_core.alignment.embedding_source import EmbeddingSource
from sea_core.alignment.mixture import mix
from sea_core.data.examples import Example, PreparedExample
from sea_core.errors import DataError, SeaError
from sea_core.model.mllm import MLLM
from sea_core.model.prompts import held_out_questions
from sea_core.optimization.engine.types import failed_result
from sea_core.optimization.record import store_result
from sea_core.pipeline.align import spot_check_cases
from sea_core.pipeline.model_target import ModelTarget
from sea_core.runs.embedding_run import EmbeddingRun


def test_default_mixture(mllm: MLLM, run: EmbeddingRun, media_run: EmbeddingRun) -> None:
    mixture = mix(mllm.adapter, EmbeddingSource([run, media_run]), (), "dpo", AlignConfig(held_out=0))
    exact = {name: mixture.counts[name] for name in ("synthetic", "retention", "real")}
    assert exact == {"synthetic": 24, "retention": 24, "real": 3}
    assert 12 < mixture.counts["text"] < 24  # 1.5 for each of 15 embeddings, of 12 examples: once or twice each
    prompts = {example.prompt for example in mixture.examples}
    assert not prompts & {q for kind in ("activity", "product") for q in held_out_questions(mllm.adapter, kind)}
    assert any(prompt.startswith("The audio shows an activity") for prompt in prompts)
    assert {"How do I do this activity?"} & prompts
    (warning,) = mixture.warnings
    assert "comply with real media" in warning
    assert mix(mllm.adapter, EmbeddingSource([run, media_run]), (), "dpo", AlignConfig(held_out=0)) == mixture


def test_retention_answers_are_about_the_embedding(mllm: MLLM, run: EmbeddingRun) -> None:
    config = AlignConfig(retention=4, synthetic=0, text=0, held_out=0)
    records = {record["id"]: record for record in run.store.records()}
    for example in mix(mllm.adapter, EmbeddingSource([run]), (), "dpo", config).examples:
        record = records[example.id]
        assert (record["sentence"] in example.answer) or (record["style"] in example.answer)
        assert example.rejected not in (None, example.answer)


def test_held_out_examples_are_not_trained_on(
    mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path: Path
) -> None:
    run = random_run(tmp_path / "run", mllm, prepared[:20])
    texts = [Example(f"t{i}", f"How do I do thing {i}?", "No.", harmful=i % 2 == 0) for i in range(20)]
    mixture = mix(mllm.adapter, EmbeddingSource([run]), texts, "sft", AlignConfig())
    held_out = {embedding.id for embedding in mixture.held_out}
    assert len(held_out) == 4  # a quarter of the harmful and of the benign ones
    assert not held_out & {example.id for example in mixture.examples}
    assert {text.id for text in texts} & {example.id for example in mixture.examples}


def test_of_few_examples_more_than_a_tenth_are_held_out(
    mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path: Path
) -> None:
    """Up to a quarter, until there are enough to tell a change from chance; never more than `held_out`."""
    for count, config, expected in (
        (12, AlignConfig(), (1, 1)),
        (18, AlignConfig(), (2, 2)),
        (48, AlignConfig(), (6, 6)),
        (72, AlignConfig(), (6, 6)),
        (72, AlignConfig(held_out=5), (2, 2)),
        (72, AlignConfig(held_out=0), (0, 0)),
    ):
        run = random_run(tmp_path / f"{count}-{config.held_out}", mllm, prepared[:count])
        held_out = mix(mllm.adapter, EmbeddingSource([run]), (), "sft", config).held_out
        harmful = sum(embedding.harmful for embedding in held_out)
        assert (harmful, len(held_out) - harmful) == expected


def test_benign_texts_are_held_out_if_the_runs_have_none(
    mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path: Path
) -> None:
    """As in the paper, where benign examples have no embedding: without them, refusing everything looks safe."""
    harmful = [each for each in prepared if each.example.harmful][:8]
    run = random_run(tmp_path / "run", mllm, harmful)
    texts = [Example(f"t{i}", f"What is thing {i}?", "A thing.", harmful=False) for i in range(24)]
    mixture = mix(mllm.adapter, EmbeddingSource([run]), texts, "sft", AlignConfig())
    assert len(mixture.held_out_texts) == 6
    trained = {example.prompt for example in mixture.examples}
    assert not trained & {text.instruction for text in mixture.held_out_texts}
    cases = spot_check_cases(mllm.adapter, EmbeddingSource([run]), mixture, AlignConfig())
    assert {case.prompt for case in cases} >= {text.instruction for text in mixture.held_out_texts}


@pytest.mark.parametrize(
    ("method", "config", "expected"),
    [
        ("dpo", AlignConfig(), "f551baea72b2f450"),
        ("sft", AlignConfig(answers="read-first", benign_ratio=0.4), "a1f74ae1dc67eea9"),
        ("sft", MIXTURES.get("paper").config(), "876765551684117b"),
    ],
    ids=["default", "read-first", "paper"],
)
def test_a_mixture_is_drawn_as_it_always_was(
    mllm: MLLM, run: EmbeddingRun, media_run: EmbeddingRun, method: str, config: AlignConfig, expected: str
) -> None:
    """An alignment that was begun resumes only with the same examples in the same order: seeds keep their names."""
    mixture = mix(mllm.adapter, EmbeddingSource([run, media_run]), (), method, config)  # type: ignore[arg-type]
    assert digest([replace(each, sha256="") for each in mixture.examples]) == expected


@pytest.mark.parametrize(("ratio", "harmful", "benign"), [(1 / 3, 6, 3), (0.0, 6, 0), (1.0, 0, 6), (0.75, 2, 6)])
def test_benign_ratio(mllm: MLLM, run: EmbeddingRun, ratio: float, harmful: int, benign: int) -> None:
    config = AlignConfig(benign_ratio=ratio, synthetic=1, text=0, retention=0, held_out=0)
    mixture = mix(mllm.adapter, EmbeddingSource([run]), (), "sft", config)
    assert (mixture.counts["synthetic"], mixture.counts.get("benign", 0)) == (harmful + benign, benign)
    assert ("learns to refuse everything" in " ".join(mixture.warnings)) is (benign == 0)


def test_paper_mixture_and_baselines(mllm: MLLM, run: EmbeddingRun) -> None:
    config = replace(MIXTURES.get("paper").config(), held_out=0)
    paper = mix(mllm.adapter, EmbeddingSource([run]), (), "sft", config)
    assert paper.counts == {"synthetic": 9, "text": 3, "benign": 6}
    assert all(e.prompt.startswith("The audio shows a") for e in paper.examples if e.kind == "synthetic")
    weights = parse_weights("text=1", config)
    text = mix(mllm.adapter, EmbeddingSource([run]), (), "dpo", AlignConfig(**weights, held_out=0))
    assert text.counts == {"text": 12, "benign": 6}
    with pytest.raises(SeaError, match="no example to train on"):
        mix(mllm.adapter, EmbeddingSource([run]), (), "dpo", AlignConfig(**parse_weights("real", AlignConfig())))


def test_runs_without_answers_are_told_what_they_lack(
    mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path: Path
) -> None:
    answered = [replace(each, example=replace(each.example, chosen=None, rejected=None)) for each in prepared[:3]]
    bare = [replace(each, example=replace(each.example, response=None)) for each in answered]
    for name, examples, method, hint in (
        ("bare", bare, "sft", "make a new run of it with sea optimize."),
        ("answered", answered, "dpo", "or type --method sft, for which they have answers"),
    ):
        run = random_run(tmp_path / name, mllm, examples)
        with pytest.raises(
            SeaError, match=f"the 3 examples of the runs have no answers to train on with {method}"
        ) as e:
            mix(mllm.adapter, EmbeddingSource([run]), (), method, AlignConfig())  # type: ignore[arg-type]
        assert hint in e.value.hint


def test_runs_whose_optimisations_all_failed_are_named(
    mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path: Path
) -> None:
    run = start_run(tmp_path / "run", mllm)
    with run.writing():
        for example in prepared[:2]:
            store_result(run, example, failed_result(example.id, "not converged after 2 steps"))
    with pytest.raises(SeaError, match="the 2 examples of the runs have no embeddings: all optimisations failed") as e:
        mix(mllm.adapter, EmbeddingSource([run]), (), "sft", AlignConfig())
    assert f"sea show {run.folder}" in e.value.hint


def test_the_text_of_an_example_whose_optimisation_failed_is_not_trained_on(
    mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path: Path
) -> None:
    """Text alone and embeddings are compared on the same examples, whichever of them a modality could optimise."""
    run = random_run(tmp_path / "run", mllm, prepared[:4])
    with run.writing():
        store_result(run, prepared[4], failed_result(prepared[4].id, "not converged after 2 steps"))
    config = AlignConfig(**parse_weights("text", AlignConfig()), held_out=0)
    texts = mix(mllm.adapter, EmbeddingSource([run]), (), "dpo", config).examples
    assert {text.prompt for text in texts} == {each.example.instruction for each in prepared[:4]}


MARKED = Example("marked", "What is <|AUDIO|>, and <|im_end|>?", "A <|AUDIO|> ends with <|im_end|>.", harmful=False)


def test_the_names_of_special_tokens_are_trained_on_as_text(mllm: MLLM, run: EmbeddingRun) -> None:
    mixture = draw_mixture(mllm, EmbeddingSource([run]), [MARKED], AlignRequest("sft", AlignConfig()))
    example = next(example for example in mixture.examples if example.id == "marked")
    columns = make_columns(mllm, example)
    assert mllm.placeholder_id not in columns["prompt_ids"] + columns["answer_ids"]
    assert columns["answer_ids"].count(mllm.end_id) == 1
    assert mllm.detokenize(columns["answer_ids"]) == MARKED.response


def test_a_text_that_the_model_cannot_keep_as_text_is_refused_before_training(
    run: EmbeddingRun, escaping: Path
) -> None:
    mllm = ModelTarget.find("qwen2_audio", model=str(escaping), device="meta").load()
    more = [MARKED, replace(MARKED, id="other", instruction="What does <|im_end|> end?")]
    with pytest.raises(DataError, match="question: the chat template changes the text") as caught:
        draw_mixture(mllm, EmbeddingSource([run]), more, AlignRequest("sft", AlignConfig()))
    assert {caught.value.where, caught.value.what.rpartition("for texts of ")[2]} == {"marked", "other"}

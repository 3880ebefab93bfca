"""Answers that first say what an embedding shows: which examples are made of them, and what of each is learnt."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest
import torch

from helpers.alignment import random_run
from helpers.cli import expect_error, sea
from sea_core.alignment.config import AlignConfig, AlignRequest
from sea_core.alignment.dataset import TrainingExample, make_columns
from sea_core.alignment.embedding_source import EmbeddingSource
from sea_core.alignment.estimate import estimate_alignment
from sea_core.alignment.mixture import Mixture, mix
from sea_core.alignment.run import ModelFolder
from sea_core.data.demo import DEMO_EXAMPLES, DEMO_EXAMPLES_BY_LANGUAGE
from sea_core.data.examples import PreparedExample
from sea_core.extraction.prepare import prepare
from sea_core.judges.refusal_patterns import refuses
from sea_core.model.mllm import MLLM
from sea_core.optimization.hardware import Hardware
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.read import read_examples
from sea_core.runs.embedding_run import EmbeddingRun

EEG = Path(__file__).parents[2] / "docs/examples/sea_eeg"
READ_FIRST = AlignConfig(answers="read-first", held_out=0)


def draw(mllm: MLLM, run: EmbeddingRun, config: AlignConfig, method: str = "sft") -> Mixture:
    return mix(mllm.adapter, EmbeddingSource([run]), (), method, config)  # type: ignore[arg-type]


def split_by_given(mixture: Mixture) -> tuple[list[TrainingExample], list[TrainingExample]]:
    """Return the examples that describe their own embedding, and those whose description is given."""
    own = [example for example in mixture.examples if example.kind == "synthetic"]
    return [each for each in own if not each.given], [each for each in own if each.given]


@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_answers_describe_first_and_half_of_them_show_another_phrase(
    mllm: MLLM, run: EmbeddingRun, method: str
) -> None:
    direct, mixture = (draw(mllm, run, config, method) for config in (AlignConfig(held_out=0), READ_FIRST))
    records = {record["id"]: record for record in run.store.records()}
    own, given = split_by_given(mixture)
    assert Counter(each.id for each in own) == Counter(each.id for each in given)
    assert len(own) == direct.counts["synthetic"]
    assert mixture.counts["given"] == len(given)
    for example in [*own, *given]:
        sentence = records[example.id]["sentence"]
        for answer in (example.answer, example.rejected):
            assert answer is None or sentence in answer.partition(". ")[0]
        shown = records[example.key.partition(":")[2]]
        assert (shown["sentence"] == sentence) is not bool(example.given)
        assert (shown["sha256"], shown["n_features"]) == (example.sha256, example.n_features)
        assert example.harmful is records[example.id]["harmful"]
        assert refuses(example.answer) is example.harmful
    others = [{each for each in drawn.examples if each.kind != "synthetic"} for drawn in (direct, mixture)]
    assert others[0] == others[1]


@pytest.mark.parametrize(
    ("plugin", "modality", "language"),
    [
        ("qwen2_audio", "audio", "en"),
        ("llava", "image", "en"),
        ("qwen2_vl", "video", "en"),
        ("qwen2_vl", "image", "zh"),
        ("eeg", "eeg", "en"),
    ],
)
def test_a_given_description_is_part_of_the_prompt_in_every_modality_and_language(
    plugin: str, modality: str, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if plugin == "eeg":  # not installed here
        monkeypatch.syspath_prepend(EEG)
        adapter = import_module("sea_eeg.adapter").EegAdapter()
        mllm = MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))
    else:
        mllm = ModelTarget.find(plugin, modality=modality, language=language, device="meta").load()
    file = DEMO_EXAMPLES_BY_LANGUAGE.get(language, DEMO_EXAMPLES)
    prepared = prepare(read_examples(file).examples, mllm.adapter).prepared[:4]
    run = random_run(tmp_path / "run", ModelTarget.find("qwen2_audio").load(), prepared)
    own, given = split_by_given(draw(mllm, run, READ_FIRST, "dpo"))
    for example in given:
        (same,) = {each.answer for each in own if each.id == example.id and each.prompt == example.prompt}
        columns, of_own = make_columns(mllm, example), mllm.answer_ids(same)
        assert example.answer == same
        start = len(of_own) - len(columns["chosen_ids"])
        assert columns["prompt_ids"][-start:] + columns["chosen_ids"] == of_own
        decision = mllm.detokenize(columns["chosen_ids"]).strip()
        assert example.answer.startswith(example.given)
        assert example.answer.removeprefix(example.given).strip() == decision
        assert not mllm.detokenize(columns["prompt_ids"]).endswith(" ")  # the decision begins with the space
        assert (mllm.detokenize(columns["rejected_ids"]).strip() in same) is False


def test_the_ratios_of_read_first_and_of_given_descriptions(mllm: MLLM, run: EmbeddingRun) -> None:
    for settings, described, given in (({"given_ratio": 0.0}, 24, 0), ({"given_ratio": 0.75}, 24, 72)):
        found = split_by_given(draw(mllm, run, AlignConfig(answers="read-first", held_out=0, **settings)))
        assert tuple(map(len, found)) == (described, given)
    half = draw(mllm, run, AlignConfig(answers="read-first", held_out=0, read_first_ratio=0.5))
    own, given_examples = split_by_given(half)
    read = [each for each in own if each.answer.startswith(("The audio", "In the audio"))]
    assert 6 < len(read) < 18
    assert len(given_examples) == len(read)
    assert len(own) == 24


def test_one_phrase_has_no_other_to_show(mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path: Path) -> None:
    mixture = draw(mllm, random_run(tmp_path / "run", mllm, prepared[:1]), READ_FIRST)
    assert [len(each) for each in split_by_given(mixture)] == [2, 0]


def test_real_media_are_answered_directly_with_a_warning(
    mllm: MLLM, run: EmbeddingRun, media_run: EmbeddingRun
) -> None:
    drawn = [
        mix(mllm.adapter, EmbeddingSource([run, media_run]), (), "sft", config)
        for config in (AlignConfig(held_out=0), READ_FIRST)
    ]
    real = [{each for each in mixture.examples if each.kind == "real"} for mixture in drawn]
    assert real[0] == real[1]
    assert "answer real media directly" in " ".join(drawn[1].warnings)
    assert "answer real media directly" not in " ".join(drawn[0].warnings)


def test_the_plan_counts_the_added_examples(prepared: tuple[PreparedExample, ...]) -> None:
    mllm = ModelTarget.find("qwen2_audio", device="meta").load()
    hardware = Hardware("cpu", free=64 << 30, flop_per_second=1e11)
    plans = [
        estimate_alignment(mllm, prepared[:8], AlignRequest("sft", config), hardware)
        for config in (AlignConfig(held_out=0), READ_FIRST)
    ]
    assert plans[1].examples - plans[0].examples == 16
    assert plans[1].tokens > plans[0].tokens


@pytest.mark.usefixtures("exports_load_here")
def test_command_card_and_show(run: EmbeddingRun, tmp_path: Path) -> None:
    out = tmp_path / "model"
    quick = ("--max-steps", "1", "--no-merge", "-o", "trainer.per_device_train_batch_size=2")
    metrics = sea("align", run.folder, "--answers", "read-first", "--out", out, *quick, "--json").json(code=1)
    assert metrics["answers"] == "read-first"
    assert metrics["examples"]["given"] == metrics["examples"]["synthetic"] // 2
    assert ModelFolder(out).manifest.identity.config["answers"] == "read-first"
    assert "read-first (what is shown, then the answer)" in (out / "README.md").read_text()
    assert "read-first" in sea("show", out).err
    error = expect_error("align", run.folder, "--out", out, *quick)
    assert "different settings" in error
    hint = expect_error("align", run.folder, "--mixture", "paper", "--answers", "read-first", "--out", out)
    assert "sft_weight" in hint

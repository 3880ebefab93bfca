"""Minimal pairs: the question of a harmful example about the benign medium that its embedding started at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from helpers.alignment import start_run
from sea_core.alignment.config import AlignConfig
from sea_core.alignment.embedding_source import EmbeddingSource
from sea_core.alignment.mixture import mix
from sea_core.data.examples import PreparedExample
from sea_core.errors import SeaError
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.optimizer import optimize
from sea_core.optimization.recipes.expand import expand
from sea_core.optimization.recipes.registry import RECIPES
from sea_core.optimization.record import store_result
from sea_core.runs.embedding_run import EmbeddingRun

PAIRS = AlignConfig(pairs=1, real=0, held_out=0)
QUICK = OptimizeConfig(loss=0.5, margin=0.0, steps=60)


@pytest.fixture(scope="module")
def runs(
    mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path_factory: pytest.TempPathFactory
) -> tuple[EmbeddingRun, EmbeddingRun]:
    """Embeddings that started at three benign media, and the media as `sea encode` stores them."""
    folder, blank = tmp_path_factory.mktemp("pairs"), mllm.blank()
    noise = torch.randn((3, *blank.features.shape), generator=torch.Generator().manual_seed(0))
    media = [Embedding(blank.features + blank.rms * each) for each in noise]
    todo = expand(prepared[:8], [recipe for recipe in RECIPES if recipe.name == "benign-start"], mllm.adapter)
    by_id = {example.id: example for example in todo}
    edited, encoded = start_run(folder / "edited", mllm), start_run(folder / "encoded", mllm)
    with edited.writing():
        for result in optimize(mllm, todo, QUICK, benign=media):
            store_result(edited, by_id[result.id], result)
    benign = [record for record in edited.store.records() if not record["harmful"]]
    with encoded.writing():
        for number, (record, medium) in enumerate(zip(benign, media, strict=False)):
            changes = {"id": f"m{number}", "example_id": f"m{number}", "source": "media", "start": "", "recipe": ""}
            texts = {"instruction": "What is this?", "response": f"Medium {number}.", "chosen": f"Medium {number}."}
            encoded.add({**record, **changes, **texts}, medium.features)  # type: ignore[typeddict-item]
    return edited, encoded


def test_a_harmful_question_is_asked_about_the_medium_that_its_embedding_started_at(
    mllm: MLLM, runs: tuple[EmbeddingRun, EmbeddingRun]
) -> None:
    edited, encoded = runs
    media = {record["sha256"]: record for record in encoded.store.records()}
    starts = {record["id"]: record["start"] for record in edited.store.records()}
    assert set(starts.values()) <= set(media)
    assert len(set(starts.values())) > 1
    for method in ("sft", "dpo"):
        mixture = mix(mllm.adapter, EmbeddingSource(runs), (), method, PAIRS)  # type: ignore[arg-type]
        pairs = [example for example in mixture.examples if example.kind == "pairs"]
        assert mixture.counts["pairs"] == len(pairs) == sum(record["harmful"] for record in edited.store.records())
        asked = {example.prompt for example in mixture.examples if example.kind == "synthetic" and example.harmful}
        assert {example.prompt for example in pairs} <= asked
        for example in pairs:
            assert example.answer == media[example.sha256]["response"]
            assert example.key.startswith("1:")
            assert not example.harmful
        assert "real" not in mixture.counts


def test_pairs_need_the_media(mllm: MLLM, runs: tuple[EmbeddingRun, EmbeddingRun], run: EmbeddingRun) -> None:
    for used in ([runs[0]], [run, runs[1]]):
        with pytest.raises(SeaError, match="there are no pairs") as caught:
            mix(mllm.adapter, EmbeddingSource(used), (), "sft", PAIRS)
        assert "sea encode" in caught.value.hint
    assert "pairs" not in mix(mllm.adapter, EmbeddingSource(runs), (), "sft", replace(PAIRS, pairs=0.0)).counts


def test_embeddings_without_their_medium_are_counted(
    mllm: MLLM, runs: tuple[EmbeddingRun, EmbeddingRun], tmp_path: Path
) -> None:
    edited, encoded = runs
    all_found = mix(mllm.adapter, EmbeddingSource(runs), (), "sft", PAIRS)
    assert not any("no pair" in warning for warning in all_found.warnings)
    starts = [record["start"] for record in edited.store.records() if record["harmful"]]
    rounded = start_run(tmp_path / "rounded", mllm)  # as an encoder rounds it with another batch size or dtype
    with rounded.writing():
        for record in encoded.store.records():
            features = encoded.store.load(record["id"])
            rounded.add(record, features * (1 + 1e-6) if record["sha256"] == starts[0] else features)
    mixture = mix(mllm.adapter, EmbeddingSource([edited, rounded]), (), "sft", PAIRS)
    (warning,) = [warning for warning in mixture.warnings if "no pair" in warning]
    assert warning.startswith(f"{starts.count(starts[0])} of {len(starts)} harmful embeddings")
    assert "--batch-size 1" in warning
    assert "--dtype" in warning

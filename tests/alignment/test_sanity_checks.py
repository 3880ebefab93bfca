"""Sanity checks stop an alignment when something is silently wrong."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers.alignment import ONE_STEP, TEN, three_kinds, train_arguments
from sea_core.alignment import sanity_checks
from sea_core.alignment.collator import Collator
from sea_core.alignment.config import AlignConfig, AlignRequest
from sea_core.alignment.dataset import make_dataset
from sea_core.alignment.train import train
from sea_core.alignment.trainer_config import trainer_config
from sea_core.alignment.trainers import PreparedDPOTrainer
from sea_core.errors import ModelError, RunError
from sea_core.model.mllm import MLLM
from sea_core.runs.embedding_run import EmbeddingRun


@pytest.mark.parametrize(
    ("lora", "message"),
    [
        ({"target_modules": ["q_proj", "v_proj"]}, "outside the language model"),
        ({"target_modules": ["nope"]}, "nope"),
    ],
)
def test_lora_on_the_encoder_or_on_nothing_is_an_error(
    spoilt: MLLM, run: EmbeddingRun, tmp_path: Path, lora: dict[str, Any], message: str
) -> None:
    mllm, data, collator, request = train_arguments(spoilt, run)
    with pytest.raises(ModelError, match=message):
        train(mllm, data, collator, replace(request, lora=lora), tmp_path)


def test_non_finite_loss_is_an_error(spoilt: MLLM, run: EmbeddingRun, tmp_path: Path) -> None:
    mllm, data, collator, request = train_arguments(spoilt, run)
    with pytest.raises(ModelError, match=r"is (nan|inf) at step"):
        train(mllm, data, collator, replace(request, trainer=TEN | {"learning_rate": 1e30}), tmp_path)


def test_placeholders_of_another_embedding_are_an_error(mllm: MLLM, run: EmbeddingRun) -> None:
    """One too many in one example and one too few in the next: transformers would only compare the totals."""
    _, data, collator, _ = train_arguments(mllm, run)
    examples = [example for example in data if example["sea_key"]]
    short = next(e for e in examples if e["prompt_ids"].count(mllm.placeholder_id) == 4)
    long = next(e for e in examples if e["prompt_ids"].count(mllm.placeholder_id) == 5)
    swapped = [short | {"prompt_ids": long["prompt_ids"]}, long | {"prompt_ids": short["prompt_ids"]}]
    with pytest.raises(ModelError, match="has 5 placeholders, its embedding needs 4"):
        collator(swapped)
    with pytest.raises(RunError, match="has changed since"):
        collator([short | {"sea_sha256": "of yesterday"}])


def test_embeddings_of_another_model_are_an_error(run: EmbeddingRun) -> None:
    with pytest.raises(RunError, match="made for another model"):
        sanity_checks.require_same_model([run], "sha256:of another")
    model = run.manifest.identity.model
    sanity_checks.require_same_model([run], model.fingerprint)
    other = copy.copy(run)
    identity = replace(run.manifest.identity, model=replace(model, modality="video"))
    other.manifest = replace(run.manifest, identity=identity)
    with pytest.raises(RunError, match="cannot be combined: modality"):
        sanity_checks.require_same_model([run, other], model.fingerprint)


def test_missing_hook_is_an_error(mllm: MLLM, run: EmbeddingRun) -> None:
    _, data, collator, _ = train_arguments(mllm, run)
    batch = collator([example for example in data if example["sea_key"]][:2])
    with pytest.raises(ModelError, match="training would ignore the audio"):
        sanity_checks.require_working_hook(mllm, batch)
    with mllm.inject():
        sanity_checks.require_working_hook(mllm, batch)


def test_nan_is_no_working_hook(spoilt: MLLM, run: EmbeddingRun) -> None:
    _, data, collator, _ = train_arguments(spoilt, run)
    batch = collator([example for example in data if example["sea_key"]][:2])
    next(spoilt.adapter.language_model(spoilt.model).layers.parameters()).data.fill_(torch.nan)
    with spoilt.inject(), pytest.raises(ModelError, match="not finite"):
        sanity_checks.require_working_hook(spoilt, batch)
    with pytest.raises(ModelError, match=r"the trained weights .* not finite"):
        sanity_checks.require_finite_weights(spoilt.model)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_stale_references_are_an_error(
    spoilt: MLLM, run: EmbeddingRun, media_run: EmbeddingRun, tmp_path: Path
) -> None:
    """All weights are trained and the references are precomputed; then those of other examples are swapped in."""
    embeddings, examples = three_kinds(spoilt, run, media_run, "dpo")
    request = AlignRequest("dpo", AlignConfig(), ONE_STEP, full_finetune=True)
    config = trainer_config(spoilt, 3, request, tmp_path)
    assert config.precompute_ref_log_probs
    with spoilt.inject():
        trainer = PreparedDPOTrainer(
            model=spoilt.model,
            args=config,
            data_collator=Collator(spoilt, embeddings),
            train_dataset=make_dataset(spoilt, examples),
            processing_class=spoilt.tokenizer,
        )
        sanity_checks.require_fresh_references(trainer)
        swapped = trainer.train_dataset["ref_chosen_logps"][1:] + trainer.train_dataset["ref_chosen_logps"][:1]
        stale = trainer.train_dataset.remove_columns("ref_chosen_logps").add_column("ref_chosen_logps", swapped)
        trainer.train_dataset = stale
        with pytest.raises(ModelError, match="stale"):
            sanity_checks.require_fresh_references(trainer)


def test_training_without_effect_is_an_error() -> None:
    with pytest.raises(ModelError, match="nothing was learnt"):
        sanity_checks.require_change(torch.ones(1, 2), torch.ones(1, 2))

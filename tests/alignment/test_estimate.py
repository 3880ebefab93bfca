"""What an alignment is planned to take, compared with what a real step takes."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import get_peft_model

from helpers.alignment import ONE_STEP
from helpers.live_memory import LiveMemory
from sea_core.alignment.collator import Collator
from sea_core.alignment.config import MIXTURES, AlignConfig, AlignRequest
from sea_core.alignment.dataset import make_dataset, max_sequence_length
from sea_core.alignment.embedding_source import EmbeddingSource
from sea_core.alignment.estimate import (
    count_examples,
    estimate_alignment,
    sequence_bytes,
    sequence_lengths,
    trained_bytes,
)
from sea_core.alignment.lora import lora_config, target_modules, unfreeze_language_model
from sea_core.alignment.mixture import mix
from sea_core.alignment.train import train
from sea_core.alignment.trainer_config import count_steps, quiet_libraries, trainer_config
from sea_core.alignment.trainers import make_trainer
from sea_core.data.demo import DEMO_EXAMPLES
from sea_core.data.examples import PreparedExample
from sea_core.errors import SeaError
from sea_core.extraction.prepare import prepare
from sea_core.model.cards import get_card
from sea_core.model.embedding import stack
from sea_core.model.mllm import MLLM
from sea_core.optimization.hardware import Hardware
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.read import read_examples
from sea_core.runs.embedding_run import EmbeddingRun

BATCH = 4
ANSWER = "A person steals a lamp. " * 12


def load(plugin: str, dtype: str = "float32", device: str = "cpu") -> MLLM:
    return ModelTarget.find(plugin, dtype=dtype, device=device).load()


def step_memory(mllm: MLLM, model: Any, request: AlignRequest, checkpointing: bool) -> tuple[int, int]:
    """Return the peak bytes of a forward and a backward pass on BATCH sequences, and the tokens of one."""
    model.train()
    if checkpointing:
        with quiet_libraries():
            mllm.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
            mllm.model.enable_input_require_grads()
    blank = mllm.blank()
    batch = mllm.batch([mllm.prompt_ids("What is it?", blank)] * BATCH, [mllm.answer_ids(ANSWER)] * BATCH)
    inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask, **stack([blank] * BATCH)}
    casts = mllm.dtype == torch.bfloat16
    autocast = torch.autocast("cpu", torch.bfloat16) if casts else contextlib.nullcontext()

    def step() -> None:
        with mllm.inject(), autocast:
            loss = mllm.hidden(**inputs, use_cache=False).float().sum()
        loss.backward()
        model.zero_grad(set_to_none=True)

    step()
    with LiveMemory() as memory:
        step()
    return memory.peak, batch.input_ids.shape[1]


@pytest.mark.parametrize(
    ("plugin", "dtype", "checkpointing"),
    [
        ("llava", "float32", False),
        ("llava", "float32", True),
        ("llava", "bfloat16", False),
        ("llava", "bfloat16", True),
        ("qwen2_audio", "bfloat16", True),
    ],
)
def test_a_step_takes_the_memory_that_the_formula_gives(plugin: str, dtype: str, checkpointing: bool) -> None:
    """It is up to 8 % above what was measured: a plan that is too small would be worse."""
    mllm, request = load(plugin, dtype), AlignRequest("sft")
    modules = target_modules(mllm)
    with quiet_libraries():
        model = get_peft_model(mllm.model, lora_config(mllm, request))
    mllm.projector = mllm.find_projector()
    measured, tokens = step_memory(mllm, model, request, checkpointing)
    without_weights = load(plugin, dtype, "meta")
    formula = BATCH * sequence_bytes(without_weights, modules, tokens, request, checkpointing=checkpointing)
    assert 0.98 < formula / measured < 1.1


def test_full_finetuning_takes_the_memory_that_the_formula_gives() -> None:
    mllm, request = load("llava"), AlignRequest("sft", full_finetune=True)
    modules = target_modules(mllm)
    unfreeze_language_model(mllm, request)
    measured, tokens = step_memory(mllm, mllm.model, request, checkpointing=False)
    without_weights = load("llava", device="meta")
    activations = BATCH * sequence_bytes(without_weights, modules, tokens, request, checkpointing=False)
    assert measured == pytest.approx(activations, rel=0.1)  # gradients come as activations go


@pytest.mark.parametrize("full_finetune", [False, True], ids=["lora", "full"])
def test_the_optimiser_holds_what_was_planned(
    full_finetune: bool, run: EmbeddingRun, mllm: MLLM, tmp_path: Path
) -> None:
    request = AlignRequest("sft", AlignConfig(held_out=0), ONE_STEP, full_finetune=full_finetune)
    trained = load("qwen2_audio")
    planned = trained_bytes(trained, target_modules(trained), request)
    source = EmbeddingSource([run])
    data = make_dataset(trained, mix(mllm.adapter, source, (), "sft", request.config).examples)
    train(trained, data, Collator(trained, source), request, tmp_path)
    weights = [p for p in trained.model.parameters() if p.requires_grad]
    held = sum(p.numel() * p.itemsize for p in weights) * (3 if full_finetune else 4)
    assert planned == pytest.approx(held, rel=0.01)


def test_a_plan_for_a_card(prepared: tuple[PreparedExample, ...]) -> None:
    request = AlignRequest("dpo")
    model = load("qwen2_audio", "bfloat16", "meta")
    card = get_card("3090")
    large = estimate_alignment(model, prepared, request, Hardware.elsewhere(card, card.memory_bytes, torch.bfloat16))
    assert (large.batch_size, large.accumulated, large.sequences, large.checkpointing) == (16, 1, 2, True)
    assert large.tokens == max(sequence_lengths(model, prepared, request))
    needed = large.weights + large.trained + large.head + 16 * large.per_example
    small = estimate_alignment(model, prepared, request, Hardware.elsewhere(card, int(0.7 * needed), torch.bfloat16))
    assert 1 <= small.batch_size < 16
    assert small.batch_size * small.accumulated == 16
    none = estimate_alignment(model, prepared, request, Hardware.elsewhere(card, large.weights, torch.bfloat16))
    assert (none.batch_size, none.hours) == (0, None)


@pytest.mark.parametrize(
    "given",
    [{}, {"num_train_epochs": 1.5}, {"max_steps": -1, "num_train_epochs": 1}, {"max_steps": -1}, {"max_steps": 2}],
    ids=str,
)
def test_as_many_steps_are_planned_as_are_taken(
    given: dict[str, Any],
    run: EmbeddingRun,
    mllm: MLLM,
    prepared: tuple[PreparedExample, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 2, "logging_steps": 1} | given
    config = AlignConfig(synthetic=1, retention=0, text=0, held_out=0, steps=1, stop_loss=0)
    request = AlignRequest("sft", config, settings)
    data = make_dataset(mllm, mix(mllm.adapter, EmbeddingSource([run]), (), "sft", config).examples)
    shapes_only, device = load("qwen2_audio", device="meta"), Hardware("cpu", 10**10, 1e12)
    assert len(data) == 12
    planned = estimate_alignment(shapes_only, prepared[:12], request, device).steps
    trained = load("qwen2_audio")
    with trained.inject(), quiet_libraries():
        arguments = trainer_config(trained, len(data), request, tmp_path)
        trainer = make_trainer(trained, data, Collator(trained, EmbeddingSource([run])), request, arguments)
        trainer.train()
    assert planned == trainer.state.global_step
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert count_steps(trained, request, len(data)) == (planned if given.get("max_steps") == 2 else -(-planned // 2))


def test_the_longest_sequence_is_that_of_the_training_set(run: EmbeddingRun, mllm: MLLM) -> None:
    request = AlignRequest("sft", AlignConfig(prompts="prefixed", retention=0, text=0, held_out=0))
    mixture = mix(mllm.adapter, EmbeddingSource([run]), (), "sft", request.config)
    blank = mllm.blank()
    sized = [replace(example, n_features=len(blank), grid=blank.grid) for example in mixture.examples]
    prepared = prepare(read_examples(DEMO_EXAMPLES).examples, mllm.adapter).prepared[:12]
    assert max(sequence_lengths(mllm, prepared, request)) == max(max_sequence_length(mllm, each) for each in sized)


@pytest.mark.parametrize(
    "config",
    [
        AlignConfig(),
        AlignConfig(benign_ratio=0.25, held_out=0),
        AlignConfig(text_examples="benign", text=3),
        AlignConfig(answers="read-first", held_out=0),
        replace(MIXTURES.get("paper").config(), held_out=0),
        AlignConfig(synthetic=0, real=0, retention=0),
    ],
    ids=["default", "benign-ratio", "benign-texts", "read-first", "paper", "text-alone"],
)
def test_as_many_examples_are_planned_as_are_drawn(
    config: AlignConfig, run: EmbeddingRun, mllm: MLLM, prepared: tuple[PreparedExample, ...]
) -> None:
    drawn = mix(mllm.adapter, EmbeddingSource([run]), (), "sft", config).examples
    assert count_examples(prepared[:12], AlignRequest("sft", config)) == pytest.approx(len(drawn), abs=4)


def test_examples_without_answers(prepared: tuple[PreparedExample, ...]) -> None:
    bare = [replace(each, example=replace(each.example, rejected=None)) for each in prepared]
    with pytest.raises(SeaError, match=r"none of \d+ examples? has") as caught:
        sequence_lengths(load("qwen2_audio", device="meta"), bare, AlignRequest("dpo"))
    assert "--method sft, for which they have answers" in caught.value.hint

"""Rules about training: what an optimisation step computes, and where LoRA goes."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import nn

from sea_core.model.embedding import Embedding
from sea_core.model.numerics import changes_logits
from sea_core.optimization.engine.forward import ForwardStrategy, Sequential
from sea_core.optimization.engine.packed import Packed, PackingNotSupported
from sea_core.optimization.engine.select_forward import compare, make_packed
from sea_core.optimization.engine.types import OptimizationTask
from sea_core.plugin.contract.rule import AdapterUnderTest, listed, require, rule

ANSWER = "A person is wrapping a lamp."


@rule("Check `language_model` and `position_ids`: the decoder alone must compute what the whole backbone does.")
def packed(subject: AdapterUnderTest) -> None:
    """Goals packed into one sequence have the logits and gradients of separate sequences."""
    mllm, start = subject.mllm, _wide(subject, "sample")
    questions = (subject.question(), f"What is the style of the {subject.adapter.noun}?", "Name it.")
    prompts = tuple(mllm.prompt_ids(question, start) for question in questions)
    task = OptimizationTask("contract", prompts, tuple(mllm.answer_ids(ANSWER[: 9 * n]) for n in (3, 1, 2)))
    try:
        forward = Packed(mllm, start, [task])
    except PackingNotSupported:
        return  # optimisation uses separate sequences, and reports it
    compare(forward, Sequential(mllm, start), task)


@rule("Each sequence of a batch must depend on its own embedding only: check `projector` and `position_ids`.")
def independence(subject: AdapterUnderTest) -> None:
    """Embeddings that are optimised in one batch do not influence each other."""
    mllm, blank, sample = subject.mllm, _wide(subject, "blank"), _wide(subject, "sample")
    task = OptimizationTask("contract", (mllm.prompt_ids(subject.question(), blank),), (mllm.answer_ids(ANSWER),))
    try:
        forward: ForwardStrategy = make_packed(mllm, blank, [task])
    except PackingNotSupported:
        return
    other = sample if len(sample) == len(blank) else blank.perturbed()
    features = [e.features.clone().requires_grad_(True) for e in (blank, other)]
    n_targets = len(task.answers[0])
    logits = forward.logits(forward.prepare_batch([task, task]), features)[:n_targets]
    with torch.no_grad():
        alone = forward.logits(forward.prepare_batch([task]), features[:1])
    subject.require_same(logits, alone, "an embedding in a batch with another")
    own, others = torch.autograd.grad(logits.log_softmax(-1)[:, 0].sum(), features)
    require(bool(own.any()), "no gradient reaches E")
    require(not others.any(), "the gradient of one embedding's loss reaches the other embedding")


@rule("`language_model` must return the decoder alone, without projector and encoder.")
def lora(subject: AdapterUnderTest) -> None:
    """LoRA adapts the language model only, changes the logits, and can be disabled and removed."""
    mllm = subject.mllm
    decoder = subject.adapter.language_model(mllm.model)
    before = subject.injected_logits(subject.blank)
    peft_model = _with_lora(mllm.model, decoder)
    try:
        _require_in_decoder(subject, peft_model, decoder)
        require(changes_logits(subject.injected_logits(subject.blank), before), "LoRA does not change the logits")
        with peft_model.disable_adapter():
            subject.require_same(subject.injected_logits(subject.blank), before, "LoRA disabled")
    finally:
        peft_model.unload()
        mllm.model.requires_grad_(False)
    subject.require_same(subject.injected_logits(subject.blank), before, "LoRA removed")


RULES = (packed, independence, lora)


def _wide(subject: AdapterUnderTest, name: str) -> Embedding:
    embedding = subject.embeddings[name]
    return embedding.with_features(embedding.features.to(subject.mllm.wide_dtype))


def _require_in_decoder(subject: AdapterUnderTest, peft_model: Any, decoder: nn.Module) -> None:
    mllm = subject.mllm
    inside = {id(p) for p in decoder.parameters()}
    outside = [name for name, p in peft_model.named_parameters() if p.requires_grad and id(p) not in inside]
    require(not outside, f"LoRA also adapts {listed(outside[:2])}")
    encoder = mllm.encoder_parameters()
    before_decoder = {id(p) for p in (*mllm.projector.parameters(), *encoder)}
    is_alone = bool(encoder) and not before_decoder & inside
    require(is_alone, "what `language_model` returns contains the projector or the encoder")


def _with_lora(model: nn.Module, decoder: nn.Module) -> Any:
    from peft import LoraConfig, get_peft_model
    from transformers.pytorch_utils import Conv1D

    names = {module: name for name, module in model.named_modules()}
    targets = [names[module] for module in decoder.modules() if isinstance(module, nn.Linear | Conv1D)]
    require(bool(targets), "what `language_model` returns has no linear layer")
    # Random initial weights: by default LoRA starts at zero and changes nothing.
    config = LoraConfig(r=2, target_modules=targets, init_lora_weights=False)
    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # peft uses names that are deprecated
        return get_peft_model(model, config)

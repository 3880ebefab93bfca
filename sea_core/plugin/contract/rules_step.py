"""Rules about the step: what an optimisation computes on this family."""

from __future__ import annotations

import torch

from sea_core.optimization.engine.forward import Sequential
from sea_core.optimization.engine.packed import Packed, PackingNotSupported
from sea_core.optimization.engine.select_forward import compare
from sea_core.optimization.engine.types import OptimizationTask
from sea_core.plugin.contract.rule import AdapterUnderTest, require, rule

LOOK = "A person is wrapping a lamp."


@rule("Check `language_model` and `position_ids`: the decoder alone must compute what the whole backbone does.")
def packed(subject: AdapterUnderTest) -> None:
    """Goals packed into one sequence give the logits and the gradient that they give alone."""
    mllm, start = subject.mllm, subject.embeddings[1]
    start = start.with_features(start.features.to(mllm.wide_dtype))
    questions = (subject.ask(), f"What is the style of the {subject.adapter.noun}?", "Name it.")
    prompts = tuple(mllm.prompt_ids(question, len(start)) for question in questions)
    task = OptimizationTask("contract", prompts, tuple(mllm.answer_ids(LOOK[: 9 * n]) for n in (3, 1, 2)))
    try:
        found = Packed(mllm, start, [task])
    except PackingNotSupported:
        return  # plain sequences are used, and say so
    compare(found, Sequential(mllm, start), task)


@rule("Each row of a batch must see its own embedding alone: check `projector` and `position_ids`.")
def apart(subject: AdapterUnderTest) -> None:
    """Packed beside another, an embedding gets the logits that it gets alone, and none of the other's gradient."""
    mllm, (blank, signal) = subject.mllm, subject.embeddings
    one = blank.with_features(blank.features.to(mllm.wide_dtype))
    task = OptimizationTask("contract", (mllm.prompt_ids(subject.ask(), len(one)),), (mllm.answer_ids(LOOK),))
    try:
        forward = Packed(mllm, one, [task])
    except PackingNotSupported:
        return
    other = one.perturbed().features if len(signal) != len(one) else signal.features.to(mllm.wide_dtype)
    rows = [one.features.clone().requires_grad_(True), other.clone().requires_grad_(True)]
    logits = forward.logits(forward.prepare_batch([task, task]), rows)
    n = len(task.answers[0])
    with torch.no_grad():
        subject.require_same(
            logits[:n], forward.logits(forward.prepare_batch([task]), rows[:1]), "packed beside another"
        )
    (mine, others) = torch.autograd.grad(logits[:n].log_softmax(-1)[:, 0].sum(), rows)
    require(bool(mine.any()), "no gradient reaches E")
    require(not others.any(), "the gradient of one row reaches the embedding of another")


RULES = (packed, apart)

"""The paper's optimisation loop for one example, without SEA's engine; explained in docs/explanation/method.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sea_core.data.examples import Goal
from sea_core.model.mllm import MLLM


@dataclass(frozen=True)
class Step:
    """An embedding, its loss in nats per token, and its margin in logits."""

    embedding: Tensor
    loss: float
    margin: float


def reference_loop(
    mllm: MLLM, goals: Sequence[Goal], start: Tensor, lr: float, betas: tuple[float, float]
) -> Iterator[Step]:
    """Yield a step before each update, for as long as the caller asks for more."""
    sequences = [make_sequence(mllm, goal) for goal in goals]
    embedding = nn.Parameter(start.clone())
    adam = torch.optim.Adam([embedding], lr=lr, betas=betas)
    while True:
        losses, margins = zip(*(evaluate(mllm, embedding, *sequence) for sequence in sequences), strict=True)
        loss = sum(losses) / len(losses)
        yield Step(embedding.detach().clone(), loss.item(), min(margins))
        adam.zero_grad()
        loss.backward()
        adam.step()


def make_sequence(mllm: MLLM, goal: Goal) -> tuple[dict[str, Any], int]:
    """Return the model's ordinary inputs for prompt, blank medium and target answer, and the length of the answer."""
    adapter, processor = mllm.adapter, mllm.processor
    chat = adapter.conversation(goal.prompt, True)
    text = processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    inputs = dict(adapter.inputs(processor, [text], [adapter.blank_input(processor)]))
    target = goal.answer + adapter.end_token(processor)
    answer = processor.tokenizer(target, add_special_tokens=False, return_tensors="pt").input_ids
    for name, values in inputs.items():
        if name != "input_ids" and values.shape == inputs["input_ids"].shape:  # such as token types: text is type 0
            inputs[name] = torch.cat([values, torch.zeros_like(answer)], dim=1)
    inputs["input_ids"] = torch.cat([inputs["input_ids"], answer], dim=1)
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    return inputs, answer.shape[1]


def evaluate(mllm: MLLM, embedding: Tensor, inputs: dict[str, Any], length: int) -> tuple[Tensor, float]:
    """Return the loss of the target answer given E, with its graph, and the smallest margin of its tokens."""
    with injected(mllm.adapter.projector(mllm.model), embedding):
        logits = mllm.model(**inputs, use_cache=False).logits[0, -length - 1 : -1]
    targets = inputs["input_ids"][0, -length:]
    loss = -logits.log_softmax(-1)[range(length), targets].mean()
    margins = []
    for token_logits, target in zip(logits.detach(), targets, strict=True):
        lead = token_logits[target] - token_logits
        margins.append(min(lead[:target].min().item(), lead[target + 1 :].min().item()))
    return loss, min(margins)


@contextmanager
def injected(projector: nn.Module, embedding: Tensor) -> Iterator[None]:
    """Give the projector E in place of the encoder's output, whose padding, if any, stays behind it."""

    def hook(_module: nn.Module, args: tuple[Tensor]) -> tuple[Tensor]:
        encoded = args[0].flatten(0, -2)
        return (torch.cat([embedding.to(encoded.dtype), encoded[len(embedding) :]]).view_as(args[0]),)

    handle = projector.register_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()

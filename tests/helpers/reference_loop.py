"""The paper's plain loop for one row, written without the engine, so that the engine can be held against it.

Each goal is a sequence of its own, unpadded, through the model's ordinary forward with ordinary media inputs. Only what
the encoder gives is put aside: the projector gets E in its place. So projector, splice, mask and positions are the
library's. The loss is the mean over the goals of the mean negative log-likelihood of the answer's tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sea_core.data.examples import Goal
from sea_core.model.mllm import MLLM


@dataclass(frozen=True)
class Look:
    """What the loop sees before an update: E, its loss, and the least lead of a target token, in logits."""

    embedding: Tensor
    loss: float
    margin: float


def plain_loop(
    mllm: MLLM, goals: tuple[Goal, ...], start: Tensor, lr: float, betas: tuple[float, float]
) -> Iterator[Look]:
    """Yield one look after another for as long as they are wanted; each comes before its update."""
    sequences = [sequence(mllm, goal) for goal in goals]
    embedding = nn.Parameter(start.clone())
    adam = torch.optim.Adam([embedding], lr=lr, betas=betas)
    while True:
        losses, margins = zip(*(read(mllm, embedding, *one) for one in sequences), strict=True)
        loss = sum(losses) / len(losses)
        yield Look(embedding.detach().clone(), loss.item(), min(margins))
        adam.zero_grad()
        loss.backward()
        adam.step()


def sequence(mllm: MLLM, goal: Goal) -> tuple[dict[str, Any], int]:
    """Return the model's ordinary inputs for the question, a blank medium and the answer, and the answer's length."""
    adapter, processor = mllm.adapter, mllm.processor
    text = processor.apply_chat_template(
        adapter.conversation(goal.prompt, True), tokenize=False, add_generation_prompt=True
    )
    inputs = dict(adapter.inputs(processor, [text], [adapter.blank_input(processor)]))
    answer = processor.tokenizer(
        goal.answer + adapter.end_token(processor), add_special_tokens=False, return_tensors="pt"
    ).input_ids
    for name, kinds in inputs.items():  # what else there is for each token, such as its kind: the answer is text, 0
        if name != "input_ids" and kinds.shape == inputs["input_ids"].shape:
            inputs[name] = torch.cat([kinds, torch.zeros_like(answer)], dim=1)
    inputs["input_ids"] = torch.cat([inputs["input_ids"], answer], dim=1)
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    return inputs, answer.shape[1]


def read(mllm: MLLM, embedding: Tensor, inputs: dict[str, Any], length: int) -> tuple[Tensor, float]:
    """Return the answer's loss and its least margin, given E."""
    with shown(mllm.adapter.projector(mllm.model), embedding):
        logits = mllm.model(**inputs, use_cache=False).logits[0, -length - 1 : -1]
    targets = inputs["input_ids"][0, -length:]
    loss = -logits.log_softmax(-1)[range(length), targets].mean()
    margins = []
    for row, target in zip(logits.detach(), targets, strict=True):
        lead = row[target] - row
        margins.append(min(lead[:target].min().item(), lead[target + 1 :].min().item()))
    return loss, min(margins)


@contextmanager
def shown(projector: nn.Module, embedding: Tensor) -> Iterator[None]:
    """Give the projector E instead of the encoder's output, whose padding rows stay."""

    def hook(_module: nn.Module, args: tuple[Tensor]) -> tuple[Tensor]:
        encoded = args[0].flatten(0, -2)
        return (torch.cat([embedding.to(encoded.dtype), encoded[len(embedding) :]]).view_as(args[0]),)

    handle = projector.register_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()

"""Token sequences of different lengths as one padded tensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

IGNORE_INDEX = -100
"""The label of tokens outside the answer, as transformers and PyTorch use it."""


@dataclass(frozen=True)
class Batch:
    """Padded sequences: `input_ids`, `attention_mask` and `labels` (-100 outside the answer), each (batch, length)."""

    input_ids: Tensor
    attention_mask: Tensor
    labels: Tensor


def right_padded(
    prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], pad: int, device: torch.device, width: int = 0
) -> Batch:
    """Concatenate each prompt with its answer, and pad on the right to `width` or to the longest.

    Padding on the right has no effect on the tokens before it, because the model is causal.
    """
    sequences = [[*p, *a] for p, a in zip(prompts, answers, strict=True)]
    width = max(width, *map(len, sequences))
    ids = torch.full((len(sequences), width), pad)
    labels = torch.full_like(ids, IGNORE_INDEX)
    mask = torch.zeros_like(ids)
    for i, (prompt, sequence) in enumerate(zip(prompts, sequences, strict=True)):
        ids[i, : len(sequence)] = torch.tensor(sequence)
        labels[i, len(prompt) : len(sequence)] = torch.tensor(sequence[len(prompt) :])
        mask[i, : len(sequence)] = 1
    return Batch(ids.to(device), mask.to(device), labels.to(device))


def left_padded(prompts: Sequence[Sequence[int]], pad: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Pad prompts on the left, as generation needs it. Returns ids and attention mask, each (batch, length)."""
    width = max(map(len, prompts))
    ids = torch.tensor([[pad] * (width - len(p)) + [*p] for p in prompts], device=device)
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=device)
    return ids, mask

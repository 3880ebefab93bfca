"""Token rows of unlike length as one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

IGNORE_INDEX = -100


@dataclass(frozen=True)
class Batch:
    """Padded token rows: `input_ids`, `attention_mask` and `labels` (-100 outside the answer), each (rows, length)."""

    input_ids: Tensor
    attention_mask: Tensor
    labels: Tensor


def right_padded(
    prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], pad: int, device: torch.device, width: int = 0
) -> Batch:
    """Pad prompt + answer rows on the right, to `width` or the longest: neutral for a causal model."""
    rows = [[*p, *a] for p, a in zip(prompts, answers, strict=True)]
    width = max(width, *map(len, rows))
    ids = torch.full((len(rows), width), pad)
    labels = torch.full_like(ids, IGNORE_INDEX)
    mask = torch.zeros_like(ids)
    for i, (prompt, row) in enumerate(zip(prompts, rows, strict=True)):
        ids[i, : len(row)] = torch.tensor(row)
        labels[i, len(prompt) : len(row)] = torch.tensor(row[len(prompt) :])
        mask[i, : len(row)] = 1
    return Batch(ids.to(device), mask.to(device), labels.to(device))


def left_padded(prompts: Sequence[Sequence[int]], pad: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Pad prompts on the left, as generation needs them; return ids and mask, each (rows, length)."""
    width = max(map(len, prompts))
    ids = torch.tensor([[pad] * (width - len(p)) + [*p] for p in prompts], device=device)
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=device)
    return ids, mask

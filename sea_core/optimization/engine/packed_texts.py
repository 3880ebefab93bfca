"""The texts of a packed sequence: a question with its answer for each goal, one after the other, each padded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.forward import Shape, padded_length
from sea_core.optimization.engine.types import OptimizationTask


@dataclass(frozen=True)
class PackedTexts:
    """The texts of several tasks of one shape.

    Attributes:
        ids: of their tokens, (tasks, length).
        index, column: of each answer token, the task and the position in its text that predicts it.
    """

    ids: Tensor
    index: Tensor
    column: Tensor


def texts_after(task: OptimizationTask, begin: int) -> list[list[int]]:
    """Return a task's texts from a position of its prompts on: question and answer of each goal."""
    return [[*prompt[begin:], *answer] for prompt, answer in zip(task.prompts, task.answers, strict=True)]


def text_lengths(task: OptimizationTask, begin: int) -> Shape:
    """Return the padded length of each text."""
    return tuple(padded_length(len(text)) for text in texts_after(task, begin))


def pack_texts(mllm: MLLM, tasks: Sequence[OptimizationTask], begin: int) -> PackedTexts:
    """Return the texts of tasks of one shape, on the model's device."""
    shape = text_lengths(tasks[0], begin)
    ids = torch.full((len(tasks), sum(shape)), mllm.pad_id)
    indices: list[int] = []
    columns: list[int] = []
    for index, task in enumerate(tasks):
        start = 0
        for text, answer, length in zip(texts_after(task, begin), task.answers, shape, strict=True):
            ids[index, start : start + len(text)] = torch.tensor(text)
            end = start + len(text) - 1  # each token is predicted by the one before it
            columns += range(end - len(answer), end)
            indices += [index] * len(answer)
            start += length
    return PackedTexts(ids.to(mllm.device), *torch.tensor([indices, columns], device=mllm.device))

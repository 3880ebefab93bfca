"""A model that answers while a vector is added to the hidden states of one of its layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sea_bench.defences.base import DefendedModel
from sea_bench.run.answering import AnsweringModel, CasePrompt, FailedAnswer, GeneratedAnswer
from sea_bench.run.local import LocalAnsweringModel
from sea_core.errors import ModelError, SeaError
from sea_core.model import seam
from sea_core.model.mllm import MLLM


@dataclass
class SteeredModel(DefendedModel):
    """A model to whose hidden states a vector is added, at every position, while it answers.

    Attributes:
        vector: (d_llm,). It is added `strength` times to the input of the decoder's layer number `layer`.
    """

    model: LocalAnsweringModel
    vector: Tensor
    layer: int
    strength: float

    def answer(self, prompts: Sequence[CasePrompt]) -> Iterator[GeneratedAnswer | FailedAnswer]:
        with self.steering():
            answers = list(self.model.answer(prompts))
        yield from answers

    def steering(self) -> AbstractContextManager[None]:
        """Add the vector inside the block, in every forward pass of the model."""
        return seam.watched(decoder_layers(self.model.mllm)[self.layer], "input", self._steer)

    def _steer(self, call: tuple[tuple[Any, ...], dict[str, Any]]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args, kwargs = call
        if args:
            return (self._steered(args[0]), *args[1:]), kwargs
        name = next(iter(kwargs))
        return args, {**kwargs, name: self._steered(kwargs[name])}

    def _steered(self, hidden: Tensor) -> Tensor:
        return hidden + (self.strength * self.vector).to(hidden.device, hidden.dtype)


def decoder_layers(mllm: MLLM) -> Any:
    """Return the layers of the language model's decoder. Raises ModelError if they are not where SEA finds them."""
    decoder = mllm.adapter.language_model(mllm.model)
    try:
        return decoder.get_submodule("layers")
    except AttributeError as error:
        raise ModelError(
            f"the decoder of this model, {type(decoder).__name__}, has no `layers` to steer",
            hint="Leave --defence steering out.",
        ) from error


@torch.no_grad()
def difference_of_means(mllm: MLLM, layer: int, harmful: Sequence[str], benign: Sequence[str]) -> Tensor:
    """Return the mean input of a layer at the last token of harmful prompts, less that of benign ones: (d_llm,)."""
    means = [
        torch.stack([mllm.hidden_states(mllm.prompt_ids(text, None), layer)[-1].float() for text in texts]).mean(0)
        for texts in (harmful, benign)
    ]
    return (means[0] - means[1]).cpu()


def require_local(model: AnsweringModel) -> LocalAnsweringModel:
    """Return a model whose layers can be reached. Raises SeaError for any other."""
    if not isinstance(model, LocalAnsweringModel):
        raise SeaError("steering needs the model itself", hint="Put steering on first, and other defences around it.")
    return model

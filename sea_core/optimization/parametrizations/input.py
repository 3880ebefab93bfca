"""E = M(z): the encoder's input z is trained through the frozen encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor

from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.parametrization import Parametrization
from sea_core.optimization.recipes.base import RecipeContext, RecipeNotSupported


@dataclass(frozen=True, eq=False, kw_only=True)
class InputParametrization(Parametrization):
    """E = M(z), with z trained.

    Attributes:
        inputs: the ordinary inputs for the blank.
        name: which of them is trained.
    """

    mllm: MLLM
    inputs: Mapping[str, Any]
    name: str

    def parameter(self, start: Tensor, rng: Generator) -> Tensor:
        medium: Tensor = self.inputs[self.name]
        return medium.detach().clone().to(start.dtype)

    def forward(self, parameter: Tensor, rng: Generator) -> Tensor:
        (embedding,) = self.mllm.encode_with_grad({**self.inputs, self.name: parameter})
        return embedding.features.to(parameter.dtype)


def find_trainable_input(context: RecipeContext, inputs: Mapping[str, Any]) -> str:
    """Return the name of the encoder's input that receives a gradient from E; the largest if there are several.

    Raises:
        RecipeNotSupported: none does, or the blank's E does not have the shape of the start.
    """
    mllm, noun = context.mllm, context.mllm.adapter.noun
    media = {k: v.detach().clone() for k, v in inputs.items() if isinstance(v, Tensor) and v.is_floating_point()}
    candidates = {name: tensor.requires_grad_() for name, tensor in media.items() if tensor.numel()}
    try:
        (embedding,) = mllm.encode_with_grad({**inputs, **candidates})
        if embedding.features.shape != context.blank.features.shape:
            raise RecipeNotSupported(
                f"the blank {noun} has {len(embedding)} feature vectors, the given one has {len(context.blank)}"
            )
        noise = torch.randn(embedding.features.shape, generator=torch.Generator().manual_seed(0))
        loss = (embedding.features * noise.to(embedding.features)).sum()
        gradients = torch.autograd.grad(loss, list(candidates.values()), allow_unused=True)
    except RuntimeError as error:
        raise RecipeNotSupported(f"E has no gradient with respect to the {noun}: {error}") from error
    reached = [name for name, grad in zip(candidates, gradients, strict=True) if grad is not None and grad.any()]
    if not reached:
        raise RecipeNotSupported(f"the gradient of E with respect to the {noun} is zero")
    return max(reached, key=lambda name: candidates[name].numel())

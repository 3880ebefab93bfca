"""`input`: the medium itself is trained, through the frozen encoder, so that E = M(z) is what some medium gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from sea_core.data.examples import PreparedExample
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.parametrization import Parametrization
from sea_core.optimization.recipes.base import Recipe, RecipeContext, RecipeNotSupported


@dataclass(frozen=True)
class InputRecipe(Recipe):
    """The encoder's input is trained from the blank's; it is not kept within the range that real media have."""

    name: ClassVar[str] = "input"

    def begin(self, material: RecipeContext) -> Callable[[PreparedExample], Parametrization]:
        mllm = material.mllm
        adapter = mllm.adapter
        inputs = mllm.media_inputs(["?"], [adapter.blank_input(mllm.processor)])
        name = trained(material, inputs)
        # The engine's step is in the units of E; the medium has its own.
        pace = self.lr * Embedding(inputs[name].float()).rms / material.start.rms
        variation = InputParametrization(lr=pace, steps=self.steps, mllm=mllm, inputs=inputs, name=name)
        return lambda row: variation


@dataclass(frozen=True, eq=False, kw_only=True)
class InputParametrization(Parametrization):
    """`inputs`: the ordinary inputs for the blank; `name`: which of them is trained."""

    mllm: MLLM
    inputs: Mapping[str, Any]
    name: str

    def parameter(self, start: Tensor, rng: Generator) -> Tensor:
        medium: Tensor = self.inputs[self.name]
        return medium.detach().clone().to(start.dtype)

    def forward(self, leaf: Tensor, rng: Generator) -> Tensor:
        (embedding,) = self.mllm.encode_with_grad({**self.inputs, self.name: leaf})
        return embedding.features.to(leaf.dtype)


def trained(material: RecipeContext, inputs: Mapping[str, Any]) -> str:
    """Return which of the encoder's inputs E can be followed back to: the largest, where there are several.

    Raises:
        Unusable: no gradient gets from E to any of them.
    """
    mllm, noun = material.mllm, material.mllm.adapter.noun
    media = {k: v.detach().clone() for k, v in inputs.items() if isinstance(v, Tensor) and v.is_floating_point()}
    leaves = {name: tensor.requires_grad_() for name, tensor in media.items() if tensor.numel()}
    try:
        (found,) = mllm.encode_with_grad({**inputs, **leaves})
        if found.features.shape != material.start.features.shape:
            raise RecipeNotSupported(
                f"the blank {noun} gives {len(found)} rows, and the start has {len(material.start)}"
            )
        noise = torch.randn(found.features.shape, generator=torch.Generator().manual_seed(0)).to(found.features)
        gradients = torch.autograd.grad((found.features * noise).sum(), list(leaves.values()), allow_unused=True)
    except RuntimeError as error:
        raise RecipeNotSupported(f"E cannot be followed back to the {noun}: {error}") from error
    reached = [name for name, g in zip(leaves, gradients, strict=True) if g is not None and g.any()]
    if not reached:
        raise RecipeNotSupported(f"no gradient gets from E back to the {noun}")
    return max(reached, key=lambda name: leaves[name].numel())

"""`input`: the medium itself is trained, through the frozen encoder, so that E = M(z) is what some medium gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from sea_core.data.examples import PreparedRow
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.parametrization import Variation
from sea_core.optimization.recipes.base import Material, Recipe, Unusable


@dataclass(frozen=True)
class Input(Recipe):
    """The encoder's input is trained from the blank's; it is not kept within the range that real media have."""

    name: ClassVar[str] = "input"

    def begin(self, material: Material) -> Callable[[PreparedRow], Variation]:
        mllm = material.mllm
        adapter = mllm.adapter
        inputs = mllm.media_inputs(["?"], [adapter.blank_input(mllm.processor)])
        name = trained(material, inputs)
        # The engine's step is in the units of E; the medium has its own.
        pace = self.lr * Embedding(inputs[name].float()).scale / material.start.scale
        variation = Encoded(lr=pace, steps=self.steps, mllm=mllm, inputs=inputs, name=name)
        return lambda row: variation


@dataclass(frozen=True, eq=False, kw_only=True)
class Encoded(Variation):
    """`inputs`: the ordinary inputs for the blank; `name`: which of them is trained."""

    mllm: MLLM
    inputs: Mapping[str, Any]
    name: str

    def leaf(self, start: Tensor, rng: Generator) -> Tensor:
        medium: Tensor = self.inputs[self.name]
        return medium.detach().clone().to(start.dtype)

    def shown(self, leaf: Tensor, rng: Generator) -> Tensor:
        (embedding,) = self.mllm.encoded({**self.inputs, self.name: leaf})
        return embedding.rows.to(leaf.dtype)


def trained(material: Material, inputs: Mapping[str, Any]) -> str:
    """Return which of the encoder's inputs E can be followed back to: the largest, where there are several.

    Raises:
        Unusable: no gradient gets from E to any of them.
    """
    mllm, noun = material.mllm, material.mllm.adapter.noun
    media = {k: v.detach().clone() for k, v in inputs.items() if isinstance(v, Tensor) and v.is_floating_point()}
    leaves = {name: tensor.requires_grad_() for name, tensor in media.items() if tensor.numel()}
    try:
        (found,) = mllm.encoded({**inputs, **leaves})
        if found.rows.shape != material.start.rows.shape:
            raise Unusable(f"the blank {noun} gives {len(found)} rows, and the start has {len(material.start)}")
        noise = torch.randn(found.rows.shape, generator=torch.Generator().manual_seed(0)).to(found.rows)
        gradients = torch.autograd.grad((found.rows * noise).sum(), list(leaves.values()), allow_unused=True)
    except RuntimeError as error:
        raise Unusable(f"E cannot be followed back to the {noun}: {error}") from error
    reached = [name for name, g in zip(leaves, gradients, strict=True) if g is not None and g.any()]
    if not reached:
        raise Unusable(f"no gradient gets from E back to the {noun}")
    return max(reached, key=lambda name: leaves[name].numel())

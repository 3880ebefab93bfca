"""Which layers of a language model get a LoRA adapter."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from sea_core.alignment.lora import target_modules
from sea_core.model.mllm import MLLM


class Router(nn.Linear):
    """As in a mixture of experts: a linear layer by its class, but it returns scores and logits."""

    def forward(self, hidden: Tensor) -> Any:
        logits = super().forward(hidden)
        return logits.sigmoid(), logits


class NamedLinear(nn.Linear):
    """Returns the product, as a linear layer does."""

    def forward(self, hidden: Tensor) -> Tensor:
        return super().forward(hidden)


def test_layers_that_return_something_else_than_a_product_are_left_out(spoilt: MLLM) -> None:
    layer: Any = spoilt.adapter.language_model(spoilt.model).get_submodule("layers.0")
    before = target_modules(spoilt)
    layer.router, layer.gate = Router(8, 2), NamedLinear(8, 2)
    added = set(target_modules(spoilt)) - set(before)
    assert {name.rpartition(".")[2] for name in added} == {"gate"}

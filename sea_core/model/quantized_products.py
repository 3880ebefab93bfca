"""The products of quantised layers, so that a gradient passes through them and no example depends on its batch."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn


def keep_gradients(model: nn.Module) -> None:
    """Let gradients pass through quantised layers, by the same product in training and in generation.

    bitsandbytes repacks 4-bit weights for a CPU with bf16 instructions at the first forward pass without gradients,
    and from then on returns no gradient, without a word. Its 8-bit product also rounds the inputs, together with those
    of all other examples of a batch; here only the weights are in 8 bits.
    """
    from bitsandbytes.nn import Linear4bit, Linear8bitLt

    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False
        elif isinstance(module, Linear8bitLt):
            module.forward = partial(_unpacked_linear, module)


def _unpacked_linear(module: Any, x: Tensor) -> Tensor:
    scale = module.state.SCB if module.weight.SCB is None else module.weight.SCB
    product: Tensor = _UnpackedProduct.apply(x, module.weight.data, scale)  # type: ignore[no-untyped-call]
    return product if module.bias is None else product + module.bias.to(product.dtype)


class _UnpackedProduct(torch.autograd.Function):
    """x W^T, for W in 8 bits with a scale for each row. The backward pass unpacks W again, and keeps nothing else."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
        ctx.save_for_backward(weight, scale)
        ctx.dtype = x.dtype
        return nn.functional.linear(x, _unpack(weight, scale, x.dtype))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        weight, scale = ctx.saved_tensors
        return (grad @ _unpack(weight, scale, grad.dtype)).to(ctx.dtype), None, None


def _unpack(weight: Tensor, scale: Tensor, dtype: torch.dtype) -> Tensor:
    return (weight.to(scale.dtype) * (scale[:, None] / 127)).to(dtype)

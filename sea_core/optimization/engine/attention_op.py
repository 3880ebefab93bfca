"""Masked attention as one operator that torch.compile does not trace into.

Traced, `scaled_dot_product_attention` is compiled again where a batch has one row or a length is no multiple of 8. As
an operator of its own it takes any number of rows and any lengths in one graph. It calls the kernels that torch itself
chooses for a float mask: cuDNN's on recent GPUs, the memory-efficient one on others, the flash one on CPUs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

ATTENTION_NAME = "sea_operator"
"""The name under which `operator_attention` is registered with transformers."""
MASK_ALIGNMENT = 8
"""The distance of two rows of a mask must be a multiple of it, in numbers (see `aligned`): CUDA kernels require it."""
LOGSUMEXP_ALIGNMENT = 32
"""The memory-efficient kernel rounds the number of queries in its log-sum-exp up to a multiple of it."""
CUDNN_CAPABILITY, CUDNN_HEAD_SIZE = (9, 0), 128
"""From which GPU on torch prefers cuDNN's attention, and its largest head."""
UNSUPPORTED = ("softcap", "position_bias", "s_aux", "sliding_window")
"""Keywords of an attention that do not fit a masked product of queries, keys and values."""

aten: Any = torch.ops.aten

torch.library.define(
    "sea::attention", "(Tensor query, Tensor key, Tensor value, Tensor mask, float scale) -> (Tensor, Tensor)"
)
torch.library.define(
    "sea::attention_backward",
    "(Tensor grad, Tensor query, Tensor key, Tensor value, Tensor mask, Tensor out, Tensor logsumexp, float scale)"
    " -> (Tensor, Tensor, Tensor)",
)
attention: Any = torch.ops.sea.attention
"""Return softmax(query key' scale + mask) value, and the log-sum-exp that the backward pass needs.

Args:
    query: (batch, heads, queries, head size). key, value: (batch, heads, keys, head size).
    mask: additive, (1, 1, queries, keys), `aligned`.

Returns:
    The result, (batch, queries, heads, head size), contiguous; the other's shape depends on the kernel.
"""
attention_backward: Any = torch.ops.sea.attention_backward
"""Return the gradients at query, key and value, each in the layout of its tensor; the mask has none."""


def aligned(mask: Tensor) -> Tensor:
    """Return a copy of a mask, (..., queries, keys), whose rows begin at multiples of MASK_ALIGNMENT in memory."""
    keys = mask.shape[-1]
    rows = mask.new_zeros(*mask.shape[:-1], keys + -keys % MASK_ALIGNMENT)[..., :keys]
    return rows.copy_(mask)


def _uses_cudnn(query: Tensor) -> bool:
    return (
        query.dtype in (torch.bfloat16, torch.float16)
        and query.shape[-1] <= CUDNN_HEAD_SIZE
        and torch.cuda.get_device_capability(query.device) >= CUDNN_CAPABILITY
        and bool(torch.backends.cuda.cudnn_sdp_enabled())  # type: ignore[no-untyped-call]
    )


# --- forward ----------------------------------------------------------------------------------------------------------


@torch.library.impl("sea::attention", "CPU")
def _(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    out, logsumexp = aten._scaled_dot_product_flash_attention_for_cpu(query, key, value, attn_mask=mask, scale=scale)
    return out.transpose(1, 2).contiguous(), logsumexp.contiguous()


@torch.library.impl("sea::attention", "CUDA")
def _(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    if _uses_cudnn(query):
        out, logsumexp = aten._scaled_dot_product_cudnn_attention(query, key, value, mask, True, scale=scale)[:2]
        logsumexp = logsumexp.flatten(2)
    else:
        expanded = _expand(mask, query)
        out, logsumexp = aten._scaled_dot_product_efficient_attention(query, key, value, expanded, True, scale=scale)[
            :2
        ]
    return out.transpose(1, 2).contiguous(), logsumexp


def _fake(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    batch, heads, queries, _ = query.shape
    length = queries
    if query.is_cuda and not _uses_cudnn(query):
        length = (queries + LOGSUMEXP_ALIGNMENT - 1) // LOGSUMEXP_ALIGNMENT * LOGSUMEXP_ALIGNMENT
    dtype = torch.float64 if query.dtype == torch.float64 else torch.float32
    out = query.new_empty((batch, queries, heads, value.shape[-1]))
    return out, query.new_empty((batch, heads, length), dtype=dtype)


torch.library.register_fake("sea::attention", _fake)


# --- backward ---------------------------------------------------------------------------------------------------------

Gradients = tuple[Tensor, Tensor, Tensor]


@torch.library.impl("sea::attention_backward", "CPU")
def _(
    grad: Tensor, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, out: Tensor, logsumexp: Tensor, scale: float
) -> Gradients:
    grads = aten._scaled_dot_product_flash_attention_for_cpu_backward(
        grad.transpose(1, 2),
        query,
        key,
        value,
        out.transpose(1, 2),
        logsumexp,
        0.0,
        False,
        attn_mask=mask,
        scale=scale,
    )
    return _laid_out(grads, query, key, value)


@torch.library.impl("sea::attention_backward", "CUDA")
def _(
    grad: Tensor, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, out: Tensor, logsumexp: Tensor, scale: float
) -> Gradients:
    grad, out = grad.transpose(1, 2), out.transpose(1, 2)
    if _uses_cudnn(query):
        no_dropout = torch.empty((), dtype=torch.int64, device=query.device)
        grads = aten._scaled_dot_product_cudnn_attention_backward(
            grad,
            query,
            key,
            value,
            out,
            logsumexp[..., None],
            no_dropout,
            no_dropout,
            mask,
            None,
            None,
            query.shape[2],
            key.shape[2],
            0.0,
            False,
            scale=scale,
        )
    else:
        no_dropout = torch.zeros((), dtype=torch.int64)
        grads = aten._scaled_dot_product_efficient_attention_backward(
            grad,
            query,
            key,
            value,
            _expand(mask, query),
            out,
            logsumexp,
            no_dropout,
            no_dropout,
            0.0,
            [True, True, True, False],
            scale=scale,
        )[:3]
    return _laid_out(grads, query, key, value)


def _fake_backward(
    grad: Tensor, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, out: Tensor, logsumexp: Tensor, scale: float
) -> Gradients:
    return torch.empty_like(query), torch.empty_like(key), torch.empty_like(value)


torch.library.register_fake("sea::attention_backward", _fake_backward)


def _laid_out(grads: tuple[Tensor, ...], *tensors: Tensor) -> Gradients:
    """Return the gradients in the layout that `_fake_backward` promises: that of a new tensor like each."""

    def lay_out(grad: Tensor, tensor: Tensor) -> Tensor:
        like = torch.empty_like(tensor)
        return grad if grad.stride() == like.stride() else like.copy_(grad)

    at_query, at_key, at_value = (lay_out(grad, tensor) for grad, tensor in zip(grads, tensors, strict=True))
    return at_query, at_key, at_value


def _expand(mask: Tensor, query: Tensor) -> Tensor:
    """Return the mask for each row and head, without a copy."""
    return mask.expand(query.shape[0], query.shape[1], -1, -1)


def _save(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    *tensors, ctx.scale = inputs
    ctx.save_for_backward(*tensors, *output)


def _differentiate(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
    return (*attention_backward(grad, *ctx.saved_tensors, ctx.scale), None, None)


torch.library.register_autograd("sea::attention", _differentiate, setup_context=_save)


def operator_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    scaling: float | None = None,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Return what transformers' sdpa attention returns: (batch, queries, heads, head size).

    Raises:
        NotImplementedError: the attention has a part that the operator lacks.
    """
    if dropout or any(kwargs.get(name) is not None for name in UNSUPPORTED):
        raise NotImplementedError(f"the attention takes more than a mask: {', '.join(sorted(kwargs))}")
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = (x[:, :, None].expand(-1, -1, groups, -1, -1).flatten(1, 2) for x in (key, value))
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    return attention(query, key, value, attention_mask, scale)[0], None

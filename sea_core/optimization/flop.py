"""The FLOPs of a step, counted from the model's configuration, and how many a device does in a second."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from sea_core.model.mllm import MLLM
from sea_core.optimization.engine import memory

STEPS = 60
"""Steps per example unless the user gives a number: about what the bundled models need."""


@dataclass(frozen=True)
class StepSequence:
    """The positions of the decoder that a step of one example takes.

    Attributes:
        shared: those that are computed once for all goals. texts: those of each goal, each of which attends to them.
        media: placeholders of the medium, in all sequences.
        kv_only: positions of which the last layer computes keys and values only.
    """

    shared: int
    texts: tuple[int, ...]
    media: int
    kv_only: int = 0

    @property
    def tokens(self) -> int:
        return self.shared + sum(self.texts)


def step_flop(mllm: MLLM, sequence: StepSequence, targets: int) -> float:
    """Return the FLOPs of one step of one example: forward, and backward to E only, as no weight is trained."""
    return matmul_flop(mllm, sequence, targets) + attention_flop(mllm, sequence)


def matmul_flop(mllm: MLLM, sequence: StepSequence, targets: int) -> float:
    """Return the FLOPs of a step's products with weights: of the decoder, the projector and the head."""
    decoder: Any = mllm.adapter.language_model(mllm.model)
    shape = memory.DecoderShape.read(decoder, mllm.model.get_output_embeddings())
    decoder_layers = _layers(decoder)
    layers, projector = _matrix_size(decoder_layers), _matrix_size(mllm.projector)
    head = shape.vocabulary * shape.hidden
    products = 4.0 * (layers * sequence.tokens + projector * sequence.media + head * targets)
    # Of these positions the last layer needs keys and values only (see engine/pruned_attention.py); their queries are
    # computed on the way.
    queries = shape.hidden * shape.attention
    last_layer = _matrix_size(decoder_layers[-1]) - 2 * queries * _kv_ratio(decoder.config)
    return float(products - (4 * last_layer - 2 * queries) * sequence.kv_only)


def attention_flop(mllm: MLLM, sequence: StepSequence) -> float:
    """Return the FLOPs of a step's attention: 4 forward and 10 backward for each unmasked pair of positions."""
    decoder: Any = mllm.adapter.language_model(mllm.model)
    shape = memory.DecoderShape.read(decoder, mllm.model.get_output_embeddings())
    shared = sequence.shared
    shared_pairs = shared * (shared + 1) / 2
    text_pairs = sum(text * shared + text**2 / 2 for text in sequence.texts)
    layers = shape.layers - (1 if sequence.kv_only else 0)
    return float(14 * shape.attention * (shared_pairs * layers + text_pairs * shape.layers))


def _layers(decoder: nn.Module) -> nn.ModuleList:
    return next(module for module in decoder.children() if isinstance(module, nn.ModuleList))


def _matrix_size(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.ndim == 2)


def _kv_ratio(config: Any) -> float:
    """Return the heads of keys per head of queries: 1, or less with grouped-query attention."""
    kv_heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    return float(kv_heads / config.num_attention_heads)


def measure_matmul(device: torch.device, dtype: torch.dtype) -> float:
    """Measure the FLOP/s of a large matrix product, on a CPU with all of torch's threads; takes about a second."""
    size = 1024 if device.type == "cpu" else 8192
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    best = float("inf")
    for _ in range(4):
        began = time.perf_counter()
        a @ b
        _synchronize(device)
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()

"""How much memory one example takes in a step, and how many fit at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import nn

CPU_TOKENS = 1024
"""Tokens in a batch that keep the matrix products of a CPU as fast as they get."""
GPU_TOKENS_TIMES_WEIGHTS = 1e12
"""The same for a GPU, as tokens times the weights of a layer: with fewer it waits for its launches. Measured on an H200
(docs/performance.md): 8 examples of a 7B model, 64 of one with 0.5 B parameters."""
GPU_EXAMPLES = 64
"""At most so many examples at a time on a GPU: each has launches of its own."""
RESERVED_RATIO = 0.1
"""Part of the free memory that is reserved for what the formula does not count: workspaces, fragmentation."""


@dataclass(frozen=True)
class DecoderShape:
    """The numbers of a decoder that memory and FLOPs depend on.

    Attributes:
        layers: number of layers.
        hidden: width of the hidden states.
        attention: width of all heads of queries together.
        mlp: values per token that the MLP keeps for the backward pass.
        vocabulary: number of rows of the head.
    """

    layers: int
    hidden: int
    attention: int
    mlp: int
    vocabulary: int

    @property
    def layer_weights(self) -> int:
        """The numbers in the matrices of a layer, with as many heads of keys as of queries."""
        return self.hidden * (4 * self.attention + self.mlp)

    @classmethod
    def read(cls, decoder: nn.Module, head: nn.Module) -> DecoderShape:
        """Read the numbers from a decoder and its head, which may be on the meta device."""
        config: Any = decoder.config
        hidden = config.hidden_size
        heads = config.num_attention_heads
        mlp = getattr(config, "intermediate_size", None) or getattr(config, "n_inner", None) or 4 * hidden
        gated = any(name.endswith("gate_proj") for name, _ in decoder.named_modules())
        head_size = getattr(config, "head_dim", None) or hidden // heads
        vocabulary = next(head.parameters()).shape[0]
        return cls(config.num_hidden_layers, hidden, heads * head_size, (3 if gated else 1) * mlp, vocabulary)


def example_bytes(
    shape: DecoderShape,
    *,
    tokens: int,
    targets: int,
    values: int,
    itemsize: int,
    kv_only: int = 0,
) -> int:
    """Return the bytes that one example keeps for the backward pass of a frozen decoder.

    Per token and layer these are queries, keys and values (as many heads as of queries: with a mask transformers
    repeats them) and outputs of the attention, what the MLP's products need, and the two fp32 inputs of the norms. A
    position of which the last layer computes keys and values only keeps, there, these and the input of the first norm.

    Args:
        tokens: positions in the decoder.
        targets: answer tokens.
        values: numbers in E.
        itemsize: bytes per weight.
        kv_only: positions of which the last layer computes keys and values only.
    """
    total = shape.layers * tokens * (itemsize * (4 * shape.attention + shape.mlp) + 8 * shape.hidden)
    total -= kv_only * (itemsize * (2 * shape.attention + shape.mlp) + 4 * shape.hidden)
    return int(1.05 * total) + targets * shape.vocabulary * (itemsize + 8) + 16 * values


def max_batch(per_example: int, free: int, tokens: int, shape: DecoderShape, device_type: str) -> int:
    """Return how many examples to optimise at a time: at least one, whose step then shows whether it fits.

    Never more than keep the device busy: a larger batch would only lose more work when a run is stopped.

    Args:
        per_example: bytes of one example.
        free: free bytes on the device.
        tokens: positions of one example in the decoder.
    """
    return max(1, min(count_fitting(per_example, free), useful_batch(tokens, shape, device_type)))


def count_fitting(per_example: int, free: int) -> int:
    """Return how many examples fit beside what is reserved; 0 or less if not even one does."""
    return int(free * (1 - RESERVED_RATIO)) // max(1, per_example)


def useful_batch(tokens: int, shape: DecoderShape, device_type: str) -> int:
    """Return how many examples of so many tokens keep a device busy."""
    if device_type == "cpu":
        return CPU_TOKENS // max(1, tokens)
    return min(GPU_EXAMPLES, math.ceil(GPU_TOKENS_TIMES_WEIGHTS / shape.layer_weights / max(1, tokens)))


def free_bytes(device: torch.device) -> int:
    """Return the memory that is still free on a device, with what torch has cached; on a CPU also within a cgroup."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
    if device.type == "mps":  # shares the machine's memory; torch refuses more than the recommended maximum
        allocated, cached_too = torch.mps.current_allocated_memory(), torch.mps.driver_allocated_memory()
        return min(torch.mps.recommended_max_memory() - allocated, _free_host_bytes() + cached_too - allocated)
    return _free_host_bytes()


def empty_cache(device: torch.device) -> None:
    """Give memory that torch has cached back to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def _free_host_bytes() -> int:
    free = int(psutil.virtual_memory().available)
    limit, used = (_read_number(Path("/sys/fs/cgroup") / name) for name in ("memory.max", "memory.current"))
    return min(free, limit - used) if limit is not None and used is not None else free


def _read_number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # there is no limit, or it is the word "max"
        return None

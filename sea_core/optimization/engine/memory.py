"""How much memory one example takes in a step, and how many fit at a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import nn

MAX_BATCH_TOKENS = {"cpu": 1024, "cuda": 8192}
"""Maximum number of tokens in a batch, by type of device (others: as cuda), unless one example has more. A device's
matrix products are as fast as they get by then; a larger batch would only lose more work when a run is stopped."""
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
    checkpointing: bool = False,
) -> int:
    """Return the bytes that one example keeps for the backward pass of a frozen decoder.

    Per token and layer these are queries, keys and values (as many heads as of queries: with a mask transformers
    repeats them) and outputs of the attention, what the MLP's products need, and the two fp32 inputs of the norms.
    With checkpointing each layer only keeps its input, and one layer at a time the rest. A position of which the last
    layer computes keys and values only keeps, there, these and the input of the first norm.

    Args:
        tokens: positions in the decoder.
        targets: answer tokens.
        values: numbers in E.
        itemsize: bytes per weight.
        kv_only: positions of which the last layer computes keys and values only.
    """
    layer = tokens * (itemsize * (4 * shape.attention + shape.mlp) + 8 * shape.hidden)
    total = shape.layers * shape.hidden * tokens * itemsize + layer if checkpointing else shape.layers * layer
    total -= kv_only * (itemsize * (2 * shape.attention + shape.mlp) + 4 * shape.hidden)
    return int(1.05 * total) + targets * shape.vocabulary * (itemsize + 8) + 16 * values


def max_batch(per_example: int, free: int, tokens: int, device_type: str) -> int:
    """Return how many examples to optimise at a time: at least one, whose step then shows whether it fits.

    Args:
        per_example: bytes of one example.
        free: free bytes on the device.
        tokens: positions of one example in the decoder.
    """
    useful = MAX_BATCH_TOKENS.get(device_type, MAX_BATCH_TOKENS["cuda"]) // max(1, tokens)
    return max(1, min(int(free * (1 - RESERVED_RATIO)) // max(1, per_example), useful))


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

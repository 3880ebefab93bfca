"""How much memory a row in flight takes, and how many rows fit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import device as Device  # noqa: N812
from torch import nn

MAX_TOKENS_IN_FLIGHT = {"cpu": 1024, "cuda": 8192}
"""Tokens in flight at most, unless one row has more: by then a device's matrix products are as fast as they get, and
more rows in flight would only mean more to lose when the run is stopped."""
FREE_SHARE = 0.1
"""Share of the free memory that is left for what the formula does not count: workspaces, fragments."""


@dataclass(frozen=True)
class DecoderShape:
    """The numbers of a decoder that memory depends on. `inner` counts what its MLP keeps for each token."""

    layers: int
    hidden: int
    attention: int
    inner: int
    vocabulary: int

    @classmethod
    def of(cls, decoder: nn.Module, head: nn.Module) -> DecoderShape:
        """Read the sizes off a decoder and its head; they may lie on the meta device."""
        config: Any = decoder.config
        hidden = config.hidden_size
        heads = config.num_attention_heads
        inner = getattr(config, "intermediate_size", None) or getattr(config, "n_inner", None) or 4 * hidden
        gated = any(name.endswith("gate_proj") for name, _ in decoder.named_modules())
        head_size = getattr(config, "head_dim", None) or hidden // heads
        vocabulary = next(head.parameters()).shape[0]
        return cls(config.num_hidden_layers, hidden, heads * head_size, (3 if gated else 1) * inner, vocabulary)


def example_bytes(
    sizes: DecoderShape,
    *,
    tokens: int,
    targets: int,
    numbers: int,
    element: int,
    kv_only: int = 0,
    checkpointing: bool = False,
) -> int:
    """Return the bytes that one row in flight keeps, for a frozen decoder.

    For each token and layer the queries, keys (as many as queries: with a mask the library repeats them), values and
    outputs, what the MLP's products need, and the two fp32 inputs of the norms. Recomputed layers keep only their
    input, and one layer at a time the rest. Where a position leaves keys and values alone in the last layer, these and
    the first norm's input are all that is kept of it there.

    Args:
        tokens: positions that go through the decoder. targets: answer tokens. numbers: how many E has.
        element: bytes of one weight. left: positions that leave keys and values alone in the last layer.
    """
    layer = tokens * (element * (4 * sizes.attention + sizes.inner) + 8 * sizes.hidden)
    body = sizes.layers * sizes.hidden * tokens * element + layer if checkpointing else sizes.layers * layer
    body -= kv_only * (element * (2 * sizes.attention + sizes.inner) + 4 * sizes.hidden)
    return int(1.05 * body) + targets * sizes.vocabulary * (element + 8) + 16 * numbers


def free_bytes(device: Device) -> int:
    """Return the memory that can still be taken on a device: on a CPU also under the limit of a container."""
    if device.type == "cuda":
        import torch

        free, _ = torch.cuda.mem_get_info(device)
        return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
    import psutil

    free = int(psutil.virtual_memory().available)
    limit, used = (_read(Path("/sys/fs/cgroup") / name) for name in ("memory.max", "memory.current"))
    return min(free, limit - used) if limit is not None and used is not None else free


def max_batch(row: int, free: int, tokens: int, device: str) -> int:
    """Return how many rows to keep in flight: at least one, whose step then shows whether it fits."""
    useful = MAX_TOKENS_IN_FLIGHT.get(device, MAX_TOKENS_IN_FLIGHT["cuda"]) // max(1, tokens)
    return max(1, min(int(free * (1 - FREE_SHARE)) // max(1, row), useful))


def _read(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # no such limit, or the word "max"
        return None

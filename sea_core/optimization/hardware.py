"""The device that an estimate is for: this machine's, or a card that is not here, by rates that were scaled."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from sea_core.model.cards import Card, get_card
from sea_core.optimization.compile_choice import matmul_ratio
from sea_core.optimization.engine import memory
from sea_core.optimization.flop import measure_matmul

MEASURED_CARD = "h200"
"""The card that was measured (docs/performance.md, "On a GPU")."""
MATMUL_OF_PEAK = 0.78
"""What a large matrix product in bf16 reached there, of the peak rate: 761 to 784 of 989.5 TFLOP/s."""
LAUNCH_SECONDS = 3e-3
"""What a layer of a step takes on a GPU at least, however little there is to compute: the launches of its kernels."""


@dataclass(frozen=True)
class Hardware:
    """What an estimate knows of a device.

    Attributes:
        device_type: cpu, cuda or mps.
        free: bytes, before the model is loaded.
        flop_per_second: of a large matrix product; None if nothing is known about it.
        card: the card that is not here; None for this machine's device, which was measured.
        count: how many such devices one model is spread over.
    """

    device_type: str
    free: int
    flop_per_second: float | None
    card: Card | None = None
    count: int = 1

    @classmethod
    def here(cls, device: torch.device, dtype: torch.dtype, free: int | None = None) -> Hardware:
        """Measure a device of this machine; takes about a second.

        Args:
            free: in place of the memory that is free now.
        """
        found = memory.free_bytes(device) if free is None else free
        return cls(device.type, found, measure_matmul(device, dtype))

    @classmethod
    def elsewhere(cls, card: Card | None, free: int, dtype: torch.dtype) -> Hardware:
        """Return a card that is not here. Its rates are known in bf16 and fp16 only, and without a card not at all."""
        known = card is not None and dtype.itemsize == 2
        return cls("cuda", free, card.bf16 * 1e12 * MATMUL_OF_PEAK if card and known else None, card)

    def step_ratio(self, compiled: bool) -> float:
        """Return the speed of a whole step, as a ratio of that of a large matrix product.

        On a card that is not here, the part of a step that is matrix products is scaled by the peak rates, and the
        rest, which moves memory, by the bandwidths.
        """
        ratio = matmul_ratio(self.device_type, compiled)
        if self.card is None:
            return ratio
        measured = get_card(MEASURED_CARD)
        slower = (self.card.bf16 / measured.bf16) * (measured.bandwidth / self.card.bandwidth)
        return 1 / (1 + (1 / ratio - 1) * slower)

    def launch_seconds(self, layers: int) -> float:
        """Return what the launches of a step of a batch take: nothing on a CPU."""
        return layers * LAUNCH_SECONDS if self.device_type == "cuda" else 0.0

    @property
    def basis(self) -> str:
        """Where the rates come from, as a part of a sentence."""
        if self.card is None:
            return "unknown: name a card with --gpu" if self.flop_per_second is None else "measured here"
        if self.flop_per_second is None:
            return "unknown: rates of cards are known in bfloat16 and float16 only"
        measured = get_card(MEASURED_CARD)
        if self.card == measured:
            return f"measured on an {measured.title}"
        return (
            f"measured on an {measured.title}; scaled by peak bf16 FLOP/s ({self.card.bf16:g} of {measured.bf16:g} "
            f"TFLOP/s) and memory bandwidth ({self.card.bandwidth:g} of {measured.bandwidth:g} GB/s)"
        )

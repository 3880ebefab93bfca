"""Settings of the comparison with real media, `-o quality.NAME=VALUE`."""

from __future__ import annotations

from dataclasses import dataclass

from sea_core.errors import SeaError


@dataclass(frozen=True)
class AnalysisConfig:
    """Settings of the linear probe."""

    layer: int = 2
    """The decoder layer, counted from 0, whose input is the probe's feature; the last layer if there are fewer."""
    l2: float = 1.0
    """Strength of the L2 regularisation: l2 / 2 times the sum of the squared weights is added to the loss."""

    def __post_init__(self) -> None:
        if self.layer < 0:
            raise SeaError(f"quality.layer is {self.layer}", hint="Layers are counted from 0.")
        if self.l2 <= 0:
            raise SeaError(
                f"quality.l2 is {self.l2}", hint="Use a number above 0: without regularisation the weights diverge."
            )

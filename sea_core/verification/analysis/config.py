"""The settings of the second view, `-o quality.NAME=VALUE`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AnalysisConfig:
    """Settings of the probe."""

    layer: int = 2
    """The decoder layer, counted from 0, whose input the probe reads; the last where there are fewer."""
    l2: float = 1.0
    """Weight of the squared weights beside the summed cross-entropy, as half of it."""

    def __post_init__(self) -> None:
        from sea_core.errors import SeaError

        if self.layer < 0:
            raise SeaError(f"quality.layer is {self.layer}", hint="Layers count from 0.")
        if self.l2 <= 0:
            raise SeaError(
                f"quality.l2 is {self.l2}", hint="Give a number above 0: without it the weights have no end."
            )

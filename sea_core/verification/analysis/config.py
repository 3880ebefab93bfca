"""Settings of the comparison with real media, `-o analysis.NAME=VALUE`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt

from sea_core.config import Config


@dataclass(frozen=True)
class AnalysisConfig(Config):
    """Settings of the linear probe."""

    layer: Annotated[int, Ge(0)] = 2
    """The decoder layer, counted from 0, whose input is the probe's feature; the last layer if there are fewer."""
    l2: Annotated[float, Gt(0)] = 1.0
    """Strength of the L2 regularisation: l2 / 2 times the sum of the squared weights is added to the loss. Without
    regularisation the weights diverge."""

    group: ClassVar[str] = "analysis"

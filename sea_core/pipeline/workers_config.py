"""How many processes work for a command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from sea_core.config import Config
from sea_core.optimization.config import Auto


@dataclass(frozen=True)
class WorkersConfig(Config):
    """Settings of the processes."""

    workers: Annotated[int, Ge(0)] | Auto = 1
    """Processes that work on the run. `auto`: one for each GPU; on a CPU one. `0`: only prepare the work, for workers
    that join it (`sea worker`)."""

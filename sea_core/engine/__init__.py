"""The step: what one update of many embeddings costs, and when a row is done."""

from sea_core.engine.choice import choose
from sea_core.engine.forward import Forward, Plain
from sea_core.engine.margin import safe_margin
from sea_core.engine.packed import Packed, Unpackable
from sea_core.engine.slots import Engine
from sea_core.engine.task import Outcome, Rules, Task
from sea_core.engine.variation import Variation

__all__ = [
    "Engine",
    "Forward",
    "Outcome",
    "Packed",
    "Plain",
    "Rules",
    "Task",
    "Unpackable",
    "Variation",
    "choose",
    "safe_margin",
]

"""`sea plan` from Python: memory, batch size, FLOPs and run time of an optimisation, without loading weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from sea_core.optimization.estimate import Estimate, estimate
from sea_core.pipeline.inputs import DataSpec, ModelTarget
from sea_core.pipeline.optimize import Synthesis, prepare_run
from sea_core.pipeline.progress import SILENT, Progress


@dataclass(frozen=True)
class PlannedRun:
    """An estimate, and what it is for.

    Attributes:
        start: what E starts at, as in the settings.
    """

    target: ModelTarget
    device: str
    dtype: str
    start: str
    estimate: Estimate


def plan(
    data: DataSpec | Path | str | None,
    model: ModelTarget | str,
    *,
    synthesis: Synthesis | None = None,
    steps: int = 60,
    progress: Progress = SILENT,
) -> PlannedRun:
    """Estimate what `optimize` with the same arguments will take.

    Args:
        steps: the steps that an example is assumed to need.

    Raises:
        DataError: the set cannot be read.
        PluginError, ModelError: the model cannot be used.
    """
    target, synthesis = ModelTarget.of(model), synthesis or Synthesis()
    target.note_limits(progress)
    todo = prepare_run(DataSpec.of(data), target, synthesis, None, progress).todo
    device, dtype = target.device_name(), target.dtype_name()
    shapes_only = replace(target, device="meta", dtype=dtype).load()
    estimated = estimate(shapes_only, todo, torch.device(device), steps, synthesis.config.compile)
    return PlannedRun(target, device, dtype, synthesis.config.start, estimated)

"""`sea plan` from Python: memory, batch size, FLOPs and run time of an optimisation or an alignment.

No weights are loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from sea_core.model.cards import get_card
from sea_core.model.placement import dtype_name, resolve_dtype
from sea_core.optimization.estimate import Estimate, estimate
from sea_core.optimization.hardware import Hardware
from sea_core.pipeline.data_spec import DataSpec
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.optimize import prepare_run
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.pipeline.synthesis import Synthesis

if TYPE_CHECKING:
    from sea_core.alignment.config import AlignRequest
    from sea_core.alignment.estimate import AlignEstimate
    from sea_core.model.mllm import MLLM


@dataclass(frozen=True)
class PlannedDevice:
    """The device that is planned for: of this machine, or a card that is not here.

    Attributes:
        device: as torch names it. gpu: a name of `sea_core/model/cards.toml`, as `h100`; empty for none.
        memory: in bytes, in place of what is free, or of what the card has.
        count: how many such cards one model is spread over.
    """

    device: str = "auto"
    gpu: str = ""
    memory: int | None = None
    count: int = 1

    @property
    def is_here(self) -> bool:
        """Whether this machine has it: memory alone stands for a card, unless a device is named too."""
        return not self.gpu and (self.memory is None or self.device != "auto")

    def title(self, target: ModelTarget) -> str:
        """Return what it is called. Raises SeaError if the card is not known, or the device cannot be used."""
        if self.is_here:
            return target.device_name()
        return f"{get_card(self.gpu).title}, not here" if self.gpu else "a GPU that is not here"

    def dtype(self, target: ModelTarget) -> torch.dtype:
        """Return the dtype of the weights on it."""
        if self.is_here or target.dtype != "auto":
            return resolve_dtype(target.dtype, target.devices().main if self.is_here else torch.device("cpu"))
        return torch.bfloat16

    def hardware(self, target: ModelTarget) -> Hardware:
        """Return its memory and rates; those of this machine are measured.

        Raises:
            SeaError: the card is not known, or the device cannot be used.
        """
        dtype = self.dtype(target)
        if self.is_here:
            devices = target.devices()
            return replace(Hardware.here(devices.main, dtype, self.memory), count=len(devices.names))
        card = get_card(self.gpu) if self.gpu else None
        memory = self.memory if self.memory is not None else card.memory_bytes if card else 0
        return replace(Hardware.elsewhere(card, memory, dtype), count=self.count)


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


@dataclass(frozen=True)
class PlannedAlignment:
    """An estimate of an alignment, and what it is for."""

    target: ModelTarget
    device: str
    dtype: str
    request: AlignRequest
    estimate: AlignEstimate


def plan(
    data: DataSpec | Path | str | None,
    model: ModelTarget | str,
    *,
    synthesis: Synthesis | None = None,
    steps: int = 60,
    where: PlannedDevice | None = None,
    progress: Progress = SILENT,
) -> PlannedRun:
    """Estimate what `optimize` with the same arguments will take.

    Args:
        steps: the steps that an example is assumed to need.
        where: a card that is not here; by default the model's device.

    Raises:
        DataError: the set cannot be read.
        PluginError, ModelError: the model cannot be used.
        SeaError: the card is not known.
    """
    target, synthesis = ModelTarget.of(model), synthesis or Synthesis()
    where = where or PlannedDevice(target.device)
    hardware, dtype = where.hardware(target), where.dtype(target)
    target.note_limits(progress)
    mllm = _shapes_only(target, dtype)
    todo = prepare_run(DataSpec.of(data), target, synthesis, None, progress).todo
    found = estimate(mllm, todo, hardware, steps, synthesis.config.compile, target.quantize)
    return PlannedRun(target, where.title(target), dtype_name(dtype), synthesis.config.start, found)


def plan_alignment(
    data: DataSpec | Path | str | None,
    model: ModelTarget | str,
    *,
    request: AlignRequest,
    where: PlannedDevice | None = None,
    progress: Progress = SILENT,
) -> PlannedAlignment:
    """Estimate what `align` will take, on the embeddings that `optimize` makes of the same data.

    Raises:
        SeaError: none of the examples has the answers that the method trains on, or all of quantised weights would be
            trained; and as `plan`.
    """
    from sea_core.alignment.estimate import estimate_alignment

    target = ModelTarget.of(model)
    request.require_trainable(target.quantize)
    where = where or PlannedDevice(target.device)
    hardware, dtype = where.hardware(target), where.dtype(target)
    target.note_limits(progress)
    mllm = _shapes_only(target, dtype)
    examples = prepare_run(DataSpec.of(data), target, Synthesis(), None, progress).todo
    found = estimate_alignment(mllm, examples, request, hardware, target.quantize)
    return PlannedAlignment(target, where.title(target), dtype_name(dtype), request, found)


def _shapes_only(target: ModelTarget, dtype: torch.dtype) -> MLLM:
    return replace(target, device="meta", dtype=dtype_name(dtype), quantize="").load()

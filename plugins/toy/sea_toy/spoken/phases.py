"""Training in phases. Each can be interrupted: started again, it goes on from its last checkpoint."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from sea_core.errors import SeaError
from sea_core.plugin.blueprint import ReportLine
from sea_core.runs.atomic import atomic_write
from sea_toy import training

SAVE_SECONDS = 120
"""A checkpoint is written about so often."""
EVALUATIONS = 10
"""So often, evenly spread over a phase, the phase is evaluated; and at its end."""


@dataclass(frozen=True)
class Phase:
    """A part of the training.

    Attributes:
        loss: of a step, by its number. What is drawn at random must follow from the number.
        evaluate: returns metrics by name.
    """

    name: str
    steps: int
    trained: Sequence[nn.Parameter]
    loss: Callable[[int], Tensor]
    evaluate: Callable[[], Mapping[str, float]]
    learning_rate: float = 1e-3


@dataclass(frozen=True)
class TrainingFolder:
    """Where the checkpoints of a training and its curve `losses.jsonl` are kept.

    Attributes:
        identity: what is trained on what, as a digest; each checkpoint holds it.
    """

    path: Path
    identity: str


def run_phase(phase: Phase, folder: TrainingFolder, report: ReportLine) -> None:
    """Train a phase to its end, from its checkpoint in `folder` if there is one.

    Raises:
        SeaError: the checkpoint is of another training.
    """
    for parameter in phase.trained:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(phase.trained, lr=phase.learning_rate, weight_decay=0.0)
    scheduler = training.make_scheduler(optimizer, max(1, phase.steps))
    first = _load(folder, phase, optimizer, scheduler)
    saved = time.monotonic()
    for step in range(first, phase.steps):
        loss = phase.loss(step)
        training.update(optimizer, scheduler, loss, phase.trained)
        is_last = step + 1 == phase.steps
        if is_last or (step + 1) % max(1, phase.steps // EVALUATIONS) == 0:
            _log(folder.path, phase, step + 1, loss.item(), report)
        if is_last or time.monotonic() - saved > SAVE_SECONDS:
            _save(folder, phase, optimizer, step + 1)
            saved = time.monotonic()
    for parameter in phase.trained:
        parameter.requires_grad_(False)


def _log(folder: Path, phase: Phase, step: int, loss: float, report: ReportLine) -> None:
    metrics = {"loss": loss, **phase.evaluate()}
    report(f"{phase.name} {step}/{phase.steps}: " + ", ".join(f"{name} {value:.3f}" for name, value in metrics.items()))
    with (folder / "losses.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"phase": phase.name, "step": step, **metrics}) + "\n")


def _checkpoint(folder: TrainingFolder, phase: Phase) -> Path:
    return folder.path / f"{phase.name}.safetensors"


def _save(folder: TrainingFolder, phase: Phase, optimizer: torch.optim.Optimizer, step: int) -> None:
    tensors = {f"trained.{i}": parameter.detach() for i, parameter in enumerate(phase.trained)}
    for i, state in optimizer.state_dict()["state"].items():
        tensors |= {f"{name}.{i}": value for name, value in state.items()}
    metadata = {"step": str(step), "identity": folder.identity}
    with atomic_write(_checkpoint(folder, phase)) as partial:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, partial, metadata=metadata)


def _load(folder: TrainingFolder, phase: Phase, optimizer: torch.optim.Optimizer, scheduler: Any) -> int:
    """Take over a checkpoint if there is one. Returns how many steps have been done."""
    path = _checkpoint(folder, phase)
    if not path.exists():
        return 0
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
        if metadata.get("identity") != folder.identity:
            raise SeaError(
                "this checkpoint is of another training: another seed, other lengths (a GPU trains longer than a CPU), "
                "clips or parts",
                hint=f"Type the command with which it was begun, or begin anew: rm -r {folder.path}",
                where=str(path),
            )
        step = int(metadata["step"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no mapping
    with torch.no_grad():
        for i, parameter in enumerate(phase.trained):
            parameter.copy_(tensors[f"trained.{i}"])
    names = {name.partition(".")[0] for name in tensors} - {"trained"}
    states = {i: {name: tensors[f"{name}.{i}"] for name in names} for i in range(len(phase.trained))}
    optimizer.load_state_dict({**optimizer.state_dict(), "state": states})
    scheduler.last_epoch = step
    for group, factor in zip(optimizer.param_groups, scheduler.lr_lambdas, strict=True):
        group["lr"] = phase.learning_rate * factor(step)
    return step

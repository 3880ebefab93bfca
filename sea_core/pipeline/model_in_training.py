"""The model that a trainer trains, with the adapter and the processor of the model that some runs were made for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from accelerate.state import AcceleratorState
from torch.distributed.tensor import DTensor

from sea_core.alignment.sanity_checks import require_same_model
from sea_core.errors import ModelError, SeaError
from sea_core.model.mllm import MLLM
from sea_core.pipeline.model_target import ModelTarget
from sea_core.runs.embedding_run import EmbeddingRun


def open_runs(runs: Sequence[EmbeddingRun | Path | str]) -> list[EmbeddingRun]:
    """Return the runs, opened. Raises RunError if there is none, or they are of different models."""
    opened = [run if isinstance(run, EmbeddingRun) else EmbeddingRun(Path(run)) for run in runs]
    require_same_model(opened, opened[0].manifest.identity.model.fingerprint)
    return opened


def require_whole_weights(model: Any) -> None:
    """Raise SeaError if the weights are sharded, as Accelerate runs it: the arguments of the training need not say so.

    A process that runs the model on its own would then wait for the others for ever.
    """
    state = AcceleratorState()
    kind = state.distributed_type.value
    sharded_at_load = any(isinstance(parameter, DTensor) for parameter in model.parameters())
    if not (kind == "NO" or kind.startswith("MULTI_")) or state.parallelism_config is not None or sharded_at_load:
        raise SeaError(
            "safety replay and refusal curves do not work with sharded weights",
            hint="Train with DDP or on one device.",
        )


def find_model_in_training(
    model: Any, runs: Sequence[EmbeddingRun], plugin: str | None = None, checkpoint: str | None = None
) -> MLLM:
    """Return a trainer's model as an MLLM. What is trained of it, and its mode, stay as they are.

    Args:
        model: the trainer's, with or without PEFT's LoRA adapter.
        plugin: the runs' plugin, for runs made with a local file: its path.
        checkpoint: where the runs' model lies now, if not where it was. Only its configuration and its processor are
            read.

    Raises:
        ModelError: the runs were made for a model of another class or size, or the projector is quantised.
    """
    target = ModelTarget.of_run(runs[0], plugin=plugin, model=checkpoint, quantize="none")
    shapes_only = replace(target, device="meta").load()
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    name, wanted = type(base).__name__, type(shapes_only.model).__name__
    hint = f"Train {target.checkpoint}, or a model that was made from it."
    if name != wanted:
        raise ModelError(f"{runs[0].folder} was made for a {wanted}, and a {name} is trained", hint=hint)
    with _as_it_is(base):
        mllm = MLLM(target.adapter, base, shapes_only.processor)
    _require_float_projector(mllm)
    if _widths(mllm) != _widths(shapes_only):
        raise ModelError(f"{runs[0].folder} was made for a {wanted} of another size than is trained", hint=hint)
    return mllm


def _require_float_projector(mllm: MLLM) -> None:
    """Raise ModelError if the projector is quantised: embeddings would be rounded to its dtype."""
    for projector in mllm.projectors():
        if not all(parameter.is_floating_point() for parameter in projector.parameters()):
            names = [name for name, module in mllm.model.named_modules() if module is projector]
            raise ModelError(
                "the projector is quantised",
                hint=f"Load the model with BitsAndBytesConfig(llm_int8_skip_modules={['lm_head', *names]}, ...).",
            )


def _widths(mllm: MLLM) -> list[int]:
    """Return the sizes that an embedding, and what P makes of it, must have."""
    sizes = [p.shape[-1] for projector in mllm.projectors() for p in projector.parameters() if p.ndim > 1]
    return [*sizes[:1], mllm.model.get_input_embeddings().weight.shape[-1]]


@contextmanager
def _as_it_is(model: Any) -> Iterator[None]:
    """Restore which parameters are trained, and the mode of each module, on exit."""
    trained = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    try:
        with evaluating(model):
            yield
    finally:
        for parameter, flag in trained:
            parameter.requires_grad_(flag)


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Put a model into evaluation mode inside the block."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode

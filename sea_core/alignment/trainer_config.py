"""TRL's configuration: SEA's defaults, overridden by `-o trainer.KEY=VALUE`."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from trl import DPOConfig, SFTConfig

from sea_core.alignment.checkpoints import CHECKPOINTS
from sea_core.alignment.config import AlignRequest
from sea_core.alignment.lora import lora_config
from sea_core.alignment.passthrough import build_config, read_values
from sea_core.errors import SeaError
from sea_core.model.checkpoint import quiet_loading
from sea_core.model.mllm import MLLM

TRL_EPOCHS = 3.0
"""The passes over the data where neither steps nor epochs are given."""


def check_names(request: AlignRequest) -> None:
    """Raise SeaError if TRL or PEFT does not have a setting, or one is not the number that it must be.

    Needs no model; `check_settings` finds the rest.
    """
    read_values(config_class(request.method), request.trainer, "trainer")
    read_values(LoraConfig, request.lora, "lora")


def config_class(method: str) -> Any:
    """Return TRL's configuration of a method."""
    return SFTConfig if method == "sft" else DPOConfig


def check_settings(mllm: MLLM, request: AlignRequest, folder: Path) -> None:
    """Raise SeaError if TRL or PEFT does not accept a setting, before any work is done."""
    with quiet_libraries():
        trainer_config(mllm, 1, request, folder)
        if not request.full_finetune:
            lora_config(mllm, request)


def trainer_config(mllm: MLLM, n_examples: int, request: AlignRequest, folder: Path) -> Any:
    """Return the SFTConfig or DPOConfig of a training on `n_examples` examples.

    Raises:
        SeaError: TRL does not accept a setting, or the model does not take such batches.
    """
    defaults = _common_defaults(mllm, request, folder)
    defaults |= _sft_defaults() if request.method == "sft" else _dpo_defaults(request)
    if "max_steps" not in request.trainer and "num_train_epochs" not in request.trainer:
        defaults["max_steps"] = count_steps(mllm, request, n_examples)
    config = build_config(config_class(request.method), defaults, request.trainer, "trainer")
    if request.method == "dpo":
        config.precompute_ref_log_probs = precomputes_references(mllm, request, n_examples)
    if mllm.replayed and config.per_device_train_batch_size > 1:
        raise SeaError(
            "a model whose own forward is replayed is aligned one example at a time: not every one takes media and "
            "plain text in one batch",
            hint="Accumulate gradients instead: -o trainer.per_device_train_batch_size=1 "
            f"-o trainer.gradient_accumulation_steps={config.per_device_train_batch_size}",
        )
    return config


def _common_defaults(mllm: MLLM, request: AlignRequest, folder: Path) -> dict[str, Any]:
    on_cpu = mllm.device.type == "cpu"
    return {
        "output_dir": str(folder / CHECKPOINTS),
        "seed": request.config.seed,
        "data_seed": request.config.seed,
        "learning_rate": default_learning_rate(mllm, request),
        **batch_defaults(mllm),
        "logging_steps": 10,
        "save_steps": 50,
        "save_total_limit": 2,
        "report_to": "none",
        "disable_tqdm": True,
        "logging_nan_inf_filter": False,
        "remove_unused_columns": False,
        "max_length": None,
        "gradient_checkpointing": not on_cpu,
        "use_cpu": on_cpu,
        "bf16": mllm.dtype == torch.bfloat16,
        "fp16": mllm.dtype == torch.float16,
        "dataloader_pin_memory": mllm.device.type == "cuda",
        # The loss is that of the answers alone, also with a mixture of experts: `stop_loss` is compared with it.
        "router_aux_loss_coef": 0.0,
        # A batch of plain text has no gradient for the projector.
        "ddp_find_unused_parameters": request.config.train_projector,
    }


def _sft_defaults() -> dict[str, Any]:
    return {"dataset_kwargs": {"skip_prepare_dataset": True}}


def _dpo_defaults(request: AlignRequest) -> dict[str, Any]:
    if not request.config.sft_weight:
        return {}
    return {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, request.config.sft_weight]}


def precomputes_references(mllm: MLLM, request: AlignRequest, n_examples: int) -> bool:
    """Return whether DPO runs the reference model once for each example, before the training, and not at each step.

    With LoRA that is cheaper from two passes on. Several processes would each need the whole model for it. In full
    fine-tuning TRL would otherwise load a second model, without SEA's forward hook.
    """
    if "precompute_ref_log_probs" in request.trainer:
        return bool(request.trainer["precompute_ref_log_probs"])
    per_device, accumulated = batch_settings(mllm, request)
    passes = count_steps(mllm, request, n_examples) * per_device * accumulated / n_examples
    return request.full_finetune or (passes >= 2 and _world_size() == 1 and not _shards_weights())


def batch_defaults(mllm: MLLM) -> dict[str, int]:
    """Return how many examples make a step: 16. A replayed model may not take media of several sizes in one batch."""
    per_device, accumulated = (16, 1) if mllm.mechanism.mixes_batches else (1, 16)
    return {"per_device_train_batch_size": per_device, "gradient_accumulation_steps": accumulated}


def batch_settings(mllm: MLLM, request: AlignRequest) -> tuple[int, int]:
    """Return how many examples a process has in a batch, and how many batches make a step."""
    per_device, accumulated = (int(request.trainer.get(name, value)) for name, value in batch_defaults(mllm).items())
    return per_device, accumulated


def count_steps(mllm: MLLM, request: AlignRequest, n_examples: int) -> int:
    """Return the number of steps of all processes: TRL's `max_steps`, or else its `num_train_epochs`, if one is given.

    By default `epochs` passes over the examples, but at least `steps`.
    """
    given, (per_device, accumulated) = request.trainer, batch_settings(mllm, request)
    per_device *= _world_size()
    if (steps := int(given.get("max_steps", -1))) > 0:
        return steps
    if "max_steps" in given or "num_train_epochs" in given:
        per_epoch = math.ceil(math.ceil(n_examples / per_device) / accumulated)
        return math.ceil(float(given.get("num_train_epochs", TRL_EPOCHS)) * per_epoch)
    return max(request.config.steps, math.ceil(request.config.epochs * n_examples / (per_device * accumulated)))


def _world_size() -> int:
    """Return how many processes the launcher has started."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def _shards_weights() -> bool:
    """Return whether the launcher has asked for a way to share the weights among processes, also for a single one."""
    return "true" in (os.environ.get("ACCELERATE_USE_DEEPSPEED"), os.environ.get("ACCELERATE_USE_FSDP"))


def default_learning_rate(mllm: MLLM, request: AlignRequest) -> float:
    """Return a learning rate for the model's width: narrow models need larger ones.

    About 2e-3 for the tiny models (measured), 1.4e-4 for a 7B; a tenth of that for full fine-tuning, as is usual.
    """
    width = mllm.model.get_input_embeddings().weight.shape[1]
    lora: float = 2.5e-4 * (2000 / width) ** 0.78
    return lora / 10 if request.full_finetune else lora


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep the libraries' progress bars, and their warnings about their own deprecations, off stderr."""
    with quiet_loading(), _no_bars(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", UserWarning)
        yield


@contextmanager
def _no_bars() -> Iterator[None]:
    """Switch off the bars of datasets, and of TRL, which reads an environment variable."""
    import datasets

    bars, before = not datasets.are_progress_bars_disabled(), os.environ.get("TQDM_DISABLE")
    datasets.disable_progress_bars()
    os.environ["TQDM_DISABLE"] = "1"
    try:
        yield
    finally:
        del os.environ["TQDM_DISABLE"]
        if before is not None:
            os.environ["TQDM_DISABLE"] = before
        if bars:
            datasets.enable_progress_bars()

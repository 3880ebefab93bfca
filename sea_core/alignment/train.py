"""Train with TRL, the encoder skipped: P(E) takes the place of P(M(z)) at the seam for the whole of the training."""

from __future__ import annotations

import json
import math
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import PrinterCallback, TrainerCallback
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from sea_core.alignment import sanity_checks
from sea_core.alignment.collator import Collator
from sea_core.alignment.config import AlignRequest
from sea_core.alignment.lora import lora_config, require_only_expected_trainable, unfreeze_language_model
from sea_core.alignment.passthrough import passed_on
from sea_core.errors import ModelError
from sea_core.model.checkpoint import quiet_loading
from sea_core.model.mllm import MLLM

if TYPE_CHECKING:
    from datasets import Dataset

StepCallback = Callable[[int, int, float], None]
"""(steps done, steps in all, last mean loss)."""
CHECKPOINTS = "checkpoints"
DONE = "trainer_state.json"
"""The trainer writes it last into a checkpoint."""


class PreparedDPOTrainer(DPOTrainer):  # type: ignore[misc]  # TRL is untyped
    """`DPOTrainer` for a set that is token ids already, which it has no switch for (`SFTTrainer` has)."""

    def _prepare_dataset(self, dataset: Any, *_args: Any, **_kwargs: Any) -> Any:
        return dataset


class TrainingMonitor(TrainerCallback):  # type: ignore[misc]  # transformers is untyped
    """Tells the progress, stops when the loss is low enough, and does not let a NaN pass."""

    def __init__(self, stop_loss: float, tell: StepCallback | None) -> None:
        self.stop_loss, self.on_step, self.loss = stop_loss, tell, math.nan

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step >= state.max_steps:
            control.should_log = True  # the last loss is told, whatever the interval
        if self.on_step:
            self.on_step(state.global_step, state.max_steps, self.loss)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        told = logs or {}
        for name, what in (("loss", "loss"), ("grad_norm", "size of the gradient")):
            sanity_checks.require_finite(told.get(name), what, state.global_step)
        if "loss" in told:
            self.loss = float(told["loss"])
            if self.loss < self.stop_loss:
                control.should_training_stop = control.should_save = True


def train(
    mllm: MLLM,
    data: Dataset,
    collator: Collator,
    terms: AlignRequest,
    folder: Path,
    on_step: StepCallback | None = None,
) -> tuple[Any, list[dict[str, Any]]]:
    """Train the model of `mllm` in place, or go on from the last checkpoint in `folder`.

    Returns:
        the trained model (a PeftModel, or the model itself with `full`), and the trace: what was logged, by step.

    Raises:
        ModelError: one of the alarms.
        SeaError: TRL or PEFT do not take a setting.
    """
    if terms.full:
        unfreeze_language_model(mllm, terms)
    with _patient():
        args = trainer_config(mllm, len(data), terms, folder)
    if getattr(args, "precompute_ref_log_probs", False):
        data = _on_disk(data, folder)
    with mllm.inject(), _patient(), _own_tokens(mllm.model):
        trainer = _trainer(mllm, data, collator, terms, args)
        mllm.projector = mllm.adapter.projector(mllm.model)  # PEFT may have put its own copy there
        require_only_expected_trainable(mllm, trainer.model, terms.config.train_projector)
        if about_media := [i for i, key in enumerate(data["sea_key"]) if key][:4]:
            sanity_checks.require_working_hook(mllm, collator([data[i] for i in about_media]))
        if getattr(args, "precompute_ref_log_probs", False):
            sanity_checks.require_fresh_references(trainer)
        trainer.remove_callback(PrinterCallback)  # stdout is for results
        trainer.add_callback(TrainingMonitor(terms.config.stop_loss, on_step))
        trace = _run(trainer, last_checkpoint(folder), terms.config.stop_loss)
    model = trainer.accelerator.unwrap_model(trainer.model)
    model.eval()
    return model, trace


def _run(trainer: Any, checkpoint: Path | None, stop_loss: float) -> list[dict[str, Any]]:
    """Train, or take the weights of a checkpoint at which the training was over. Returns the trace."""
    state = json.loads((checkpoint / DONE).read_text(encoding="utf-8")) if checkpoint else {"log_history": []}
    trace = [row for row in state["log_history"] if "loss" in row]
    if checkpoint and (
        state["global_step"] >= trainer.args.max_steps > 0 or (trace[-1:] and trace[-1]["loss"] < stop_loss)
    ):
        trainer._load_from_checkpoint(str(checkpoint))  # private; `train` would take one step more
        return trace
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return [row for row in trainer.state.log_history if "loss" in row]


def _trainer(mllm: MLLM, data: Dataset, collator: Collator, terms: AlignRequest, args: Any) -> Any:
    kind = PreparedDPOTrainer if terms.method == "dpo" else SFTTrainer
    adapter = {} if terms.full else {"peft_config": lora_config(mllm, terms)}
    try:
        return kind(
            model=mllm.model,
            args=args,
            data_collator=collator,
            train_dataset=data,
            processing_class=mllm.tokenizer,
            **adapter,
        )
    except torch.OutOfMemoryError:
        raise
    except (ValueError, RuntimeError) as error:
        raise ModelError(
            f"TRL and PEFT do not take these settings: {error}",
            hint="Leave out the trainer and lora settings that it names, or install what it asks for.",
        ) from error


def check_settings(mllm: MLLM, terms: AlignRequest, folder: Path) -> None:
    """Raise SeaError for a setting that TRL or PEFT do not take, before any work is done."""
    with _patient():
        trainer_config(mllm, 1, terms, folder)
        if not terms.full:
            lora_config(mllm, terms)


def trainer_config(mllm: MLLM, examples: int, terms: AlignRequest, folder: Path) -> Any:
    """Return TRL's configuration: ours, overridden by what was passed on."""
    gpu = mllm.device.type == "cuda"
    config = terms.config
    ours: dict[str, Any] = {
        "output_dir": str(folder / CHECKPOINTS),
        "seed": config.seed,
        "data_seed": config.seed,
        "learning_rate": learning_rate(mllm, terms),
        "per_device_train_batch_size": 16,
        "logging_steps": 10,
        "save_steps": 50,
        "save_total_limit": 2,
        "report_to": "none",
        "disable_tqdm": True,
        "logging_nan_inf_filter": False,
        "remove_unused_columns": False,
        "max_length": None,
        "gradient_checkpointing": gpu,
        "use_cpu": not gpu,
        "bf16": mllm.dtype == torch.bfloat16,
        "fp16": mllm.dtype == torch.float16,
        "dataloader_pin_memory": gpu,
    }
    # A batch of plain text alone has no gradient for the projector.
    ours["ddp_find_unused_parameters"] = terms.config.train_projector
    if terms.method == "sft":
        ours["dataset_kwargs"] = {"skip_prepare_dataset": True}
    elif config.sft_weight:
        ours |= {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, config.sft_weight]}
    if terms.method == "dpo" and terms.full:  # else a second model would be loaded, without the hook
        ours["precompute_ref_log_probs"] = True
    kind = DPOConfig if terms.method == "dpo" else SFTConfig
    if "max_steps" not in terms.trainer and "num_train_epochs" not in terms.trainer:
        ours["max_steps"] = _steps(terms, examples)
    return passed_on(kind, ours, terms.trainer, "trainer")


def _steps(terms: AlignRequest, examples: int) -> int:
    told = terms.trainer
    world = int(os.environ.get("WORLD_SIZE", "1"))
    rows = int(told.get("per_device_train_batch_size", 16)) * int(told.get("gradient_accumulation_steps", 1)) * world
    return max(terms.config.steps, math.ceil(terms.config.epochs * examples / rows))


def learning_rate(mllm: MLLM, terms: AlignRequest) -> float:
    """Return a step size that fits the model's width: narrow models take, and need, larger steps.

    About 2e-3 for the tiny models (measured), 1.4e-4 for a 7B; a tenth of that without an adapter, as is usual.
    """
    width = mllm.model.get_input_embeddings().weight.shape[1]
    lora: float = 2.5e-4 * (2000 / width) ** 0.78
    return lora / 10 if terms.full else lora


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest whole checkpoint; what a kill left behind it is deleted."""
    found = sorted((folder / CHECKPOINTS).glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    while found:
        try:
            json.loads((found[-1] / DONE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            shutil.rmtree(found.pop())
        else:
            return found[-1]
    return None


def _on_disk(data: Dataset, folder: Path) -> Dataset:
    """Keep the set in the folder: processes of one job find what was precomputed for it there, and only there."""
    from accelerate import PartialState
    from datasets import load_from_disk

    place = folder / "dataset"
    if PartialState().is_main_process:
        shutil.rmtree(place, ignore_errors=True)  # what was precomputed for another set or model goes with it
        data.save_to_disk(str(place))
    PartialState().wait_for_everyone()
    return load_from_disk(str(place))


@contextmanager
def _own_tokens(model: Any) -> Iterator[None]:
    """Give the model its own special tokens back: the trainer sets the tokenizer's, and the export would keep them."""
    holders = (model.config, model.config.get_text_config(), model.generation_config)
    names = ("pad_token_id", "bos_token_id", "eos_token_id")
    kept = [(holder, name, getattr(holder, name)) for holder in holders for name in names if hasattr(holder, name)]
    try:
        yield
    finally:
        for holder, name, value in kept:
            setattr(holder, name, value)


@contextmanager
def _patient() -> Iterator[None]:
    """Keep the libraries' warnings about their own names, and their chatter, off stderr."""
    with quiet_loading(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", UserWarning)
        yield

"""TRL's trainers on data that is already tokenised, and what watches them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from peft import PeftModel
from transformers import PrinterCallback, Trainer, TrainerCallback, set_seed
from trl import DPOTrainer, SFTTrainer

from sea_core.alignment import sanity_checks
from sea_core.alignment.collator import Collator
from sea_core.alignment.config import AlignRequest
from sea_core.alignment.lora import lora_config
from sea_core.alignment.processes import name_layers
from sea_core.errors import ModelError
from sea_core.model.checkpoint import quiet_loading
from sea_core.model.device_error import describe_device_error
from sea_core.model.mllm import MLLM

if TYPE_CHECKING:
    from datasets import Dataset

StepCallback = Callable[[int, int, float], None]
"""Called with (steps done, total steps, last logged mean loss)."""


class WholeModelCheckpoints(Trainer):  # type: ignore[misc]  # transformers is untyped
    """Loads a checkpoint of all weights by the names that they are saved under.

    `Trainer` looks for the names that the model has them under, and ignores all others: a model whose class renames
    weights when it is saved would go on with those of the base model, without a word.
    """

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        model = self.model if model is None else model
        if isinstance(model, PeftModel) or self.is_fsdp_enabled:
            super()._load_from_checkpoint(resume_from_checkpoint, model)
            return
        settings = {"dtype": model.dtype, "trust_remote_code": False, "use_safetensors": True}
        with quiet_loading():
            saved = type(model).from_pretrained(resume_from_checkpoint, **settings)
        model.load_state_dict(saved.state_dict())


class PreparedSFTTrainer(WholeModelCheckpoints, SFTTrainer):  # type: ignore[misc]  # TRL is untyped
    """`SFTTrainer` whose training can be resumed."""


class PreparedDPOTrainer(WholeModelCheckpoints, DPOTrainer):  # type: ignore[misc]  # TRL is untyped
    """`DPOTrainer` whose training can be resumed, for token ids.

    Unlike `SFTTrainer`, it has no setting that skips tokenisation.
    """

    def _prepare_dataset(self, dataset: Any, *_args: Any, **_kwargs: Any) -> Any:
        return dataset


class TrainingMonitor(TrainerCallback):  # type: ignore[misc]  # transformers is untyped
    """Reports progress, stops training when the loss is low enough, and raises on a non-finite loss or gradient."""

    def __init__(self, stop_loss: float, on_step: StepCallback | None) -> None:
        self.stop_loss, self.on_step, self.loss = stop_loss, on_step, math.nan

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step >= state.max_steps:
            control.should_log = True  # the last loss is always logged
        if self.on_step:
            self.on_step(state.global_step, state.max_steps, self.loss)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        logs = logs or {}
        sanity_checks.require_finite(logs.get("loss"), "loss", state.global_step)
        sanity_checks.require_finite(logs.get("grad_norm"), "gradient norm", state.global_step)
        if "loss" in logs:
            self.loss = float(logs["loss"])
            if self.loss < self.stop_loss:
                control.should_training_stop = control.should_save = True


def make_trainer(
    mllm: MLLM,
    data: Dataset,
    collator: Collator,
    request: AlignRequest,
    config: Any,
    on_step: StepCallback | None = None,
) -> Any:
    """Return TRL's trainer for the request.

    Args:
        config: what `trainer_config` returns.

    Raises:
        ModelError: TRL or PEFT does not accept the settings.
    """
    trainer_class = PreparedDPOTrainer if request.method == "dpo" else PreparedSFTTrainer
    name_layers(mllm)
    peft = {} if request.full_finetune else {"peft_config": lora_config(mllm, request)}
    set_seed(config.seed)  # PEFT draws the first weights of LoRA; TRL before 1.15 does not seed them
    try:
        trainer = trainer_class(
            model=mllm.model,
            args=config,
            data_collator=collator,
            train_dataset=data,
            processing_class=mllm.tokenizer,
            **peft,
        )
    except (ValueError, RuntimeError) as error:
        if describe_device_error(error):  # TRL may run the reference model here
            raise
        raise ModelError(
            f"TRL and PEFT do not accept these settings: {error}",
            hint="Leave out the trainer and lora settings that the message names, or install what it asks for.",
        ) from error
    trainer.remove_callback(PrinterCallback)  # stdout is for results
    trainer.add_callback(TrainingMonitor(request.config.stop_loss, on_step))
    return trainer

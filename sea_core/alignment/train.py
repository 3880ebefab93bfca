"""Train with TRL while the encoder is skipped: P(E) replaces P(M(z)) at the seam during the whole training."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from peft import PeftModel
from transformers.integrations.deepspeed import unset_hf_deepspeed_config

from sea_core.alignment import sanity_checks
from sea_core.alignment.answers_only import answers_only
from sea_core.alignment.attention import eager_on_a_cpu
from sea_core.alignment.checkpoints import CHECKPOINTS, TrainerState, last_checkpoint, read_state
from sea_core.alignment.collator import Collator
from sea_core.alignment.config import AlignRequest
from sea_core.alignment.export import reload_base
from sea_core.alignment.hidden_states import with_hidden_states
from sea_core.alignment.logits import as_the_model_computes_them
from sea_core.alignment.lora import require_only_expected_trainable, unfreeze_language_model
from sea_core.alignment.processes import is_first_process, is_sharded
from sea_core.alignment.trainer_config import quiet_libraries, trainer_config
from sea_core.alignment.trainers import StepCallback, make_trainer
from sea_core.errors import RunError, SeaError, one_line
from sea_core.model.mllm import MLLM

if TYPE_CHECKING:
    from datasets import Dataset

MEDIA_EXAMPLES = 4
"""How many examples with media the hook is checked on."""


def train(
    mllm: MLLM,
    data: Dataset,
    collator: Collator,
    request: AlignRequest,
    folder: Path,
    on_step: StepCallback | None = None,
) -> tuple[Any, list[dict[str, Any]]]:
    """Train the model of `mllm` in place, or resume from the last checkpoint in `folder`.

    Returns:
        the trained model (a PeftModel, or the model itself after full fine-tuning), and the trace: the trainer's log
        records that have a loss.

    Raises:
        ModelError: a sanity check failed.
        SeaError: TRL or PEFT does not accept a setting.
    """
    if request.full_finetune:
        unfreeze_language_model(mllm, request)
    with quiet_libraries():
        config = trainer_config(mllm, len(data), request, folder)
        precomputes = getattr(config, "precompute_ref_log_probs", False)
        if precomputes:
            data = _save_to_disk(data, folder)
    with (
        mllm.inject(),
        with_hidden_states(mllm),
        answers_only(),
        eager_on_a_cpu(mllm, data),
        quiet_libraries(),
        _keep_configuration(mllm.model),
    ):
        with as_the_model_computes_them(mllm), _curves_in(folder / "tensorboard"):
            trainer = make_trainer(mllm, data, collator, request, config, on_step)
        mllm.projector = mllm.find_projector()  # PEFT may have replaced it by its own copy
        if trainer.is_deepspeed_enabled:
            mllm.projector = _whole_projector(mllm, request)
        _check_setup(mllm, trainer, data, collator, request, precomputes)
        trace = run_trainer(trainer, last_checkpoint(folder), request.config.stop_loss)
    if is_sharded(trainer):
        return _gather(mllm, trainer, request, folder), trace
    model = trainer.accelerator.unwrap_model(trainer.model)
    model.eval()
    return model, trace


def _whole_projector(mllm: MLLM, request: AlignRequest) -> Any:
    """Return a copy of P that is no part of the model, so that DeepSpeed leaves it whole in each process.

    ZeRO-3 gathers a module's weights when it is called, in all processes at once. P is called once for each embedding
    of a batch, of which processes have different numbers.

    Raises:
        SeaError: P is to be trained, or the model's own forward is replayed.
    """
    if request.config.train_projector or mllm.replayed:
        what = "a projector that is trained" if request.config.train_projector else "a model whose forward is replayed"
        raise SeaError(
            f"DeepSpeed cannot shard {what}: processes would gather its weights at different times",
            hint="Use DDP or FSDP2 (docs/how-to/align.md), or leave out -o train_projector.",
        )
    return deepcopy(mllm.projector)


def _gather(mllm: MLLM, trainer: Any, request: AlignRequest, folder: Path) -> Any:
    """Return the trained model as one, in the first process: no process alone can run what is sharded.

    All processes write what was trained together. The first one then loads the base again, with it.
    """
    trained = folder / CHECKPOINTS / "trained"
    device = trainer.accelerator.device
    trainer.save_model(str(trained))
    if not is_first_process():
        return trainer.model
    unset_hf_deepspeed_config()  # or transformers shards what this process loads
    with quiet_libraries():
        if request.full_finetune:
            settings = {"dtype": mllm.model.dtype, "trust_remote_code": False, "use_safetensors": True}
            model = base = type(mllm.model).from_pretrained(str(trained), **settings)
        else:
            base = reload_base(mllm, getattr(mllm.model.config, "_commit_hash", None))
            model = PeftModel.from_pretrained(base, str(trained))
    mllm.take(base.to(device))
    return model.eval()


def _check_setup(
    mllm: MLLM, trainer: Any, data: Dataset, collator: Collator, request: AlignRequest, precomputes: bool
) -> None:
    """Run the sanity checks that need a trainer but no training."""
    require_only_expected_trainable(mllm, trainer.model, request.config.train_projector)
    if about_media := [i for i, key in enumerate(data["sea_key"]) if key][:MEDIA_EXAMPLES]:
        sanity_checks.require_working_hook(mllm, collator([data[i] for i in about_media]))
    if precomputes:
        sanity_checks.require_fresh_references(trainer)


def run_trainer(trainer: Any, checkpoint: Path | None, stop_loss: float) -> list[dict[str, Any]]:
    """Train, or load the weights of a checkpoint at which training had already finished. Returns the trace."""
    state: TrainerState = read_state(checkpoint) if checkpoint else {"global_step": 0, "log_history": []}
    trace: list[dict[str, Any]] = [dict(record) for record in state["log_history"] if "loss" in record]
    if checkpoint and (
        state["global_step"] >= trainer.args.max_steps > 0 or (trace[-1:] and trace[-1]["loss"] < stop_loss)
    ):
        trainer._load_from_checkpoint(str(checkpoint))  # private, but `train` would take one more step
        return trace
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except UnpicklingError as error:  # torch reads the optimiser's state as tensors only
        raise RunError(
            f"a file of this checkpoint holds more than tensors, or is damaged: {one_line(error)[:200]}",
            where=str(checkpoint),
            hint="Delete the folder of the checkpoint, then re-run the same command: training resumes before it.",
        ) from error
    return [record for record in trainer.state.log_history if "loss" in record]


def _save_to_disk(data: Dataset, folder: Path) -> Dataset:
    """Store the dataset in the folder, where all processes of a job find what TRL precomputes for it."""
    from accelerate import PartialState
    from datasets import load_from_disk

    path = folder / "dataset"
    if PartialState().is_main_process:
        shutil.rmtree(path, ignore_errors=True)  # it may hold what was precomputed for another dataset or model
        data.save_to_disk(str(path))
    PartialState().wait_for_everyone()
    return load_from_disk(str(path))


@contextmanager
def _curves_in(folder: Path) -> Iterator[None]:
    """Let TensorBoard write into a folder, unless the user has named one: by default it is deleted with checkpoints."""
    name = "TENSORBOARD_LOGGING_DIR"
    before = os.environ.get(name)
    os.environ[name] = before or str(folder)
    try:
        yield
    finally:
        del os.environ[name]
        if before is not None:
            os.environ[name] = before


@contextmanager
def _keep_configuration(model: Any) -> Iterator[None]:
    """Restore what a trainer changes, on exit: the special tokens, and the cache of generation, which it switches off.

    The export would keep them otherwise.
    """
    holders = (model.config, model.config.get_text_config(), model.generation_config)
    names = ("pad_token_id", "bos_token_id", "eos_token_id", "use_cache")
    original = [(holder, name, vars(holder)[name]) for holder in holders for name in names if name in vars(holder)]
    absent = [(holder, name) for holder in holders for name in names if name not in vars(holder)]
    try:
        yield
    finally:
        for holder, name, value in original:
            setattr(holder, name, value)
        for holder, name in absent:
            vars(holder).pop(name, None)

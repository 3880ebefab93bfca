"""Put what an alignment trained, a PEFT adapter in a folder, onto a loaded model, and prove that it does something."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from sea_core.errors import ModelError
from sea_core.model.checkpoint import quiet_loading
from sea_core.model.mllm import MLLM
from sea_core.model.numerics import changes_logits

FILES = ("adapter_config.json", "adapter_model.safetensors")


def check_lora_folder(folder: Path) -> None:
    """Refuse what is not a PEFT adapter, before a model is loaded. Pickled weights are never read."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            f"{folder} is not a trained adapter: it has no {' and no '.join(missing)}",
            hint="Give the adapter folder that an alignment wrote; a merged model goes to --model.",
        )


def with_lora(mllm: MLLM, folder: Path) -> MLLM:
    """Return the model with the adapter's weights in place.

    Raises:
        ModelError: the adapter is another model's, or changes nothing: keys that moved between versions of a library
            are dropped without an error, and every figure would be the base model's.
    """
    before = _logits(mllm)
    try:
        # transformers' own loader: it puts the layers into the modules, so that the seam stays where it was.
        with quiet_loading():
            told = mllm.model.load_adapter(str(folder))
    except (ValueError, RuntimeError, OSError, KeyError, TypeError) as error:
        raise _other(folder, f"it cannot be put on this model: {str(error).splitlines()[0]}") from error
    if told.missing_keys or told.unexpected_keys:
        lost = sorted([*told.missing_keys, *told.unexpected_keys])
        raise _other(folder, f"{len(lost)} of its weights have no place in this model, or none at all: {lost[0]}")
    adapted = MLLM(mllm.adapter, mllm.model, mllm.processor)
    if not changes_logits(before, _logits(adapted)):
        raise _other(folder, "it changes no logit of this model")
    return adapted


def _other(folder: Path, what: str) -> ModelError:
    return ModelError(
        f"the adapter {folder} does not work: {what}",
        hint="Give the model that it was trained on with --model, and the same transformers and peft.",
    )


@torch.no_grad()
def _logits(mllm: MLLM) -> Tensor:
    """Return the logits behind a prompt with the blank input, and behind one without."""
    adapter = mllm.adapter
    question = f"What is in the {adapter.noun}?"
    blank = mllm.blank()
    prompts = [mllm.prompt_ids(question, n) for n in (len(blank), None)]
    found = [
        mllm.decode([ids], embeddings, 1, logits=True)[1][0]
        for ids, embeddings in zip(prompts, ([blank], []), strict=True)
    ]
    return torch.cat(found)

"""Put a LoRA adapter on a loaded model, and check that it has an effect."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from sea_core.errors import ModelError, number_of
from sea_core.model.checkpoint import quiet_loading, require_finite_weights
from sea_core.model.mllm import MLLM
from sea_core.model.numerics import changes_logits
from sea_core.model.untrusted import untrusted


def with_lora(mllm: MLLM, folder: Path) -> MLLM:
    """Return the model with a LoRA adapter.

    Raises:
        ModelError: the LoRA adapter belongs to another model, or changes no logit. Libraries drop weights whose names
            have changed without an error, and every metric would then be the base model's.
    """
    before = _sample_logits(mllm)
    try:
        # transformers' own loader: it replaces layers inside the modules, so the seam does not move.
        with untrusted(str(folder)), quiet_loading():
            result = mllm.model.load_adapter(str(folder))
    except (ValueError, RuntimeError, OSError, KeyError, TypeError) as error:
        raise _error(folder, f"it cannot be loaded: {str(error).splitlines()[0]}") from error
    if names := sorted([*result.missing_keys, *result.unexpected_keys]):
        raise _error(
            folder,
            f"{number_of(len(names), 'weight does', 'weights do')} not match the model's layers, such as {names[0]}",
        )
    require_finite_weights(mllm.model, str(folder))
    adapted = MLLM(mllm.adapter, mllm.model, mllm.processor)
    if not changes_logits(before, _sample_logits(adapted)):
        raise _error(folder, "it changes no logit of this model")
    return adapted


def _error(folder: Path, problem: str) -> ModelError:
    return ModelError(
        f"the LoRA adapter {folder} does not work with this model: {problem}",
        hint="Give the model that it was trained on with --model, and use the same versions of transformers and peft.",
    )


@torch.no_grad()
def _sample_logits(mllm: MLLM) -> Tensor:
    """Return the next-token logits of a prompt with the blank input, and of one without."""
    question = f"What is in the {mllm.adapter.noun}?"
    blank = mllm.blank()
    prompts = [mllm.prompt_ids(question, embedding) for embedding in (blank, None)]
    logits = [
        mllm.decode([ids], embeddings, 1, logits=True)[1][0]
        for ids, embeddings in zip(prompts, ([blank], []), strict=True)
    ]
    return torch.cat(logits)

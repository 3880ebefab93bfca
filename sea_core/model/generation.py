"""Greedy answers of a loaded model: to questions in plain text, or about embeddings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from inspect import signature
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sea_core.errors import ModelError
from sea_core.model import numerics, seam
from sea_core.model.embedding import Embedding
from sea_core.model.padding import left_padded

if TYPE_CHECKING:
    from sea_core.model.mllm import MLLM


@torch.no_grad()
def generate(
    mllm: MLLM, questions: Sequence[str], embeddings: Sequence[Embedding] | None, max_new_tokens: int
) -> list[list[int]]:
    """Answer questions (see `MLLM.generate`)."""
    about: Sequence[Embedding | None] = embeddings or [None] * len(questions)
    prompts = [mllm.prompt_ids(q, e) for q, e in zip(questions, about, strict=True)]
    answers: list[list[int]] = [[] for _ in questions]
    for group in _batches(mllm, about):
        media = [e for i in group if (e := about[i]) is not None]
        decoded, _ = mllm.decode([prompts[i] for i in group], media, max_new_tokens)
        for i, ids in zip(group, decoded.tolist(), strict=True):
            answers[i] = ids[: ids.index(mllm.end_id)] if mllm.end_id in ids else ids
    return answers


def _batches(mllm: MLLM, about: Sequence[Embedding | None]) -> Iterator[list[int]]:
    """Yield the indices of questions that can be answered together."""
    grids = [None if e is None or mllm.mechanism.mixes_batches else e.grid for e in about]
    for grid in dict.fromkeys(grids):
        yield [i for i, other in enumerate(grids) if other == grid]


@torch.no_grad()
def decode(
    mllm: MLLM,
    prompts: Sequence[Sequence[int]],
    embeddings: Sequence[Embedding],
    max_new_tokens: int,
    logits: bool,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Continue prompts (see `MLLM.decode`)."""
    _require_generation(mllm, embeddings)
    ids, mask = left_padded(prompts, mllm.pad_id, mllm.device)
    finite = FiniteLogits()
    with _generating(mllm, ids, mask, embeddings) as more, greedy_settings(mllm, max_new_tokens) as settings:
        settings.return_dict_in_generate, settings.output_logits = True, logits
        out = mllm.model.generate(
            input_ids=ids, attention_mask=mask, generation_config=settings, logits_processor=[finite], **more
        )
    if not finite:
        raise numerics.not_finite_error("the logits of the model")
    return out.sequences[:, ids.shape[1] :], out.logits or ()


@contextmanager
def _generating(mllm: MLLM, ids: Tensor, mask: Tensor, embeddings: Sequence[Embedding]) -> Iterator[dict[str, Any]]:
    """Let the model continue prompts about embeddings inside the block, with the keywords that are yielded."""
    if mllm.replayed and embeddings and has_own_generate(mllm.model):
        with mllm.replayed.replaying(ids, mask, embeddings) as inputs:
            yield inputs
    else:
        with mllm.inject(embeddings):
            # generate() continues from these; without them it would count positions as for plain text.
            yield mllm.mechanism.generation_inputs(ids, mask, embeddings)


def _require_generation(mllm: MLLM, embeddings: Sequence[Embedding]) -> None:
    """Raise ModelError where `generate` is the model's own and has an argument, a medium, that it cannot lack."""
    arguments = signature(mllm.model.generate).parameters.values()
    needed = [p.name for p in arguments if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    if needed and not (mllm.replayed and embeddings):
        raise ModelError(
            f"{type(mllm.model).__name__} answers only with its own {needed[0]}, so that no answer can be "
            f"generated {'from an embedding' if embeddings else 'in plain text'}",
            hint="Give a model of another family: type sea modalities --model MODEL"
            if embeddings
            else seam.MEDIA_ONLY_HINT,
        )


@contextmanager
def greedy_settings(mllm: MLLM, max_new_tokens: int) -> Iterator[Any]:
    """Yield settings for greedy generation, with the checkpoint's own removed inside the block.

    `generate()` fills every gap in its settings (sampling, penalties) from the checkpoint's, and results must not
    depend on those.
    """
    from transformers import GenerationConfig

    settings = GenerationConfig(
        do_sample=False,
        max_new_tokens=max_new_tokens,
        eos_token_id=mllm.end_id,
        pad_token_id=mllm.pad_id,
        suppress_tokens=mllm.placeholder_ids,  # a generated placeholder would require an embedding
    )
    # A model may have its language model generate, which has settings of its own.
    generating = [module for module in mllm.model.modules() if hasattr(module, "generation_config")]
    own = [module.generation_config for module in generating]
    for module in generating:
        module.generation_config = settings
    try:
        yield settings
    finally:
        for module, former in zip(generating, own, strict=True):
            module.generation_config = former


def has_own_generate(model: Any) -> bool:
    """Return whether a model's class has a `generate` of its own, which must see a medium to treat it as one."""
    from transformers import GenerationMixin

    return bool(type(model).generate is not GenerationMixin.generate)


class FiniteLogits:
    """Watches a generation: false once the largest logit of an answer was not a finite number.

    What it finds stays on the device until it is asked: reading it at each step would make a GPU wait.
    """

    def __init__(self) -> None:
        self.found: Tensor = torch.tensor(True)

    def __call__(self, _ids: Tensor, scores: Tensor) -> Tensor:
        self.found = numerics.largest_finite(scores).all() & self.found.to(scores.device, non_blocking=True)
        return scores

    def __bool__(self) -> bool:
        return bool(self.found)

"""Prove, before hours of work, that the seam is where the adapter says."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sea_core.errors import ModelError
from sea_core.model.embedding import Embedding, stack
from sea_core.model.mllm import MLLM


@torch.no_grad()
def check_seam(mllm: MLLM) -> None:
    """Check on the blank input that E is read and put back where it should be.

    The prompt must be the ordinary one. Putting the blank's own embedding back must change no logit, and another
    embedding must change some: a model that ignores its media would give every figure, and mean nothing by it.

    Raises:
        ModelError: which of these is not so.
    """
    adapter = mllm.adapter
    question = f"What is in the {adapter.noun}?"
    inputs = mllm.media_inputs([question], [adapter.blank_input(mllm.processor)])
    ordinary = _last_logits(mllm, mllm.backbone(**inputs))
    blank = mllm.blank()
    ids = torch.tensor([mllm.prompt_ids(question, len(blank))], device=mllm.device)
    if inputs["input_ids"].tolist() != ids.tolist():
        raise ModelError(
            f"the prompt for an embedding of {len(blank)} rows is not the model's ordinary prompt",
            hint="Check the adapter's `placeholder`, `placeholders`, `split` and `inputs` against the processor.",
        )
    spliced, changed = (_last_logits(mllm, _skipped(mllm, ids, e)) for e in (blank, blank.perturbed()))
    tolerance = (1e-4 if mllm.dtype == torch.float32 else 0.05) * ordinary.abs().max().clamp(min=1)
    if (off := (spliced - ordinary).abs().max()) > tolerance:
        raise ModelError(
            f"putting the blank {adapter.noun}'s embedding back changes the answer by {off:.3g} logits",
            hint="The prompt or the projector differs from the model's ordinary forward: check the adapter.",
        )
    if torch.equal(spliced, changed):
        raise ModelError(
            f"another embedding does not change the answer: this model ignores its {adapter.noun}",
            hint="Check the adapter's `placeholder` and `projector` against the checkpoint.",
        )


def _skipped(mllm: MLLM, ids: Tensor, embedding: Embedding) -> Any:
    with mllm.inject():
        return mllm.backbone(input_ids=ids, attention_mask=torch.ones_like(ids), **stack([embedding]))


def _last_logits(mllm: MLLM, output: Any) -> Tensor:
    logits: Tensor = mllm.model.get_output_embeddings()(output.last_hidden_state[0, -1])
    return logits.float()

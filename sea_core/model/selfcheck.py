"""Check, before hours of work, that the seam is where the adapter says and that injection is exact."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sea_core.errors import ModelError
from sea_core.model import numerics
from sea_core.model.embedding import Embedding, stack
from sea_core.model.mllm import MLLM


@torch.no_grad()
def check_seam(mllm: MLLM) -> None:
    """Check on the blank input that E is captured and injected at the right place.

    The prompt for an embedding must be the model's ordinary prompt. Injecting the blank's own embedding must give the
    ordinary logits, and injecting another one must change them: a model that ignores its media would still give
    results, all of them meaningless.

    Raises:
        ModelError: one of these does not hold.
    """
    adapter = mllm.adapter
    question = f"What is in the {adapter.noun}?"
    inputs = mllm.media_inputs([question], [adapter.blank_input(mllm.processor)])
    blank = mllm.blank()
    ids = torch.tensor([mllm.prompt_ids(question, len(blank))], device=mllm.device)
    if inputs["input_ids"].tolist() != ids.tolist():
        raise ModelError(
            f"the prompt for an embedding of {len(blank)} vectors is not the model's ordinary prompt",
            hint="Check the adapter's `placeholder`, `placeholders`, `split` and `inputs` against the processor.",
        )
    ordinary = _last_logits(mllm, mllm.backbone(**inputs))
    injected = _injected_logits(mllm, ids, blank)
    if not numerics.same(injected, ordinary, mllm.dtype):
        difference = numerics.max_difference(injected, ordinary)
        raise ModelError(
            f"injecting the blank {adapter.noun}'s own embedding changes the logits by {difference:.3g}",
            hint="The prompt or the projector differs from the model's ordinary forward: check the adapter.",
        )
    if not numerics.changes_logits(injected, _injected_logits(mllm, ids, blank.perturbed())):
        raise ModelError(
            f"injecting another embedding does not change the logits: this model ignores its {adapter.noun}",
            hint="Check the adapter's `placeholder` and `projector` against the checkpoint.",
        )


def _injected_logits(mllm: MLLM, ids: Tensor, embedding: Embedding) -> Tensor:
    """Return the logits after the prompt with an embedding in place of the encoder's output, (vocabulary,)."""
    with mllm.inject():
        output = mllm.backbone(input_ids=ids, attention_mask=torch.ones_like(ids), **stack([embedding]))
    return _last_logits(mllm, output)


def _last_logits(mllm: MLLM, output: Any) -> Tensor:
    """Return the logits after the last token of a backbone's output, (vocabulary,), in fp32."""
    logits: Tensor = mllm.model.get_output_embeddings()(output.last_hidden_state[0, -1])
    numerics.require_finite_logits(logits)
    return logits.float()

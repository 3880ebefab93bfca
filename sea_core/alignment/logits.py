"""Keep a trainer from scaling or capping logits that the model itself leaves as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from sea_core.model.mllm import MLLM

SETTINGS = ("logit_scale", "output_multiplier", "lm_head_multiplier", "logits_scaling", "final_logit_softcapping")
"""What TRL reads from the decoder's configuration (`trl.trainer.utils`, the fused head)."""


@contextmanager
def as_the_model_computes_them(mllm: MLLM) -> Iterator[None]:
    """Hide these settings while a trainer is made, if the model does not follow them.

    Some multimodal models have a decoder whose own head would scale the logits, and a head of their own that does not.
    """
    config = mllm.model.config.get_text_config()
    stored = {name: vars(config)[name] for name in SETTINGS if vars(config).get(name) is not None}
    if not stored or not _is_plain(mllm):
        yield
        return
    vars(config).update(dict.fromkeys(stored))
    try:
        yield
    finally:
        vars(config).update(stored)


@torch.no_grad()
def _is_plain(mllm: MLLM) -> bool:
    """Return whether the logits are the head's own."""
    head = mllm.model.get_output_embeddings()
    width = mllm.model.get_input_embeddings().weight.shape[-1]
    hidden = torch.randn(8, width, generator=torch.Generator().manual_seed(0)).to(mllm.device, mllm.dtype)
    plain: torch.Tensor = head(hidden).to(mllm.wide_dtype)
    return torch.equal(mllm.logits(hidden), plain)

"""The seam check, at each precision that a model may have."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from helpers.bidirectional import BidirectionalAdapter, CausalAdapter, bidirectional_model
from helpers.fixtures import in_dtype
from sea_core import ModelError
from sea_core.errors import DataError
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.proof import check_seam

DTYPES = [torch.float64, torch.float32, torch.bfloat16]


class InexactInjection(MLLM):
    """Injects P(E) with noise that moves the logits by 1 %: far more than rounding does in fp32 or in fp64."""

    def project(self, embedding: Embedding) -> Tensor:
        projected = super().project(embedding)
        noise = torch.randn(projected.shape, generator=torch.Generator().manual_seed(0)).to(projected)
        return projected + 0.3 * projected.std() * noise


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_exact_injection_passes(mllm: MLLM, dtype: torch.dtype) -> None:
    check_seam(in_dtype(mllm, dtype))


@pytest.mark.parametrize("part", ["encoder", "projector", "language_model", "head"])
def test_nan_anywhere_is_an_error(spoilt: MLLM, part: str) -> None:
    """In any part of the model: the seam check stops the run, and no answer is generated."""
    adapter, model = spoilt.adapter, spoilt.model
    parts = {
        "encoder": spoilt.encoder_parameters(),
        "projector": list(spoilt.projector.parameters()),
        "language_model": list(adapter.language_model(model).layers.parameters()),
        "head": list(model.get_output_embeddings().parameters()),
    }
    parts[part][0].data.flatten()[0] = torch.nan
    with pytest.raises(ModelError, match="not finite"):
        check_seam(spoilt)
    with pytest.raises((ModelError, DataError), match="not finite"):
        spoilt.generate(["What is in the audio?"], spoilt.encode([adapter.blank_input(spoilt.processor)]), 2)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_inexact_injection_is_an_error_in_every_dtype(mllm: MLLM, dtype: torch.dtype) -> None:
    inexact = InexactInjection(mllm.adapter, in_dtype(mllm, dtype).model, mllm.processor)
    with pytest.raises(ModelError, match="changes the hidden states by"):
        check_seam(inexact)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_lost_attention_between_media_is_an_error_in_every_dtype(dtype: torch.dtype) -> None:
    """In bf16 the last position moves by less than 5 % of the largest logit, which an earlier check allowed."""
    with pytest.raises(ModelError, match="changes the hidden states by"):
        check_seam(bidirectional_model(CausalAdapter(), dtype))
    check_seam(bidirectional_model(BidirectionalAdapter(), dtype))

"""E itself, with a loss on the hidden states of the medium's tokens."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.parametrization import Parametrization


@dataclass(frozen=True, eq=False, kw_only=True)
class HiddenParametrization(Parametrization):
    """E itself, with a loss on its mean hidden state.

    Attributes:
        ids: the prompt up to its last placeholder; in a causal decoder later tokens have no effect.
        target: the mean hidden state of the phrase, (d_llm,).
    """

    mllm: MLLM
    start: Embedding
    ids: tuple[int, ...]
    strength: float
    layer: int
    target: Tensor

    def extra_loss(self, embedding: Tensor) -> Tensor:
        states = media_states(self.mllm, self.ids, self.layer, self.start.with_features(embedding))
        return self.strength * (states.mean(0) - self.target).square().sum() / self.target.square().sum()


def split_prompt(mllm: MLLM, question: str, embedding: Embedding) -> tuple[list[int], list[int]]:
    """Return the ids of a prompt before its first placeholder, and from it to the last."""
    ids = mllm.prompt_ids(question, embedding)
    begin, end = ids.index(mllm.placeholder_id), len(ids) - ids[::-1].index(mllm.placeholder_id)
    return ids[:begin], ids[begin:end]


@torch.no_grad()
def phrase_state(mllm: MLLM, before: list[int], phrase: str, layer: int) -> Tensor:
    """Return the mean hidden state of the phrase's tokens in place of the medium, (d_llm,)."""
    tokens = mllm.text_tokenizer.text_ids(phrase)
    return mllm.hidden_states([*before, *tokens], layer)[len(before) :].mean(0)


def media_states(mllm: MLLM, ids: tuple[int, ...], layer: int, embedding: Embedding) -> Tensor:
    """Return the hidden states of the placeholders, (n_placeholders, d_llm)."""
    is_placeholder = torch.tensor(ids, device=mllm.device) == mllm.placeholder_id
    return mllm.hidden_states(ids, layer, embedding)[is_placeholder]

"""`hidden`: early in the decoder, the medium's tokens are on average what the phrase's tokens are when it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from sea_core.data.examples import PreparedExample
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.parametrization import Parametrization
from sea_core.optimization.recipes.base import Recipe, RecipeContext

LAYER = 2


@dataclass(frozen=True)
class HiddenRecipe(Recipe):
    """An extra loss: the squared distance of the two means, relative to the size of the text's."""

    strength: Annotated[float, Gt(0)] = 0.1
    """Weight of the extra loss. At 1 the phrase was told less often on the bundled models, after more steps."""
    layer: Annotated[int, Ge(0)] = LAYER
    """The decoder layer, counted from 0, whose input is compared; the last where there are fewer."""

    name: ClassVar[str] = "hidden"

    def begin(self, material: RecipeContext) -> Callable[[PreparedExample], Parametrization]:
        mllm, start = material.mllm, material.start

        def of_row(row: PreparedExample) -> Parametrization:
            opening, rest = around_media(mllm, row.goals[0].prompt, len(start))
            read = mllm.tokenizer(row.extraction.phrase, add_special_tokens=False)["input_ids"]
            with torch.no_grad():
                text = mllm.hidden_states([*opening, *read], self.layer)[len(opening) :].mean(0)
            return HiddenParametrization(
                lr=self.lr,
                steps=self.steps,
                mllm=mllm,
                start=start,
                ids=(*opening, *rest),
                strength=self.strength,
                layer=self.layer,
                text=text,
            )

        return of_row


@dataclass(frozen=True, eq=False, kw_only=True)
class HiddenParametrization(Parametrization):
    """`ids`: the prompt up to its last placeholder; later tokens change nothing in a causal decoder."""

    mllm: MLLM
    start: Embedding
    ids: tuple[int, ...]
    strength: float
    layer: int
    text: Tensor

    def extra_loss(self, shown: Tensor) -> Tensor:
        medium = media_states(self.mllm, self.ids, self.layer, self.start.with_features(shown)).mean(0)
        return self.strength * (medium - self.text).square().sum() / self.text.square().sum()


def around_media(mllm: MLLM, question: str, n_rows: int) -> tuple[list[int], list[int]]:
    """Return the ids of a prompt before its placeholders, and the placeholders."""
    ids = mllm.prompt_ids(question, n_rows)
    begin = ids.index(mllm.placeholder_id)
    return ids[:begin], [mllm.placeholder_id] * mllm.adapter.placeholders(n_rows)


def media_states(mllm: MLLM, ids: tuple[int, ...], layer: int, embedding: Embedding) -> Tensor:
    """Return the hidden states of the placeholders, (n_placeholders, d_llm)."""
    places = torch.tensor(ids, device=mllm.device) == mllm.placeholder_id
    return mllm.hidden_states(ids, layer, embedding)[places]

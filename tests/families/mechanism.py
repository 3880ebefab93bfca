"""How P(E) reaches a model's decoder: in place of the placeholders' embeddings, or by a replay of its own forward."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor

from families.build import FAULTS
from families.pair import Pair
from families.search import forget
from sea_auto.derive import Derivation, logits
from sea_auto.trace import Tensors, tensors
from sea_core.model.seam import run_until, watched

Mechanism = Literal["splice", "replay"]
TOLERANCE = 1e-4
"""Of the logits in fp32, relative to the largest: a splice does not make the same computation."""
TYPE_INPUTS = ("token_type_ids", "mm_token_type_ids")


class Splice:
    """P(E) in place of the embeddings of a pair's placeholders, given to the model with an attention mask."""

    def __init__(self, pair: Pair, derivation: Derivation) -> None:
        self.pair, self.derivation = pair, derivation

    @cached_property
    @torch.no_grad()
    def projected(self) -> Tensor | None:
        """P(E), (n, d_llm), from the vectors of E alone; None if no module takes them so."""
        model, crossings = self.pair.model, self.derivation.seam.crossings
        if len(crossings) != 1 or crossings[0].side != "input":
            return None
        projector = model.get_submodule(crossings[0].module)
        try:
            crossed = run_until(projector, lambda: model(**self.pair.a, use_cache=False))
            projected = projector(crossed.reshape(-1, crossed.shape[-1])[None])
            return projected.reshape(-1, projected.shape[-1])  # type: ignore[no-any-return]
        except FAULTS:
            return None

    @property
    def count(self) -> int:
        """The number of placeholders."""
        return int((self.pair.a["input_ids"] == self.pair.token_id).sum())

    @torch.no_grad()
    def gives_the_logits(self, **more: Tensor) -> bool:
        """Return whether the model gives the logits of its ordinary forward, with these inputs in addition."""
        model, ids, projected = self.pair.model, self.pair.a["input_ids"], self.projected
        if projected is None or len(projected) != self.count:
            return False
        is_medium = ids == self.pair.token_id
        merged = model.get_input_embeddings()(ids.masked_fill(is_medium, 0)).masked_scatter(
            is_medium[..., None], projected
        )
        inputs = {"inputs_embeds": merged, "attention_mask": torch.ones_like(ids), **more}
        try:
            found, expected = (self._logits(x) for x in (inputs, self.pair.a))
        except FAULTS:
            return False
        return bool((found - expected).abs().max() <= TOLERANCE * expected.abs().max())

    def _logits(self, inputs: dict[str, Any]) -> Tensor:
        forget(self.pair.model)
        return logits(self.pair.model, inputs)

    @property
    def positions(self) -> dict[str, Tensor]:
        """The position ids that the decoder is given."""
        _, keywords = given_to(self.pair, self.pair.a, self.derivation.end)
        positions = keywords.get("position_ids")
        return {"position_ids": positions} if isinstance(positions, Tensor) else {}

    @property
    def types(self) -> dict[str, Tensor]:
        """The token types among the inputs."""
        return {name: self.pair.a[name] for name in TYPE_INPUTS if name in self.pair.a}


def find_mechanism(splice: Splice) -> Mechanism:
    """Return `splice` if P(E) in place of the placeholders is all that the model needs, else `replay`."""
    return "splice" if splice.gives_the_logits() else "replay"


@torch.no_grad()
def given_to(pair: Pair, inputs: dict[str, Any], name: str) -> tuple[Tensors, dict[str, Any]]:
    """Return the floating tensors that a module is given first, by path, and its keywords."""
    calls: list[Any] = []
    forget(pair.model)
    with watched(pair.model.get_submodule(name), "input", lambda given: calls.append((tensors(given), given[1]))):
        pair.model(**inputs, use_cache=False)
    return calls[0]  # type: ignore[no-any-return]

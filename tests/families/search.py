"""The search for inputs that a model takes: candidates are tried until its forward runs."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from families.build import FAULTS
from families.family_layouts import LAYOUTS
from families.family_media import make_media
from families.media import Media, make_candidates
from families.pair import Pair
from families.tokens import Layout, make_layouts

TOKEN_TYPES = {"image": 1, "video": 2, "audio": 3}
MOST_PLACEHOLDERS = 9000


class NoPair(Exception):
    """No inputs of this modality were found that the model takes."""


class Search:
    """The search for inputs that a model takes."""

    def __init__(self, model_type: str, modality: str, model: PreTrainedModel, config: PreTrainedConfig) -> None:
        self.model_type, self.modality, self.model, self.config = model_type, modality, model, config
        self.method = f"get_{modality}_features"
        self.owners = [part for part in model.modules() if hasattr(part, self.method)]
        self.parameters = list(inspect.signature(model.forward).parameters)
        self.encoder_faults: list[str] = []
        self.forward_faults: list[str] = []

    def run(self) -> Pair:
        """Return the first pair whose forwards run.

        Raises:
            NoPair: There is none.
        """
        # Equal but for the noise: what is no noise, as a mask or a position, stays.
        for a, b in zip(self._candidates(), self._candidates(), strict=True):
            count = self._count(a)
            if count is not None and not 0 < count < MOST_PLACEHOLDERS:
                continue
            for layout in self._layouts(a, count):
                if (pair := self._pair(a, b, layout)) is not None:
                    return pair
        faults = list(dict.fromkeys(self.forward_faults or self.encoder_faults))
        raise NoPair("; ".join(faults[:3]) or "no inputs to try")

    def _candidates(self) -> Iterator[Media]:
        own = make_media(self.model_type, self.modality)
        if own:
            return iter([own])
        names = [n for owner in self.owners for n in inspect.signature(getattr(owner, self.method)).parameters]
        return make_candidates(self.modality, self.config, list(dict.fromkeys([*names, *self.parameters])))

    def _count(self, inputs: Media) -> int | None:
        """Return how many placeholders a medium needs: 0 if the encoder does not take it, None if nobody knows."""
        if not self.owners or (self.model_type, self.modality) in LAYOUTS:
            return None
        try:
            return self._count_rows(inputs)
        except FAULTS as fault:
            self.encoder_faults.append(_describe(fault, inputs))
            return 0

    def _count_rows(self, inputs: Media) -> int:
        """Return how many rows of the embeddings' width a medium gives."""
        owner = self.owners[-1]
        known = set(inspect.signature(getattr(owner, self.method)).parameters) - {"args", "kwargs", "input_ids"}
        if not known:
            owner = self.owners[0]
            known = {n for o in self.owners for n in inspect.signature(getattr(o, self.method)).parameters}
        with torch.no_grad():
            out = getattr(owner, self.method)(**{n: v for n, v in inputs.items() if n in known}, return_dict=True)
        rows = getattr(out, "pooler_output", out)
        if rows is None:
            deep = getattr(out, "deepstack_features", None)
            rows = deep[0] if deep else out.last_hidden_state
        width = self.model.get_input_embeddings().weight.shape[-1]
        return sum(t.numel() for t in _floating(rows)) // width

    def _layouts(self, inputs: Media, count: int | None) -> Iterator[Layout]:
        own = LAYOUTS.get((self.model_type, self.modality))
        if own:
            return own(self.config, inputs)
        return make_layouts(self.modality, self.config, inputs, count)

    def _pair(self, medium: Media, other: Media, layout: Layout) -> Pair | None:
        ids = torch.tensor([layout.ids])
        text = {"input_ids": ids, "attention_mask": torch.ones_like(ids), **self._types(ids, layout), **layout.extras}
        a, b = {**text, **medium}, {**text, **other}
        try:
            logits = self._forward(a)
            if not torch.equal(self._forward(a), logits):
                raise ValueError("two forwards of the same inputs differ")
            if torch.equal(self._forward(b), logits):
                raise ValueError("the medium changes no logit")
        except FAULTS as fault:
            self.forward_faults.append(_describe(fault, medium))
            return None
        name = type(self.model).__name__
        return Pair(self.model_type, name, self.modality, self.model, a, b, layout.placeholder)

    def _types(self, ids: Tensor, layout: Layout) -> dict[str, Tensor]:
        """Return the token types that the forward takes."""
        is_medium = (ids == layout.placeholder).int()
        types = {}
        known = {*self.parameters, *inspect.signature(self.model.base_model.forward).parameters}
        if "mm_token_type_ids" in known:
            types["mm_token_type_ids"] = is_medium * TOKEN_TYPES[self.modality]
        if "token_type_ids" in self.parameters:
            types["token_type_ids"] = is_medium
        return types

    def _forward(self, inputs: dict[str, Any]) -> Tensor:
        forget(self.model)
        with torch.no_grad():
            logits: Tensor = self.model(**inputs, use_cache=False).logits
        if not torch.isfinite(logits).all():
            raise ValueError("the logits are not finite")
        return logits


def forget(model: nn.Module) -> None:
    """Clear what a forward remembers for the next one."""
    for part in model.modules():
        if getattr(part, "rope_deltas", None) is not None:
            part.rope_deltas = None


def _is_floating(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()


def _floating(value: Any) -> Iterator[Tensor]:
    """Yield the floating tensors in nested lists and dicts."""
    if _is_floating(value):
        yield value
    elif isinstance(value, dict):
        for v in value.values():
            yield from _floating(v)
    elif isinstance(value, list | tuple):
        for v in value:
            yield from _floating(v)


def _describe(fault: Exception, inputs: Media) -> str:
    place = traceback.extract_tb(fault.__traceback__)[-1]
    shapes = {n: tuple(v.shape) if isinstance(v, Tensor) else v for n, v in inputs.items()}
    text = " ".join(str(fault).split())[:160]
    return f"{type(fault).__name__}: {text} ({Path(place.filename).name}:{place.lineno}, {shapes})"

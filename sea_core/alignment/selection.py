"""Which examples are trained on, and how often as text: the ratio of benign ones, those held out for the spot check."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from sea_core.alignment.config import MIN_HELD_OUT, ONE_HELD_OUT_IN, AlignConfig
from sea_core.data.examples import Example


class Labelled(Protocol):
    """An embedding, or one that will be made, of an example with a label."""

    @property
    def example_id(self) -> str: ...

    @property
    def harmful(self) -> bool: ...


Each = TypeVar("Each", bound=Labelled)


def select_trained(embeddings: Sequence[Each], config: AlignConfig) -> tuple[list[Each], set[str]]:
    """Return the embeddings to train on, in the requested benign ratio, and the ids of the examples to hold out."""
    held_out = held_out_examples(embeddings, config)
    return balance([each for each in embeddings if each.example_id not in held_out], config), held_out


def is_asked_as_text(config: AlignConfig, harmful: bool) -> bool:
    """Return whether an example is trained on in plain text too."""
    return config.text_examples == "all" or not harmful


def text_weight(config: AlignConfig, n_embeddings: int, n_texts: int) -> float:
    """Return how many training examples each of `n_texts` different texts has, on average."""
    if n_texts and config.trains_on_embeddings and config.text_examples == "all":
        return config.text * n_embeddings / n_texts
    return config.text


def balance(embeddings: Sequence[Each], config: AlignConfig) -> list[Each]:
    """Subsample the more numerous of harmful and benign examples to the requested benign ratio."""
    ratio = config.benign_ratio
    if ratio == "given":
        return list(embeddings)
    harmful, benign = _ids_by_harm(embeddings)
    n_harmful = round(len(benign) * (1 - ratio) / ratio) if ratio else len(harmful)
    n_benign = round(len(harmful) * ratio / (1 - ratio)) if ratio < 1 else len(benign)
    kept = {*_shuffle(harmful, config.seed)[:n_harmful], *_shuffle(benign, config.seed)[:n_benign]}
    return [embedding for embedding in embeddings if embedding.example_id in kept]


def held_out_examples(embeddings: Sequence[Labelled], config: AlignConfig) -> set[str]:
    """Return the ids of examples to hold out of training, harmful and benign ones (see `_hold_out`)."""
    sides = _ids_by_harm(embeddings)
    total = sum(map(len, sides))
    return {example_id for ids in sides for example_id in _hold_out(ids, total, config)}


def hold_out_benign_texts(texts: Sequence[Example], config: AlignConfig) -> list[Example]:
    """Return the benign texts to hold out of training: with none, a model that refuses everything looks safe."""
    benign = [text.id for text in texts if not text.harmful]
    held_out = set(_hold_out(benign, len(benign), config))
    return [text for text in texts if text.id in held_out]


def _hold_out(ids: Sequence[str], total: int, config: AlignConfig) -> list[str]:
    """Draw the ids of one side, harmful or benign, to hold out: a twentieth of all examples, but of few examples more.

    That is up to a quarter of the side until MIN_HELD_OUT are reached, and never more than half of `held_out`.
    """
    count = min(config.held_out // 2, max(total // 20, min(MIN_HELD_OUT, len(ids) // ONE_HELD_OUT_IN)))
    return _shuffle(ids, config.seed + 1)[:count]


def _ids_by_harm(embeddings: Iterable[Labelled]) -> tuple[list[str], list[str]]:
    """Return the ids of harmful and of benign examples, without duplicates."""
    is_harmful = {embedding.example_id: embedding.harmful for embedding in embeddings}
    harmful, benign = ([id_ for id_, harm in is_harmful.items() if harm is side] for side in (True, False))
    return harmful, benign


def _shuffle(ids: Iterable[str], seed: int) -> list[str]:
    """Return the ids in an order that depends on each id and the seed only, not on the other ids."""
    return sorted(ids, key=lambda example_id: random.Random(f"{seed}:{example_id}").random())

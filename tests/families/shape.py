"""The shape of a model: what has to be known to put E in its place."""

from __future__ import annotations

from families.mechanism import Splice, given_to
from families.pair import Pair
from sea_auto.derive import Derivation, varying

SHAPES = {
    "cross attention": "the sequence of the decoder does not depend on the medium: some of its layers attend to it.",
    "no projector": "E is what the encoder's modules return: no single module comes after them.",
    "several modules": "E crosses into several modules side by side, as with DeepStack.",
    "several tensors": "one module is given several tensors of E.",
    "deep features": "the decoder is given further tensors of the medium, beside its sequence.",
    "projector by grid": "the projector needs more than the vectors of E, such as their grid.",
    "tiles": "there are more or fewer placeholders than vectors of P(E): tiles, breaks or padding.",
    "one module": "P(E) takes the placeholders' places, and the decoder needs nothing else.",
    "positions": "as one module, with the position ids of a grid.",
    "token types": "as one module, with token types: a medium's tokens attend to each other.",
    "other": "as one module, but the decoder needs something else of the inputs.",
}
"""What each means. The first that applies is a model's."""


def classify(splice: Splice) -> str:
    """Return the name of the shape."""
    return _of_the_sequence(splice.pair, splice.derivation) or _of_the_seam(splice.derivation) or _of_the_splice(splice)


def _of_the_sequence(pair: Pair, derivation: Derivation) -> str:
    given, other = (given_to(pair, inputs, derivation.end)[0] for inputs in (pair.a, pair.b))
    paths = varying(given, other)
    length = pair.a["input_ids"].shape
    if not any(given[path].ndim == 3 and given[path].shape[:2] == length for path in paths):
        return "cross attention"
    is_several = len(derivation.seam.crossings) > 1
    return "deep features" if len(paths) > 1 and not is_several else ""


def _of_the_seam(derivation: Derivation) -> str:
    crossings = derivation.seam.crossings
    if all(crossing.side == "output" for crossing in crossings):
        return "no projector"
    if len({crossing.module for crossing in crossings}) > 1:
        return "several modules"
    return "several tensors" if len(crossings) > 1 else ""


def _of_the_splice(splice: Splice) -> str:
    if splice.projected is None:
        return "projector by grid"
    if len(splice.projected) != splice.count:
        return "tiles"
    tries = {
        "one module": {},
        "positions": splice.positions,
        "token types": {**splice.types, **splice.positions},
    }
    return next((name for name, more in tries.items() if splice.gives_the_logits(**more)), "other")

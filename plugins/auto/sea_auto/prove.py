"""Prove a derivation on raw inputs, without a processor: the facts of `sea_core.model.proof` for any two inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from sea_auto.derive import Derivation, logits
from sea_core.errors import ModelError
from sea_core.model.proof import MIN_SKIPPED, without_weights
from sea_core.model.replay import Pass, Recording, Replay

Inputs = Mapping[str, Any]


class RawProof:
    """A derivation, and what its model computes of two inputs that differ in their medium only."""

    def __init__(self, model: Any, derivation: Derivation, first: Inputs, second: Inputs) -> None:
        self.model, self.derivation, self.first, self.second = model, derivation, first, second
        self.replay = Replay(model, derivation.seam, model.get_submodule(derivation.end))
        with torch.no_grad():
            self.recording = self.replay.record(lambda: model(**first, use_cache=False))

    def replayed(self, crossed: Sequence[Sequence[Tensor]], inputs: Inputs | None = None) -> Tensor:
        """Return the logits of a replayed pass."""
        blank = Recording(self.recording.crossed, self.recording.outputs).shapes_only()
        with self.replay.crossing(), self.replay.skipping():
            self.replay.next_pass = Pass(crossed, blank.outputs)
            return logits(self.model, self.first if inputs is None else inputs)


def own_embedding_changes_nothing(proof: RawProof) -> str:
    """Replaying a pass with its own E gives its own logits, to the last bit."""
    difference = (proof.replayed(proof.recording.crossed) - logits(proof.model, proof.first)).abs().max()
    return "" if difference == 0 else f"own embedding: the logits differ by {difference:.2g}"


def another_embedding_changes_something(proof: RawProof) -> str:
    """Another E gives other logits."""
    other = [[x + 0.5 * x.std().clamp_min(1e-3) * torch.randn_like(x) for x in xs] for xs in proof.recording.crossed]
    same = torch.equal(proof.replayed(other), logits(proof.model, proof.first))
    return "another embedding changes nothing" if same else ""


def nothing_leaks_past_the_seam(proof: RawProof) -> str:
    """One medium's E in the other one's pass gives the logits of the first, to the last bit."""
    same = torch.equal(proof.replayed(proof.recording.crossed, proof.second), logits(proof.model, proof.first))
    return "" if same else "the medium reaches the language model past the seam"


def encoder_is_skipped(proof: RawProof) -> str:
    """The encoder's weights are not used, and are a quarter or more of all before the language model."""
    part = proof.derivation.skipped_part
    if part < MIN_SKIPPED:
        return f"the seam lies too early: {part:.0%} of the weights before the language model are skipped"
    expected = proof.replayed(proof.recording.crossed)
    try:
        with without_weights(proof.replay.skipped_parameters()):
            same = torch.equal(proof.replayed(proof.recording.crossed), expected)
    except (RuntimeError, IndexError) as error:
        return f"the encoder is still used: {str(error).splitlines()[0]}"
    return "" if same else "without the encoder's weights the logits are others"


CHECKS: Sequence[Callable[[RawProof], str]] = (
    own_embedding_changes_nothing,
    another_embedding_changes_something,
    nothing_leaks_past_the_seam,
    encoder_is_skipped,
)


def broken_rule(model: Any, derivation: Derivation, first: Inputs, second: Inputs) -> str:
    """Return what does not hold of a derivation; an empty string if it is proved."""
    try:
        proof = RawProof(model, derivation, first, second)
        return next((problem for check in CHECKS if (problem := check(proof))), "")
    except (RuntimeError, ValueError, IndexError, TypeError, ModelError) as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"

"""Prove a derivation on raw inputs, without a processor: the facts of `sea_core.model.proof` for any two inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from sea_auto.decoder import Inputs
from sea_auto.derive import Derivation, logits
from sea_core.errors import ModelError
from sea_core.model.proof import MIN_SKIPPED, without_weights
from sea_core.model.replay import Pass, Recording, Replay

NUDGE = 4
"""How many times its rounding a medium is changed by, where a change should be small."""
MIN_CHANGED = 0.5
"""The part of E's vectors that a small change of the medium must change, at least."""


class RawProof:
    """A derivation, and what its model computes of two inputs that differ in their medium only."""

    def __init__(self, model: Any, derivation: Derivation, first: Inputs, second: Inputs) -> None:
        self.model, self.derivation, self.first, self.second = model, derivation, first, second
        self.replay = Replay(model, derivation.seam, model.get_submodule(derivation.end))
        self.recording = self.recorded(first)

    def replayed(self, crossed: Sequence[Sequence[Tensor]]) -> Tensor:
        """Return the logits of a replayed pass, with their graph where gradients are on."""
        with self.replay.skipping():
            return self.swapped(crossed, self.first)

    def swapped(self, crossed: Sequence[Sequence[Tensor]], inputs: Inputs) -> Tensor:
        """Return the logits of an ordinary pass, in which another E crosses."""
        with self.replay.crossing():
            self.replay.next_pass = Pass(crossed, self.recording.outputs)
            return logits(self.model, inputs)

    def recorded(self, inputs: Inputs) -> Recording:
        """Return what crosses in an ordinary pass, with its graph where gradients are on."""
        return self.replay.record(lambda: self.model(**inputs, use_cache=False))


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
    same = torch.equal(proof.swapped(proof.recording.crossed, proof.second), logits(proof.model, proof.first))
    return "" if same else "the medium reaches the language model past the seam"


def encoder_is_skipped(proof: RawProof) -> str:
    """The encoder's weights are not used; its modules are a quarter or more of those before the language model."""
    part = proof.derivation.skipped_part
    if part < MIN_SKIPPED:
        return f"the seam lies too early: {part:.0%} of the modules before the language model are skipped"
    expected = proof.replayed(proof.recording.crossed)
    try:
        with without_weights(proof.replay.skipped_parameters()):
            same = torch.equal(proof.replayed(proof.recording.crossed), expected)
    except (RuntimeError, IndexError) as error:
        return f"the encoder is still used: {str(error).splitlines()[0]}"
    return "" if same else "without the encoder's weights the logits are others"


@torch.enable_grad()
def gradient_reaches_the_embedding(proof: RawProof) -> str:
    """The logits have a gradient for each tensor of E."""
    leaves = [[x.detach().clone().requires_grad_() for x in calls] for calls in proof.recording.crossed]
    # Copies: some models write into what they are given.
    outcome = proof.replayed([[leaf.clone() for leaf in calls] for calls in leaves]).float().log_softmax(-1)[:, 0].sum()
    crossings = zip(proof.derivation.seam.crossings, leaves, strict=True)
    idle = next((crossing.module for crossing, calls in crossings if not _has_gradient(outcome, calls)), None)
    return "" if idle is None else f"no gradient reaches what crosses at {idle}"


def embedding_is_continuous(proof: RawProof) -> str:
    """A small change of the medium changes the vectors of E: they are not chosen from a table of codes."""
    first, second = proof.recording, proof.recorded(proof.second)
    nudged = proof.recorded({name: _nudge(value, proof.first[name]) for name, value in proof.second.items()})
    pairs = zip(_vectors(first), _vectors(second), _vectors(nudged), strict=True)
    changes = [(old != new).any(-1)[(old != other).any(-1)] for other, old, new in pairs]
    is_continuous = torch.cat(changes).float().mean() >= MIN_CHANGED
    return "" if is_continuous else "E is made of codes: a small change of the medium does not change it"


def _nudge(value: Any, other: Any) -> Any:
    """Return a medium that differs by little, if this input is one; anything else as it is."""
    if not isinstance(value, Tensor) or not value.is_floating_point():
        return value
    noise = torch.randn(value.shape, generator=torch.Generator().manual_seed(1)).to(value)
    return torch.where(value == other, value, value * (1 + NUDGE * torch.finfo(value.dtype).eps * noise))


def _vectors(recording: Recording) -> list[Tensor]:
    return [x.reshape(-1, x.shape[-1]) for calls in recording.crossed for x in calls]


def _has_gradient(outcome: Any, leaves: Iterable[Tensor]) -> bool:
    if not outcome.requires_grad:
        return False
    gradients = torch.autograd.grad(outcome, list(leaves), allow_unused=True, retain_graph=True)
    return any(gradient is not None and bool(gradient.any()) for gradient in gradients)


CHECKS: Sequence[Callable[[RawProof], str]] = (
    nothing_leaks_past_the_seam,
    own_embedding_changes_nothing,
    another_embedding_changes_something,
    encoder_is_skipped,
    gradient_reaches_the_embedding,
    embedding_is_continuous,
)


def broken_rule(model: Any, derivation: Derivation, first: Inputs, second: Inputs) -> str:
    """Return what does not hold of a derivation; an empty string if it is proved."""
    try:
        with torch.no_grad():
            proof = RawProof(model, derivation, first, second)
            return next((problem for check in CHECKS if (problem := check(proof))), "")
    except (RuntimeError, ValueError, IndexError, TypeError, ModelError) as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"

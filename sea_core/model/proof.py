"""Prove that E is all that the language model learns of a medium, and that injecting E is what the model computes.

Each check is one fact about a loaded model. They run on the blank input and on noise of the same form, and compare the
hidden states of all positions: the vectors of a blank are alike and hide many a wrong position, and the last position
misses what goes wrong before it. Two computations count as the same if they differ by no more than rounding E in the
model's dtype does, which is measured; where the computation is the same in every step, they must be equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from sea_core.errors import ModelError
from sea_core.model import numerics
from sea_core.model.embedding import Embedding, stack
from sea_core.model.mllm import MLLM

RESOLUTION = 1e-6
"""Of what a model computes in fp32 whatever its dtype, such as its norms, relative to the largest number."""
ROUNDING_FACTOR = 3
"""How often as far as rounding E moves the hidden states two computations of them may be apart."""
MIN_SKIPPED = 0.25
"""The part of the weights before the language model that injecting E must skip, at least."""


@dataclass(frozen=True, eq=False)
class ProofMedium:
    """A medium of the proof.

    Attributes:
        inputs: its ordinary inputs.
        hidden: the hidden states that they give, (length, d_llm).
        crossed: what crossed the seam (`Mechanism.crossed`).
    """

    name: str
    inputs: dict[str, Any]
    hidden: Tensor
    crossed: Any
    embedding: Embedding


class Proof:
    """What the checks share: a model, the blank input and noise, and what the model computes of them.

    Args:
        sample: one more medium, which may have another shape; by default noise of the adapter's `other_size`.
    """

    def __init__(self, mllm: MLLM, sample: Any = None) -> None:
        self.mllm, self._sample = mllm, sample
        self.question = f"What is in the {mllm.adapter.noun}?"

    @cached_property
    def media(self) -> tuple[ProofMedium, ...]:
        """The blank input, noise, and the sample if there is one, each encoded alone."""
        blank = self.mllm.adapter.blank_input(self.mllm.processor)
        media = {"blank": blank, "noise": self.mllm.adapter.noise(self.mllm.processor)}
        other = self.mllm.adapter.other_size(self.mllm.processor)
        if self._sample is not None:
            media["sample"] = self._sample
        elif other is not None:
            media["noise of another size"] = other
        return tuple(self._encode(name, medium) for name, medium in media.items())

    def _encode(self, name: str, medium: Any) -> ProofMedium:
        inputs = self.mllm.media_inputs([self.question], [medium])
        with torch.no_grad():
            hidden = self.ordinary(inputs)
            numerics.require_finite_logits(self.mllm.logits(hidden[-1:].to(self.mllm.dtype)))
            crossed = self.mllm.mechanism.crossed(inputs)
        (embedding,) = self.mllm.encode([medium])
        return ProofMedium(name, inputs, hidden, crossed, embedding)

    @torch.no_grad()
    def ordinary(self, inputs: dict[str, Any]) -> Tensor:
        """Return the hidden states of the model's ordinary forward, (length, d_llm)."""
        return self._finite(self.mllm.hidden(**inputs)[0])

    @torch.no_grad()
    def injected(self, embedding: Embedding) -> Tensor:
        """Return the hidden states with an embedding in place of the encoder's output, (length, d_llm)."""
        ids = torch.tensor([self.mllm.prompt_ids(self.question, embedding)], device=self.mllm.device)
        with self.mllm.inject():
            hidden = self.mllm.hidden(input_ids=ids, attention_mask=torch.ones_like(ids), **stack([embedding]))
        return self._finite(hidden[0])

    @cached_property
    def injected_blank(self) -> Tensor:
        """The hidden states with the blank input's own embedding, which several checks compare with."""
        return self.injected(self.media[0].embedding)

    def rounding(self, embedding: Embedding) -> float:
        """Return how far rounding an embedding to the model's dtype moves its hidden states, at most."""
        wide = embedding.with_features(embedding.features.to(self.mllm.wide_dtype))
        moved = wide.with_features(perturb(wide.features, self.mllm.dtype))
        return numerics.max_difference(self.injected(moved), self.injected(wide))

    def _finite(self, hidden: Tensor) -> Tensor:
        numerics.require_finite(hidden, "the hidden states of the model")
        return hidden.to(self.mllm.wide_dtype)


Check = Callable[[Proof], None]
"""Raises ModelError where its fact does not hold."""


def prompt_is_ordinary(proof: Proof) -> None:
    """The prompt for an embedding is the model's ordinary prompt."""
    for medium in proof.media:
        ours = proof.mllm.prompt_ids(proof.question, medium.embedding)
        if medium.inputs["input_ids"].tolist() != [ours]:
            raise ModelError(
                f"the prompt for an embedding of {len(medium.embedding)} vectors is not the model's ordinary prompt",
                hint="Check the adapter's `placeholder`, `placeholders`, `split` and `inputs` against the processor.",
            )


def own_embedding_changes_nothing(proof: Proof) -> None:
    """Injecting a medium's own embedding changes no hidden state, at any position, by more than rounding E does."""
    for medium in proof.media:
        difference = numerics.max_difference(proof.injected(medium.embedding), medium.hidden)
        largest = medium.hidden.abs().max().item()
        # A replayed forward makes the same computation in the same order: it must be equal.
        allowed = 0.0
        if not proof.mllm.mechanism.is_exact:
            allowed = ROUNDING_FACTOR * proof.rounding(medium.embedding) + RESOLUTION * largest
        if not difference <= allowed:
            raise ModelError(
                f"injecting the {proof.mllm.adapter.noun}'s own embedding ({medium.name}) changes the hidden states "
                f"by {difference:.3g}, and rounding explains {allowed:.1g}",
                hint="The prompt, the positions, the attention or the projector differ from the model's ordinary "
                "forward: check the adapter.",
            )


def head_gives_the_models_logits(proof: Proof) -> None:
    """The head's logits of the hidden states are those of the model's own forward."""
    blank = proof.media[0]
    with torch.no_grad():
        expected = proof.mllm.model(**blank.inputs).logits[0].to(proof.mllm.wide_dtype)
        found = proof.mllm.logits(blank.hidden.to(proof.mllm.dtype))
    allowed = ROUNDING_FACTOR * torch.finfo(proof.mllm.dtype).eps * expected.abs().max().item()
    difference = numerics.max_difference(found, expected)
    if not difference <= allowed:
        raise ModelError(
            f"the logits of the last hidden states differ from the model's by {difference:.3g}, and rounding explains "
            f"{allowed:.1g}",
            hint="Either the model scales or caps its logits and the adapter's `logits` does not, or the other way "
            "round: look at the forward of the outermost class.",
        )


def another_embedding_changes_something(proof: Proof) -> None:
    """Injecting another embedding changes the hidden states: a model that ignores its media gives results too."""
    blank = proof.media[0].embedding
    if torch.equal(proof.injected(blank.perturbed()), proof.injected_blank):
        raise ModelError(
            f"injecting another embedding changes nothing: this model ignores its {proof.mllm.adapter.noun}",
            hint="Check the adapter's `placeholder` and `projector` against the checkpoint.",
        )


def nothing_leaks_past_the_seam(proof: Proof) -> None:
    """One medium's E in another one's ordinary forward gives the hidden states of the first, at every position.

    Only then does E hold all that the model learns of a medium. Both runs make the same computation, so that they must
    be equal, in every dtype.
    """
    blank, noise = proof.media[:2]
    if blank.embedding.features.shape != noise.embedding.features.shape or _length(blank) != _length(noise):
        raise ModelError(
            f"noise of the form of the blank {proof.mllm.adapter.noun} has an embedding of another shape",
            hint="An embedding's shape must follow from the form of the input: check `blank_input` and `inputs`.",
        )
    for first, second in ((blank, noise), (noise, blank)):
        with torch.no_grad(), proof.mllm.mechanism.swapped(first.crossed):
            swapped = proof.ordinary(second.inputs)
        if not torch.equal(swapped, first.hidden):
            difference = numerics.max_difference(swapped, first.hidden)
            raise ModelError(
                f"the {proof.mllm.adapter.noun} reaches the language model past the seam too: with the {first.name} "
                f"embedding in the {second.name} input's forward, hidden states differ by {difference:.3g}",
                hint="The projector is not the only way from the encoder to the language model (deep features, "
                "per-layer inputs, cross attention): this adapter cannot carry the model.",
            )


def encoder_is_skipped(proof: Proof) -> None:
    """With an embedding injected, the encoder's weights are not used: a quarter or more of all before the decoder."""
    encoder = proof.mllm.encoder_parameters()
    skipped = sum(p.numel() for p in encoder)
    front = sum(p.numel() for p in proof.mllm.front_parameters(proof.media[0].inputs))
    if skipped < MIN_SKIPPED * front:
        raise ModelError(
            f"the seam lies too early: {skipped:,} of the {front:,} weights before the language model are before it",
            hint="`projector` must return the module between the encoder and the language model, not an earlier one. "
            "An adapter that replays names the encoder's modules in `skipped`.",
        )
    blank = proof.media[0].embedding
    expected = proof.injected_blank
    try:
        with without_weights(encoder):
            injected = proof.injected(blank)
    except (RuntimeError, IndexError) as error:
        raise ModelError(
            f"with an embedding injected, the model still uses its encoder: {str(error).splitlines()[0]}",
            hint="The backbone must accept `inputs_embeds`, and not run the encoder if there are no media inputs.",
        ) from error
    if not torch.equal(injected, expected):
        raise ModelError(
            "without the encoder's weights, an injected embedding gives other hidden states",
            hint="The backbone must not run the encoder if there are no media inputs.",
        )


def gradient_reaches_embedding(proof: Proof) -> None:
    """The hidden states have a gradient at E: some kernels for quantised weights give none, without an error."""
    blank = proof.media[0].embedding
    features = blank.features.to(proof.mllm.wide_dtype).detach().requires_grad_()
    ids = torch.tensor([proof.mllm.prompt_ids(proof.question, blank)], device=proof.mllm.device)
    with torch.enable_grad(), proof.mllm.inject():
        given = stack([blank.with_features(features)])
        hidden = proof.mllm.hidden(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False, **given)
        loss = hidden.float().square().sum() + 0 * features.sum()  # it has a graph, whatever the kernels do
        (gradient,) = torch.autograd.grad(loss, [features])
    if not gradient.any():
        raise ModelError(
            "no gradient of the hidden states reaches the embedding, so that nothing could be optimised",
            hint="A layer of the language model has a kernel for inference only: use other versions of the libraries, "
            "or leave out --quantize.",
        )


CHECKS: Sequence[Check] = (
    prompt_is_ordinary,
    nothing_leaks_past_the_seam,
    own_embedding_changes_nothing,
    head_gives_the_models_logits,
    another_embedding_changes_something,
    encoder_is_skipped,
    gradient_reaches_embedding,
)


def check_seam(mllm: MLLM) -> None:
    """Check, before hours of work, that the seam is where the adapter says and that injection is exact.

    Raises:
        ModelError: a check of the proof fails.
    """
    proof = Proof(mllm)
    for check in CHECKS:
        check(proof)


def perturb(features: Tensor, dtype: torch.dtype) -> Tensor:
    """Return E with noise of about half the size of its rounding to `dtype`, the same on every call."""
    noise = torch.randn(features.shape, generator=torch.Generator().manual_seed(1)).to(features)
    return features * (1 + torch.finfo(dtype).eps / 4 * noise)


@contextmanager
def without_weights(parameters: Sequence[nn.Parameter]) -> Iterator[None]:
    """Empty the parameters inside the block, so that whatever uses them fails."""
    original = [p.data for p in parameters]
    try:
        for p in parameters:
            p.data = p.data.new_empty(0)
        yield
    finally:
        for p, data in zip(parameters, original, strict=True):
            p.data = data


def _length(medium: ProofMedium) -> int:
    return int(medium.inputs["input_ids"].shape[1])

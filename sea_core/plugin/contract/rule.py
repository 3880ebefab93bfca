"""What a rule of the contract is, and the adapter that it checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from sea_core.errors import PluginError, SeaError
from sea_core.model import numerics
from sea_core.model.adapter import Adapter
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.proof import Proof
from sea_core.model.threads import SMALL_MODEL, count_weights, fit_threads

QUESTION = "What is in the {noun}?"
LONG_QUESTION = "Please tell me, as briefly as you can, what is going on in this {noun}."


class RuleViolation(AssertionError):
    """A rule is violated. The message says what was found."""


class NotTested(Exception):
    """A part of a rule could not be tested. The message says why, and what to give."""


def require(holds: bool, problem: str) -> None:
    """Raise RuleViolation with the problem unless the rule holds."""
    if not holds:
        raise RuleViolation(problem)


def require_error(call: Callable[[], object], what: str) -> None:
    """Require a call to raise a SeaError that advises what to do; `what` completes "WHAT raises no error"."""
    try:
        call()
    except PluginError:  # the plugin itself is faulty or unfinished
        raise
    except SeaError as error:
        require(bool(error.hint), f"the error for {what} gives no advice: {error.what}")
    else:
        raise RuleViolation(f"{what} raises no error")


class AdapterUnderTest:
    """An adapter under test. Its model and media are made when a rule first needs them.

    Args:
        load: returns the model, preferably a tiny one.
        sample: returns a medium that is not blank; None for noise, of another size if the adapter offers one.
    """

    def __init__(self, adapter: Adapter, load: Callable[[], MLLM], sample: Callable[[], Any] = lambda: None) -> None:
        self.adapter, self._load, self._sample = adapter, load, sample

    @cached_property
    def mllm(self) -> MLLM:
        return self._load()

    @property
    def is_small(self) -> bool:
        """Whether the model is small, so that it is also checked in bfloat16. Loads it."""
        return count_weights(self.mllm.model) < SMALL_MODEL

    @cached_property
    def blank_input(self) -> Any:
        return self.adapter.blank_input(self.mllm.processor)

    @cached_property
    def sample(self) -> Any:
        # A replayed model takes media of one size in a batch; the proof tries another size alone.
        other = self.other_size if self.mllm.mechanism.mixes_batches else None
        return self.adapter.noise(self.mllm.processor) if other is None else other

    @cached_property
    def other_size(self) -> Any | None:
        """The given sample or, without one, what the adapter offers."""
        sample = self._sample()
        return self.adapter.other_size(self.mllm.processor) if sample is None else sample

    @cached_property
    def media(self) -> dict[str, Any]:
        """The blank input and the sample, by name."""
        return {"blank": self.blank_input, "sample": self.sample}

    @cached_property
    def embeddings(self) -> dict[str, Embedding]:
        """E of the blank input and of the sample, each encoded alone."""
        return {name: self.mllm.encode([medium])[0] for name, medium in self.media.items()}

    @property
    def blank(self) -> Embedding:
        """E of the blank input."""
        return self.embeddings["blank"]

    def fit_threads(self) -> AbstractContextManager[None]:
        """Run a small model on one thread inside the block, once it is loaded."""
        return fit_threads(self.mllm.model) if "mllm" in vars(self) else nullcontext()

    def require_two_shapes(self) -> None:
        """Raise NotTested where padding could have no influence, because all media have one shape."""
        if not self.mllm.mechanism.mixes_batches and self.other_size is None and not self.adapter.one_shape:
            raise NotTested(
                f"no {self.adapter.noun} of another size was tried. Give one (--sample FILE, or the method `sample()` "
                "in the tests), or override `other_size`"
            )
        sizes = {(len(embedding), embedding.grid) for embedding in self.embeddings.values()}
        if len(sizes) == 1 and self.mllm.mechanism.mixes_batches and not self.adapter.one_shape:
            raise NotTested(
                f"padding was not tested: the blank {self.adapter.noun} and the sample have {len(self.blank)} vectors "
                "each. Give a sample of another shape (--sample FILE, or the method `sample()` in the tests), or set "
                "`one_shape = True`"
            )

    @cached_property
    def proof(self) -> Proof:
        """The proof of the seam, on the sample too."""
        return Proof(self.mllm, self.other_size if self.other_size is not None else self.sample)

    def question(self, template: str = QUESTION) -> str:
        return template.format(noun=self.adapter.noun)

    @torch.no_grad()
    def ordinary_logits(self, medium: Any) -> Tensor:
        """Return the logits of the model's ordinary forward on a question about a medium: (length, vocabulary)."""
        inputs = self.mllm.media_inputs([self.question()], [medium])
        return self.mllm.logits(self.mllm.hidden(**inputs)[0])

    def differentiable_logits(self, embedding: Embedding) -> Tensor:
        """Return the logits on the same question with the embedding injected: (length, vocabulary)."""
        prompt = self.mllm.prompt_ids(self.question(), embedding)
        # The tokens of the prompt are the answer, so that the logits after each of them are returned.
        batch = self.mllm.batch([prompt[:1]], [[*prompt[1:], self.mllm.end_id]])
        return self.mllm.answer_logits(batch, [embedding])[0]

    @torch.no_grad()
    def injected_logits(self, embedding: Embedding) -> Tensor:
        """Return `differentiable_logits` without a graph."""
        return self.differentiable_logits(embedding)

    def require_same(self, logits: Tensor, reference: Tensor, what: str) -> None:
        """Require two computations of the same logits to agree up to rounding."""
        shapes = f"{what}: logits of shape {tuple(logits.shape)} instead of {tuple(reference.shape)}"
        require(logits.shape == reference.shape, shapes)
        difference = numerics.max_difference(logits, reference)
        rounding = numerics.max_rounding(reference, self.mllm.dtype)
        require(
            difference <= rounding, f"{what}: the logits differ by {difference:.3g}; rounding explains {rounding:.1g}"
        )


@dataclass(frozen=True)
class Rule:
    """One rule of the contract.

    Attributes:
        name: identifies the rule, in tests and in JSON.
        sentence: the rule in one sentence.
        advice: what to check if it is violated.
        check: raises RuleViolation, or whatever the adapter raises, if it is violated.
        needs_model: whether the check uses the model.
        needs: the name of an earlier rule without which this one is violated too.
    """

    name: str
    sentence: str
    advice: str
    check: Callable[[AdapterUnderTest], None]
    needs_model: bool = True
    needs: str = ""


def rule(
    advice: str, needs_model: bool = True, needs: str = ""
) -> Callable[[Callable[[AdapterUnderTest], None]], Rule]:
    """Make a rule from a check. The function's name is the rule's, its docstring the sentence."""

    def make(check: Callable[[AdapterUnderTest], None]) -> Rule:
        return Rule(check.__name__, check.__doc__ or "", advice, check, needs_model, needs)

    return make


def listed(items: Sequence[object]) -> str:
    return ", ".join(map(str, items))

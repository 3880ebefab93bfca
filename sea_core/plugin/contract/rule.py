"""What a rule of the contract is, and what it looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from sea_core.model import numerics
from sea_core.model.adapter import Adapter
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.plugin.contract.noise import noise_like

QUESTION = "What is in the {noun}?"
LONGER = "Please tell me, as briefly as you can, what is going on in this {noun}."

SMALL = 20_000_000
"""Weights below which a model is small."""


class RuleViolation(AssertionError):
    """A rule does not hold. The message says what was seen."""


def require(holds: bool, seen: str) -> None:
    """Raise Broken with what was seen, unless the rule holds."""
    if not holds:
        raise RuleViolation(seen)


class AdapterUnderTest:
    """An adapter under test: its model and media are made when a rule first asks for them.

    Args:
        load: returns the model, at best a tiny one.
        signal: returns a medium that is not blank; None for noise in the blank's form.
    """

    def __init__(self, adapter: Adapter, load: Callable[[], MLLM], signal: Callable[[], Any] = lambda: None) -> None:
        self.adapter, self._load, self._signal = adapter, load, signal

    @cached_property
    def mllm(self) -> MLLM:
        return self._load()

    @cached_property
    def blank_medium(self) -> Any:
        return self.adapter.blank_input(self.mllm.processor)

    @cached_property
    def signal_medium(self) -> Any:
        given = self._signal()
        return noise_like(self.blank_medium) if given is None else given

    @cached_property
    def media(self) -> list[Any]:
        """The blank medium and the signal."""
        return [self.blank_medium, self.signal_medium]

    @cached_property
    def blank(self) -> Embedding:
        """E of the blank medium."""
        return self.mllm.encode([self.blank_medium])[0]

    @cached_property
    def embeddings(self) -> list[Embedding]:
        """E of the blank medium and of the signal, each encoded alone."""
        return [self.blank, self.mllm.encode([self.signal_medium])[0]]

    @contextmanager
    def fit_threads(self) -> Iterator[None]:
        """Run a small model on one thread: more of them only wait for each other, thirty times as long."""
        before = torch.get_num_threads()
        if "mllm" in vars(self) and sum(p.numel() for p in self.mllm.model.parameters()) < SMALL:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def ask(self, template: str = QUESTION) -> str:
        return template.format(noun=self.adapter.noun)

    @torch.no_grad()
    def ordinary(self, medium: Any) -> Tensor:
        """Return the logits of the model's ordinary forward on a question about a medium: (length, vocabulary)."""
        inputs = self.mllm.media_inputs([self.ask()], [medium])
        hidden = self.mllm.backbone(**inputs).last_hidden_state[0]
        logits: Tensor = self.mllm.model.get_output_embeddings()(hidden)
        return logits.to(self.mllm.wide_dtype)

    def logits(self, embedding: Embedding) -> Tensor:
        """Return the logits on the same question with the encoder skipped: (length, vocabulary)."""
        prompt = self.mllm.prompt_ids(self.ask(), len(embedding))
        # Each token answers those before it; the end token stands behind the last, so that its logits are read too.
        batch = self.mllm.batch([prompt[:1]], [[*prompt[1:], self.mllm.end_id]])
        return self.mllm.answer_logits(batch, [embedding])[0]

    @torch.no_grad()
    def skipped(self, embedding: Embedding) -> Tensor:
        """Return `logits`, without a gradient."""
        return self.logits(embedding)

    def require_same(self, logits: Tensor, reference: Tensor, what: str) -> None:
        """Require two computations of the same logits to agree up to rounding."""
        shapes = f"{what}: {tuple(logits.shape)} logits against {tuple(reference.shape)}"
        require(logits.shape == reference.shape, shapes)
        difference = numerics.max_difference(logits, reference)
        rounding = numerics.max_rounding(reference, self.mllm.dtype)
        require(
            difference <= rounding, f"{what}: the logits differ by {difference:.3g}, rounding explains {rounding:.1g}"
        )


@dataclass(frozen=True)
class Rule:
    """One rule of the contract.

    Attributes:
        name: one word for ids.
        sentence: the rule, as people read it.
        advice: what to look at where it does not hold.
        check: raises where it does not hold.
        needs_model: whether it asks for the subject's model.
    """

    name: str
    sentence: str
    advice: str
    check: Callable[[AdapterUnderTest], None]
    needs_model: bool = True


def rule(advice: str, needs_model: bool = True) -> Callable[[Callable[[AdapterUnderTest], None]], Rule]:
    """Make a rule of a check: its name is the function's, its sentence the docstring."""

    def make(check: Callable[[AdapterUnderTest], None]) -> Rule:
        return Rule(check.__name__, check.__doc__ or "", advice, check, needs_model)

    return make


def listed(words: Sequence[object]) -> str:
    return ", ".join(map(str, words))


def encoder_parameters(mllm: MLLM) -> list[nn.Parameter]:
    """Return the weights in front of the seam: neither the projector's nor the language model's."""
    behind = {id(p) for p in (*mllm.projector.parameters(), *mllm.language_parameters())}
    return [p for p in mllm.model.parameters() if id(p) not in behind]

"""How E reaches the language model: two mechanisms, spliced (splice.py) and replayed (replayed.py)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from sea_core.errors import ModelError
from sea_core.model.embedding import Embedding

if TYPE_CHECKING:
    from sea_core.model.mllm import MLLM


class Mechanism(ABC):
    """One way to capture what crosses the seam of a model, and to run the model on another E.

    Attributes:
        name: as it is stored in the manifest of a run.
        is_exact: whether a medium's own E makes the same computation as the ordinary forward pass, to the last bit.
        mixes_batches: whether a batch may hold media of several sizes, and plain text.
    """

    name: str
    is_exact: bool
    mixes_batches: bool

    def __init__(self, mllm: MLLM) -> None:
        self.mllm = mllm

    @abstractmethod
    def projectors(self) -> list[nn.Module]:
        """Return the modules that E crosses into."""

    @abstractmethod
    def encoder_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that are not used when E is injected."""

    @abstractmethod
    def encode(self, media: Sequence[Any]) -> list[Embedding]:
        """Return M(z) of each medium."""

    @abstractmethod
    def encode_with_grad(self, inputs: Mapping[str, Any], count: int) -> list[Embedding]:
        """Return M(z) of the `count` media in ordinary inputs, with the graph back to them."""

    @abstractmethod
    def crossed(self, inputs: Mapping[str, Any]) -> Any:
        """Return all that crosses the seam in an ordinary forward pass, for `swapped`."""

    @abstractmethod
    def swapped(self, crossed: Any) -> AbstractContextManager[None]:
        """Let what crossed in another pass cross in the ordinary one inside the block. The encoder is run."""

    @abstractmethod
    def prompt_ids(self, question: str, embedding: Embedding) -> list[int]:
        """Return the ids of a prompt about an embedding."""

    @abstractmethod
    def count_placeholders(self, embedding: Embedding) -> int:
        """Return the number of placeholder tokens of an embedding."""

    @abstractmethod
    def inputs_for(
        self, input_ids: Tensor, attention_mask: Tensor | None, embeddings: Sequence[Embedding]
    ) -> dict[str, Any]:
        """Return the backbone's keywords for a batch whose placeholders fit its embeddings."""

    @abstractmethod
    def generation_inputs(self, input_ids: Tensor, mask: Tensor, embeddings: Sequence[Embedding]) -> dict[str, Any]:
        """Return what `generate` must know of a prompt's media to count positions after them."""

    @abstractmethod
    def prepare(self, embeddings: Sequence[Embedding]) -> None:
        """Do what a batch of embeddings of these sizes needs once, before a forward pass is watched or changed."""

    def active(self) -> AbstractContextManager[None]:
        """Prepare the model for calls with the keywords of `inputs_for` inside the block."""
        return nullcontext()

    def merge(
        self, input_ids: Tensor, attention_mask: Tensor | None, embeddings: Sequence[Embedding]
    ) -> dict[str, Any] | None:
        """Return the backbone's keywords for a batch; None if no sequence has placeholders.

        The embeddings belong, in order, to the sequences that have placeholders.

        Raises:
            ModelError: the placeholders of a sequence do not fit its embedding. transformers only compares the totals
                of a batch, so features shifted from one sequence to the next would go unnoticed.
        """
        counts = [n for n in (input_ids == self.mllm.placeholder_id).sum(1).tolist() if n]
        if not counts:
            return None
        expected = [self.count_placeholders(e) for e in embeddings]
        if counts != expected:
            raise ModelError(
                f"the prompts have {counts} placeholders, the embeddings need {expected}",
                hint="Make each prompt for its embedding: prompt_ids(question, embedding).",
            )
        return self.inputs_for(input_ids, attention_mask, embeddings)

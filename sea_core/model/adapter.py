"""The one class that a plugin author writes.

An adapter answers a handful of questions about one model family and one modality. It never sees a gradient. Importing
this file, or a plugin's adapter, must not import torch: `sea modalities` reads adapters without it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from torch import Tensor, nn

    from sea_core.data.examples import Kind


@dataclass(frozen=True)
class Adapter(ABC):
    """How SEA talks to one model family through one modality.

    A subclass is a frozen dataclass; its fields are the settings a user may change (`-o adapter.seconds=5`).

    Class attributes:
        modality: one word, what the user sees ("audio").
        noun: fills the templates ("What is the style of the {noun}?").
        architectures: the `architectures` entries of config.json that this adapter can drive.
        checkpoint: the default model: a folder shipped in the plugin, or a hub id.
        embedding_shape: for people, the shape of E at the usual size ("750 x 1280 for 30 s").
        placeholder: the token that stands for one row of P(E) in the prompt.
        prefixes: how this family opens an answer about the content, for each kind; the goal is
            "{prefix} {sentence}." (paper, section 3.1: the response prefix).
        style_prefix: how it opens an answer about the style.
        styles: the style set.
        blank_word: what a blank input is, in a word ("silent"): what a model that is asked about it should say.
    """

    modality: ClassVar[str]
    noun: ClassVar[str]
    architectures: ClassVar[tuple[str, ...]]
    checkpoint: ClassVar[str]
    embedding_shape: ClassVar[str]
    placeholder: ClassVar[str]
    prefixes: ClassVar[Mapping[Kind, str]]
    style_prefix: ClassVar[str]
    styles: ClassVar[tuple[str, ...]]
    blank_word: ClassVar[str] = "blank"

    @abstractmethod
    def blank_input(self, processor: Any) -> Any:
        """Return the blank medium (silence, a black frame) in the form that `inputs` takes. It is deterministic."""

    @abstractmethod
    def read_media(self, path: Path, processor: Any) -> Any:
        """Read a file into the form that `inputs` takes. Raises SeaError when it is not such a file."""

    @abstractmethod
    def inputs(self, processor: Any, texts: Sequence[str], media: Sequence[Any]) -> Mapping[str, Any]:
        """Return the model's ordinary inputs for texts with one placeholder each, and their media: a padded batch."""

    @abstractmethod
    def projector(self, model: Any) -> nn.Module:
        """Return P. The first argument of its forward call is the seam: E crosses there."""

    @abstractmethod
    def split(self, crossed: Tensor, inputs: Mapping[str, Any]) -> list[Tensor]:
        """Cut what crossed the seam into one E of shape (n_rows, d_encoder) for each medium, without padding rows."""

    def load(self, checkpoint: str, *, dtype: Any, device: str, revision: str | None = None) -> tuple[Any, Any]:
        """Return (model, processor) of a folder or a hub id. Raises ModelError when it is torn or another family's."""
        from sea_core.model.checkpoint import load_transformers

        return load_transformers(checkpoint, self.architectures, dtype=dtype, device=device, revision=revision)

    def grids(self, inputs: Mapping[str, Any], count: int) -> list[tuple[int, ...]]:
        """Return how the rows of each of `count` media lie, where positions depend on it (`Embedding.grid`)."""
        return [()] * count

    def position_ids(
        self, model: Any, input_ids: Tensor, attention_mask: Tensor | None, grids: Sequence[tuple[int, ...]]
    ) -> Tensor | None:
        """Return the positions of a spliced batch, or None where the language model counts them for itself."""
        return None

    def backbone(self, model: Any) -> nn.Module:
        """Return the module that merges P(E) with the token embeddings and runs the language model."""
        backbone: nn.Module = model.base_model
        return backbone

    def language_model(self, model: Any) -> nn.Module:
        """Return the language model's decoder, without its head."""
        return self.backbone(model).get_submodule("language_model")

    def placeholders(self, n_features: int) -> int:
        """Return how many placeholder tokens an E of `n_rows` rows takes."""
        return n_features

    def conversation(self, question: str, media: bool) -> list[dict[str, Any]]:
        """Return the chat, in the form the processor's template takes, that asks `question` about one medium."""
        content: list[dict[str, Any]] = [{"type": self.modality}] if media else []
        return [{"role": "user", "content": [*content, {"type": "text", "text": question}]}]

    def end_token(self, processor: Any) -> str:
        """Return the token that ends an answer."""
        token: str = processor.tokenizer.eos_token
        return token

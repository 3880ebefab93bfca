"""The one class that a plugin author writes.

An adapter describes one model family through one modality. It never sees a gradient. Importing this module, or a
plugin's adapter, must not import torch: `sea plugins` reads adapters without it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sea_core.errors import SeaError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from sea_core.model.crossing import ReplaySeam


@dataclass(frozen=True)
class Adapter(ABC):
    """How SEA uses one model family through one modality.

    A subclass is a frozen dataclass; its fields are the settings that a user may change (`-o adapter.seconds=5`).

    Class attributes:
        modality: one word, as users type it ("audio").
        noun: fills the prompts ("What is the style of the {noun}?").
        architectures: the entries of `architectures` in config.json that this adapter supports.
        checkpoint: the default model: a folder shipped in the plugin, or a hub id.
        embedding_shape: the usual shape of E, for people ("750 x 1280 for 30 s").
        placeholder: the token that stands for one vector of P(E) in the prompt.
        prefixes: how this family opens an answer about the content, for each kind; the target answer of the content
            goal is "{prefix} {sentence}." (paper, section 3.1: the response prefix).
        style_prefix: how it opens an answer about the style.
        styles: the style set.
        language: of questions and target answers (ISO 639-1); see `in_language`.
        blank_word: one word for a blank input ("silent"): what a model that is asked about it should answer.
        is_derived: whether `fitted` derives the adapter from a checkpoint.
        casts_media: whether media are cast to the model's dtype: not every model does it itself.
        one_shape: whether every medium gives an E of one shape. If not, the contract asks for a sample of another shape
            than the blank's, to test padding.
    """

    modality: ClassVar[str]
    noun: ClassVar[str]
    architectures: ClassVar[tuple[str, ...]]
    checkpoint: ClassVar[str]
    embedding_shape: ClassVar[str]
    placeholder: ClassVar[str]
    prefixes: ClassVar[Mapping[str, str]]
    style_prefix: ClassVar[str]
    styles: ClassVar[tuple[str, ...]]
    blank_word: ClassVar[str] = "blank"
    one_shape: ClassVar[bool] = False
    language: ClassVar[str] = "en"
    is_derived = False
    casts_media = False

    @property
    def other_placeholders(self) -> tuple[str, ...]:
        """The placeholders of further modalities. Override where a prompt holds media of several."""
        return ()

    def noise(self, processor: Any) -> Any:
        """Return noise of the form of the blank input, with which the seam is proved: the same types and shapes.

        Override where a medium is neither an image, nor an array, nor a video, nor a tuple of these.

        Raises:
            PluginError: the blank input is of another type.
        """
        from sea_core.model.noise import noise_like

        return noise_like(self.blank_input(processor))

    @abstractmethod
    def blank_input(self, processor: Any) -> Any:
        """Return the blank medium (silence, a black frame) in the form that `inputs` takes; the same on every call.

        For example an RGB `PIL.Image`; a sound as float32 samples at the processor's rate, (samples,); a video as
        `video_files.Video`, whose frames are (frames, height, width, 3) of uint8.
        """

    @abstractmethod
    def read_media(self, path: Path, processor: Any) -> Any:
        """Return the medium of a file, in the form and of the types of `blank_input`; its size may be another.

        Raises:
            DataError: the file is not such a medium, or is damaged.
        """

    @abstractmethod
    def inputs(self, processor: Any, texts: Sequence[str], media: Sequence[Any]) -> Mapping[str, Any]:
        """Return the model's ordinary inputs for texts with one placeholder each and their media, as a padded batch.

        The keywords of the model's forward: `input_ids` and `attention_mask`, (batch, length), and those of the media.
        """

    @abstractmethod
    def projector(self, model: Any) -> nn.Module:
        """Return P. The first argument of its forward call is the seam: E crosses there."""

    def split(self, crossed: Tensor, inputs: Mapping[str, Any]) -> list[Tensor]:
        """Split what crossed the seam into one E, (n_features, d_encoder), for each medium, without padding vectors.

        By default along the first dimension. Override where the media of a batch cross in one row, or are padded.
        """
        return list(crossed)

    def replay(self, model: Any) -> ReplaySeam | None:
        """Return where E crosses in a model that must run its own forward pass; None if P(E) can simply be spliced in.

        `splice` puts P(E) in place of the placeholders' embeddings. A family whose encoder reaches the language model
        in more ways (features for several layers, cross attention), or whose P(E) is changed before it does (tiles),
        uses `replay`: its own forward on the ordinary inputs for a blank medium of E's size, with E in place of what
        crosses, and without the encoder. `placeholders`, `split`, `grids` and `backbone_inputs` are not used then;
        `size` and `medium_of` are.
        """
        return None

    def size(self, medium: Any, processor: Any) -> tuple[int, ...]:
        """Return the size of a medium, from which `medium_of` makes a blank one: the grid of its E.

        Override with `replay`, unless all media have one size.
        """
        return ()

    def medium_of(self, size: tuple[int, ...], processor: Any) -> Any:
        """Return the blank medium of a size. Override together with `size`."""
        return self.blank_input(processor)

    def other_size(self, processor: Any) -> Any | None:
        """Return noise of another size than the blank input's, to test padding; None if there is none.

        Override unless all media have one size: without it, sizes are "not tested".
        """
        return None

    def in_language(self, code: str) -> Adapter:
        """Return the adapter with the prefixes and styles of a language; itself for its own.

        Override where the language has no words for the modality.

        Raises:
            SeaError: there is no such language, or it has no words for the adapter's noun.
        """
        from sea_core.model.language import get_language

        language = get_language(code)
        if code == self.language:
            return self
        if self.noun not in language.media:
            raise SeaError(
                f"{language.name} has no words for the noun {self.noun!r} of {type(self).__name__}",
                hint="Leave --lang out, or override `in_language` in the adapter.",
            )
        words, adapter = language.media[self.noun], copy(self)
        vars(adapter).update(
            language=code,
            prefixes={"activity": words["activity_prefix"], "product": words["product_prefix"]},
            style_prefix=words["style_prefix"],
            styles=tuple(words["styles"]),
        )
        return adapter

    def fitted(self, checkpoint: str, *, dtype: Any, device: str, revision: str | None = None) -> Adapter:
        """Return the adapter for a checkpoint: itself, unless `is_derived`. A plugin for one family leaves it as it is.

        Raises:
            ModelError: no adapter can be derived from it.
        """
        return self

    def load(self, checkpoint: str, *, dtype: Any, device: str, revision: str | None = None) -> tuple[Any, Any]:
        """Return (model, processor) of a folder or a hub id. Override for a model class that is not of transformers.

        Raises:
            ModelError: the checkpoint is corrupt, or belongs to another family.
        """
        from sea_core.model.checkpoint import load_transformers

        return load_transformers(checkpoint, self.architectures, dtype=dtype, device=device, revision=revision)

    def grids(self, inputs: Mapping[str, Any], count: int) -> list[tuple[int, ...]]:
        """Return the grid of each of `count` media. Override where positions depend on it (see `Embedding.grid`)."""
        return [()] * count

    def position_ids(
        self, model: Any, input_ids: Tensor, attention_mask: Tensor | None, grids: Sequence[tuple[int, ...]]
    ) -> Tensor | None:
        """Return the position ids of a batch with placeholders; None for those that the language model counts itself.

        Override where positions follow the medium's grid (M-RoPE): (axes, batch, length), in general what the backbone
        takes as `position_ids`.
        """
        return None

    def backbone_inputs(
        self, model: Any, input_ids: Tensor, attention_mask: Tensor | None, grids: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        """Return the backbone's keywords that follow from a batch with placeholders, besides ids, mask and embeddings.

        By default the position ids, if the family has its own. A family whose media attend to themselves in both
        directions passes here what tells its decoder which tokens are a medium's, such as `token_type_ids`.
        """
        positions = self.position_ids(model, input_ids, attention_mask, grids)
        return {} if positions is None else {"position_ids": positions}

    def backbone(self, model: Any) -> nn.Module:
        """Return the module that merges P(E) with the token embeddings and runs the language model.

        Override where it is not the class's `base_model`. Its result has `last_hidden_state`.
        """
        backbone: nn.Module = model.base_model
        return backbone

    def language_model(self, model: Any) -> nn.Module:
        """Return the language model's decoder, without its head. Override where it has another name."""
        return self.backbone(model).get_submodule("language_model")

    def placeholders(self, n_features: int) -> int:
        """Return the number of placeholder tokens for an E of `n_features` vectors. Override where P pools vectors."""
        return n_features

    def logits(self, model: Any, hidden: Tensor) -> Tensor:
        """Return the logits of last hidden states: (..., d_llm) to (..., vocabulary).

        Override where the outermost class scales or caps what its head gives.
        """
        logits: Tensor = model.get_output_embeddings()(hidden)
        return logits

    def conversation(self, question: str, media: bool) -> list[dict[str, Any]]:
        """Return the chat that asks `question`, about one medium if `media`, in the form of the chat template.

        Override where the template wants another form, or the medium after the text.
        """
        content: list[dict[str, Any]] = [{"type": self.modality}] if media else []
        return [{"role": "user", "content": [*content, {"type": "text", "text": question}]}]

    def chat_text(self, processor: Any, chat: Sequence[Mapping[str, Any]]) -> str:
        """Return a chat as the checkpoint's template writes it, up to where the answer begins.

        Override where the processor itself makes no text of a chat: its tokenizer may.
        """
        text: str = processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        return text

    def end_token(self, processor: Any) -> str:
        """Return the token that ends an answer. Override where the chat template writes another one after it."""
        token: str = processor.tokenizer.eos_token
        return token

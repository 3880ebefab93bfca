"""A loaded MLLM and the two things that SEA runs: LLM(P(M(z)), x) and LLM(P(E), x)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from sea_core.errors import DataError, ModelError, describe_value
from sea_core.model import generation, numerics, seam
from sea_core.model.adapter import Adapter
from sea_core.model.chat_template import template_errors
from sea_core.model.embedding import Embedding, stack
from sea_core.model.mechanism import Mechanism
from sea_core.model.padding import IGNORE_INDEX, Batch, right_padded
from sea_core.model.replayed import ReplayedModel
from sea_core.model.splice import Splice
from sea_core.model.text_ids import Render, TextTokenizer


class MLLM:
    """An adapter, a frozen model and its processor.

    Every way to run the model on an embedding is `seam.inject` at the backbone. What it puts there is the mechanism's:
    P(E) in place of the placeholders' embeddings (splice.py), or the inputs of a replay (replayed.py).
    """

    def __init__(self, adapter: Adapter, model: Any, processor: Any, system: str = "") -> None:
        self.adapter, self.processor, self.system = adapter, processor, system
        self.system_in_parts = False
        self.tokenizer = processor.tokenizer
        self.take(model)

    def take(self, model: Any) -> None:
        """Use a model, frozen; another one of the same checkpoint may take its place later."""
        self.model = model
        self.backbone: nn.Module = self.adapter.backbone(model)
        replayed = ReplayedModel.of(self)
        self.mechanism: Mechanism = replayed or Splice(self)
        self.replayed: ReplayedModel | None = replayed
        self.projector: nn.Module = self.find_projector()
        model.requires_grad_(False)
        model.eval()

    def find_projector(self) -> nn.Module:
        """Return P; if E crosses into several modules, or into none, all of them as one."""
        projectors = self.projectors()
        return projectors[0] if len(projectors) == 1 else nn.ModuleList(projectors)

    def projectors(self) -> list[nn.Module]:
        """Return the modules that E crosses into."""
        return self.mechanism.projectors()

    @property
    def device(self) -> torch.device:
        """The projector's device, on which E is optimised. Logits are read there too, wherever they were computed."""
        return self._parameter.device

    @property
    def dtype(self) -> torch.dtype:
        """The projector's dtype. E is cast to it before it crosses, so a stored E is exactly what was checked."""
        return self._parameter.dtype

    @property
    def _parameter(self) -> nn.Parameter:
        parameter: nn.Parameter = next(chain(self.projector.parameters(), self.model.parameters()))
        return parameter

    @property
    def wide_dtype(self) -> torch.dtype:
        """The dtype in which E is trained and logits are compared: fp32, or the model's own if that is wider.

        Never fp64 on mps, which does not have it: no model there can be in fp64.
        """
        return torch.promote_types(self.dtype, torch.float32)

    @cached_property
    def placeholder_id(self) -> int:
        """The id of the placeholder token."""
        return self._token_id(self.adapter.placeholder)

    @cached_property
    def placeholder_ids(self) -> list[int]:
        """The ids of the placeholders of all modalities in a prompt."""
        return [self._token_id(token) for token in (self.adapter.placeholder, *self.adapter.other_placeholders)]

    @cached_property
    def end_id(self) -> int:
        """The id of the token that ends an answer."""
        return self._token_id(self.adapter.end_token(self.processor))

    @cached_property
    def pad_id(self) -> int:
        """The id of the padding token; the end token's if the tokenizer has none."""
        pad = self.tokenizer.pad_token_id
        return self.end_id if pad is None else int(pad)

    @cached_property
    def context_length(self) -> int | None:
        """The language model's context length in tokens; None if its configuration does not say."""
        return getattr(self.adapter.language_model(self.model).config, "max_position_embeddings", None)

    def language_parameters(self) -> list[nn.Parameter]:
        """Return all parameters after P: the decoder's, the token embeddings' and the head's, each once."""
        decoder, tokens = self.adapter.language_model(self.model), self.model.get_input_embeddings()
        head = self.model.get_output_embeddings()
        found = {id(p): p for module in (decoder, tokens, head) for p in module.parameters()}
        # A decoder that is the outermost module holds the encoder as well.
        before = {id(p) for p in self.replayed.replay.parameters()} if self.replayed else set[int]()
        return [p for key, p in found.items() if key not in before]

    def front_parameters(self, inputs: Mapping[str, Any]) -> list[nn.Parameter]:
        """Return the parameters before the language model that a forward pass uses: a model may have other encoders."""
        language = {id(p) for p in self.language_parameters()}
        with torch.no_grad(), seam.called(self.model) as modules:
            self.mechanism.crossed(inputs)
        used = [*self.encoder_parameters(), *self.projector.parameters()] if not self.replayed else []
        used += [p for module in modules for p in module.parameters(recurse=False)]
        return list({id(p): p for p in used if id(p) not in language}.values())

    def encoder_parameters(self) -> list[nn.Parameter]:
        """Return the parameters before the seam: neither the projector's nor the language model's."""
        return self.mechanism.encoder_parameters()

    def _token_id(self, token: str) -> int:
        token_id = self.tokenizer.convert_tokens_to_ids(token)
        if token_id is None or (token_id == self.tokenizer.unk_token_id and token != self.tokenizer.unk_token):
            raise ModelError(
                f"the tokenizer of this checkpoint has no token {token!r}",
                hint="Check the adapter's `placeholder` and `end_token` against the checkpoint's tokenizer.",
            )
        return int(token_id)

    # --- the encoder: M(z) --------------------------------------------------------------------------------------------

    @torch.no_grad()
    def encode(self, media: Sequence[Any]) -> list[Embedding]:
        """Return M(z) for each medium, as the projector received it in an ordinary forward pass.

        Raises:
            DataError: the encoder's output for a medium is not finite, as for a sound that contains NaN.
        """
        embeddings = self.mechanism.encode(media)
        if not all(numerics.all_finite(e.features) for e in embeddings):
            raise DataError(
                f"the encoder's output contains numbers that are not finite (NaN or infinity) for this "
                f"{self.adapter.noun}",
                hint=f"Check the {self.adapter.noun}. If no {self.adapter.noun} works: {numerics.FINITE_HINT}",
            )
        return embeddings

    def encode_with_grad(self, inputs: Mapping[str, Any], count: int = 1) -> list[Embedding]:
        """Return M(z) for the media in ordinary inputs, with the graph back to them. Only the encoder is run."""
        return self.mechanism.encode_with_grad(inputs, count)

    def blank(self) -> Embedding:
        """Return M(blank input) in fp32 or wider, where an optimisation starts. Raises ModelError if not finite."""
        (blank,) = self.mechanism.encode([self.adapter.blank_input(self.processor)])
        numerics.require_finite(blank.features, f"the encoder's outputs for the blank {self.adapter.noun}")
        return blank.with_features(blank.features.to(self.device, self.wide_dtype))

    def media_inputs(self, questions: Sequence[str], media: Sequence[Any]) -> dict[str, Any]:
        """Return the model's ordinary inputs for one question about each medium, on the model's device.

        Raises:
            DataError: a question has the literal of a special token: the model's own processor would make it one.
        """
        for question in set(questions):
            self.text_tokenizer.require_ordinary(self._renderer(media=True), self._texts(question))
        texts = [self.render(question, media=True) for question in questions]
        inputs = self.adapter.inputs(self.processor, texts, media)
        if not isinstance(inputs, Mapping):
            raise ModelError(
                f"{type(self.adapter).__name__}.inputs returned {describe_value(inputs)}",
                hint="It must return the model's keywords: a dict with input_ids, attention_mask and the media.",
            )
        return {name: self._placed(value) for name, value in inputs.items()}

    def _placed(self, value: Any) -> Any:
        """Return an input on the model's device, and in its dtype if the adapter says so."""
        if not isinstance(value, Tensor):
            return value
        is_cast = self.adapter.casts_media and value.is_floating_point()
        return value.to(self.device, self.dtype) if is_cast else value.to(self.device)

    # --- prompts ------------------------------------------------------------------------------------------------------

    def render(self, question: str, *, media: bool) -> str:
        """Return the chat prompt for `question` as text, with one placeholder if there is a medium.

        Raises:
            ModelError: the checkpoint's chat template fails.
        """
        return self._render(self._texts(question), media)

    def _render(self, texts: Sequence[str], media: bool) -> str:
        question, *system = texts
        turns = [{"role": "system", "content": self._system_content(text)} for text in system]
        chat = [*turns, *self.adapter.conversation(question, media)]
        with template_errors(str(self.model.name_or_path)):
            return self.adapter.chat_text(self.processor, chat)

    def _texts(self, question: str) -> list[str]:
        """Return what people have written in a prompt."""
        return [question, self.system] if self.system else [question]

    def with_system(self, system: str) -> MLLM:
        """Return the same model with a system prompt before every question.

        Raises:
            ModelError: the checkpoint's chat template takes no system prompt.
        """
        mllm = MLLM(self.adapter, self.model, self.processor, system)
        for mllm.system_in_parts in (False, True):  # many templates take both forms, some only one
            if all(system.strip() in mllm.render("?", media=media) for media in (False, True)):
                return mllm
        raise ModelError(
            "the chat template of this checkpoint leaves out the system prompt",
            hint="Give a template that takes one: --chat-template FILE",
        )

    def _system_content(self, text: str) -> str | list[dict[str, str]]:
        return [{"type": "text", "text": text}] if self.system_in_parts else text

    @cached_property
    def text_tokenizer(self) -> TextTokenizer:
        """The tokenizer, so that no placeholder and no other special token comes out of people's text."""
        own = (self.adapter.placeholder, *self.adapter.other_placeholders, self.adapter.end_token(self.processor))
        return TextTokenizer(self.tokenizer, own)

    def prompt_ids(self, question: str, embedding: Embedding | None) -> list[int]:
        """Return the prompt's token ids, with the placeholders for an embedding (None: text only).

        Only the embedding's length and grid matter.

        Raises:
            DataError: a part of the question would become a special token (see `TextTokenizer`).
        """
        return (
            self.chat_ids(question, media=False)
            if embedding is None
            else self.mechanism.prompt_ids(question, embedding)
        )

    def count_placeholders(self, embedding: Embedding) -> int:
        """Return the number of placeholder tokens of an embedding."""
        return self.mechanism.count_placeholders(embedding)

    def chat_ids(self, question: str, *, media: bool, expand: Callable[[str], str] = str) -> list[int]:
        """Return the ids of the chat prompt, as the template writes it; `expand` edits the template's own words."""
        # As a processor does it: a tokenizer with a begin-of-text token adds it unless the template already has.
        return self.text_tokenizer.chat_ids(self._renderer(media), self._texts(question), begin=True, expand=expand)

    def require_question(self, question: str) -> None:
        """Raise DataError if a part of the question would become a special token, with or without a medium."""
        for media in (False, True):
            self.chat_ids(question, media=media)

    def _renderer(self, media: bool) -> Render:
        return lambda texts: self._render(texts, media)

    def answer_ids(self, answer: str) -> list[int]:
        """Return the answer's token ids, with the end token. Raises DataError as `prompt_ids` does."""
        return [*self.text_tokenizer.text_ids(answer), self.end_id]

    def batch(self, prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], width: int = 0) -> Batch:
        """Return prompts with answers, padded on the right to `width` or to the longest (see padding.py)."""
        return right_padded(prompts, answers, self.pad_id, self.device, width)

    # --- injection: LLM(P(E), x) --------------------------------------------------------------------------------------

    def hidden(self, **inputs: Any) -> Tensor:
        """Return the last hidden states of the language model, (batch, length, d_llm), for inputs of the backbone."""
        if self._head_is_inside:
            head: nn.Module = self.model.get_output_embeddings()
            return seam.run_until(head, lambda: self.backbone(**inputs)).to(self.device)
        hidden: Tensor = self.backbone(**inputs).last_hidden_state.to(self.device)
        return hidden

    @cached_property
    def _head_is_inside(self) -> bool:
        """Whether the backbone runs the head as well: a model whose media are merged in its outermost module."""
        return any(module is self.model.get_output_embeddings() for module in self.backbone.modules())

    def logits(self, hidden: Tensor) -> Tensor:
        """Return the logits of hidden states, in fp32 or wider."""
        return self.adapter.logits(self.model, hidden).to(self.device, self.wide_dtype)

    def backbone_inputs(
        self, input_ids: Tensor, attention_mask: Tensor | None, embeddings: Sequence[Embedding]
    ) -> dict[str, Any]:
        """Return the backbone's keywords besides ids, mask and embeddings (see `Adapter.backbone_inputs`)."""
        grids = [embedding.grid for embedding in embeddings]
        return dict(self.adapter.backbone_inputs(self.model, input_ids, attention_mask, grids))

    def project(self, embedding: Embedding) -> Tensor:
        """Return P(E), (n_placeholders, d_llm), with E cast to the projector's dtype."""
        try:
            projected: Tensor = self.projector(embedding.features.to(self.device, self.dtype)[None])
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            raise ModelError(
                f"the projector does not take an embedding of shape {tuple(embedding.features.shape)}: {error}",
                hint="Use an embedding (n_features, d_encoder) that was made for this model.",
            ) from error
        return projected.reshape(-1, projected.shape[-1])

    @contextmanager
    def inject(self, fixed: Sequence[Embedding] = ()) -> Iterator[None]:
        """Run the model on embeddings inside the block (see `seam.inject`)."""
        with self.mechanism.active(), seam.inject(self.backbone, self.mechanism.merge, fixed):
            yield

    def answer_logits(self, batch: Batch, embeddings: Sequence[Embedding] = ()) -> tuple[Tensor, Tensor, Tensor]:
        """Run LLM(P(E), x), teacher-forced, and return the logits of the answer tokens only.

        Returns:
            logits (n_answer_tokens, vocabulary) in fp32 or wider; their target ids; the index in the batch of each.
        """
        media: dict[str, Any] = stack(embeddings) if len(embeddings) else {}
        with self.inject():
            hidden = self.hidden(
                input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False, **media
            )
        index, column = torch.nonzero(batch.labels != IGNORE_INDEX, as_tuple=True)
        # Selected before the head: all logits over a vocabulary of 150,000 would take more memory than the model.
        return self.logits(hidden[index, column - 1]), batch.labels[index, column], index

    def hidden_states(self, ids: Sequence[int], layer: int, embedding: Embedding | None = None) -> Tensor:
        """Return the input of the decoder's layer number `layer`, from 0, for one prompt: (length, d_llm).

        With the graph back to E. That layer and the following are not run. A number past the end means the last layer.
        """
        layers: Any = self.adapter.language_model(self.model).get_submodule("layers")
        batch = torch.tensor([list(ids)], device=self.device)
        media: dict[str, Any] = {} if embedding is None else stack([embedding])

        def run() -> None:
            with self.inject():
                self.backbone(input_ids=batch, attention_mask=torch.ones_like(batch), use_cache=False, **media)

        return seam.run_until(layers[min(layer, len(layers) - 1)], run)[0].to(self.device)

    # --- generation ---------------------------------------------------------------------------------------------------

    def generate(
        self, questions: Sequence[str], embeddings: Sequence[Embedding] | None = None, max_new_tokens: int = 64
    ) -> list[list[int]]:
        """Answer each question greedily, about its embedding if embeddings are given.

        Returns:
            the token ids of each answer, without the end token.
        """
        return generation.generate(self, questions, embeddings, max_new_tokens)

    def decode(
        self,
        prompts: Sequence[Sequence[int]],
        embeddings: Sequence[Embedding],
        max_new_tokens: int,
        logits: bool = False,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Continue each prompt greedily.

        Returns:
            the new ids, (batch, new tokens), padded after the end token; and, if `logits`, the logits of each step,
            (batch, vocabulary).

        Raises:
            ModelError: the logits are not finite numbers: of NaN, the largest is the first token; or the model's
                `generate` needs the medium itself.
        """
        return generation.decode(self, prompts, embeddings, max_new_tokens, logits)

    def greedy_settings(self, max_new_tokens: int) -> AbstractContextManager[Any]:
        """Yield settings for greedy generation, with the checkpoint's own removed inside the block."""
        return generation.greedy_settings(self, max_new_tokens)

    def detokenize(self, ids: Sequence[int]) -> str:
        """Return an answer's text."""
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return text.strip()

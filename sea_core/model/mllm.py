"""A loaded MLLM through the few things SEA asks of it: LLM(P(M(z)), x) and LLM(P(E), x)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from sea_core.errors import ModelError
from sea_core.model import seam
from sea_core.model.adapter import Adapter
from sea_core.model.embedding import Embedding, stack
from sea_core.model.padding import IGNORE_INDEX, Batch, left_padded, right_padded


class MLLM:
    """An adapter, a frozen model and its processor.

    Every way to run the model on an embedding goes through one mechanism, `seam.replaced` at the backbone.
    """

    def __init__(self, adapter: Adapter, model: Any, processor: Any) -> None:
        self.adapter, self.model, self.processor = adapter, model, processor
        self.tokenizer = processor.tokenizer
        self.backbone: nn.Module = adapter.backbone(model)
        self.projector: nn.Module = adapter.projector(model)
        model.requires_grad_(False)
        model.eval()

    @property
    def device(self) -> torch.device:
        return next(self.projector.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The projector's dtype: E is cast to it before it crosses, so E stored in it is the E that was checked."""
        return next(self.projector.parameters()).dtype

    @property
    def wide_dtype(self) -> torch.dtype:
        """What E is trained and logits are compared in: fp32, or the model's own dtype where that is wider."""
        return torch.promote_types(self.dtype, torch.float32)

    @cached_property
    def placeholder_id(self) -> int:
        return self._token_id(self.adapter.placeholder)

    @cached_property
    def end_id(self) -> int:
        return self._token_id(self.adapter.end_token(self.processor))

    @cached_property
    def pad_id(self) -> int:
        pad = self.tokenizer.pad_token_id
        return self.end_id if pad is None else int(pad)

    @cached_property
    def max_length(self) -> int | None:
        """The most tokens the language model holds, if its configuration says so."""
        return getattr(self.adapter.language_model(self.model).config, "max_position_embeddings", None)

    def language_parameters(self) -> list[nn.Parameter]:
        """Return the language model's parameters with its token embeddings and head: all that lies behind P."""
        modules = (self.adapter.language_model(self.model), self.model.get_input_embeddings())
        found = {id(p): p for m in (*modules, self.model.get_output_embeddings()) for p in m.parameters()}
        return list(found.values())

    def _token_id(self, token: str) -> int:
        found = self.tokenizer.convert_tokens_to_ids(token)
        if found is None or (found == self.tokenizer.unk_token_id and token != self.tokenizer.unk_token):
            raise ModelError(
                f"the tokenizer of this checkpoint has no token {token!r}",
                hint="Check the adapter's `placeholder` and `end_token` against the checkpoint's tokenizer.",
            )
        return int(found)

    # --- reading the seam -------------------------------------------------------------------------------------------

    @torch.no_grad()
    def encode(self, media: Sequence[Any]) -> list[Embedding]:
        """Return M(z) for each medium, as the projector received it in an ordinary forward."""
        inputs = self.media_inputs(["?"] * len(media), media)
        with seam.capture(self.projector) as crossed:
            self.backbone(**inputs)
        if len(crossed) != 1:
            raise ModelError(
                f"the projector was called {len(crossed)} times for one batch of {self.adapter.noun}s, expected once",
                hint="Check the adapter's `projector` and `inputs`: the model may have ignored the media.",
            )
        return [e.with_features(e.features.detach().clone()) for e in self._split(crossed[0], inputs, len(media))]

    def encode_with_grad(self, inputs: Mapping[str, Any], count: int = 1) -> list[Embedding]:
        """Return M(z) for the media in ordinary inputs, with the graph back to them; what follows M is not run."""
        return self._split(seam.run_until(self.projector, lambda: self.backbone(**inputs)), inputs, count)

    def _split(self, crossed: Tensor, inputs: Mapping[str, Any], count: int) -> list[Embedding]:
        rows, grids = self.adapter.split(crossed, inputs), self.adapter.grids(inputs, count)
        if not isinstance(rows, list | tuple) or [getattr(e, "ndim", None) for e in rows] != [2] * count:
            raise ModelError(
                f"{type(self.adapter).__name__}.split returned {_shapes(rows)} for {count} {self.adapter.noun}s",
                hint="It must return a list of one tensor (n_rows, d_encoder) for each medium.",
            )
        return [Embedding(e, grid) for e, grid in zip(rows, grids, strict=True)]

    def blank(self) -> Embedding:
        """Return M(blank input) in fp32 (or wider): where every optimisation starts."""
        (blank,) = self.encode([self.adapter.blank_input(self.processor)])
        return blank.with_features(blank.features.to(self.wide_dtype))

    def media_inputs(self, questions: Sequence[str], media: Sequence[Any]) -> dict[str, Any]:
        """Return the ordinary inputs for one question about each medium, on the model's device."""
        texts = [self.render(question, media=True) for question in questions]
        inputs = self.adapter.inputs(self.processor, texts, media)
        if not isinstance(inputs, Mapping):
            raise ModelError(
                f"{type(self.adapter).__name__}.inputs returned {_shapes(inputs)}",
                hint="It must return the model's keywords: a dict with input_ids, attention_mask and the media.",
            )
        return {k: v.to(self.device) if isinstance(v, Tensor) else v for k, v in inputs.items()}

    # --- prompts ----------------------------------------------------------------------------------------------------

    def render(self, question: str, *, media: bool) -> str:
        """Return the chat prompt for `question`, one placeholder in it where there is a medium."""
        chat = self.adapter.conversation(question, media)
        text: str = self.processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        return text

    def prompt_ids(self, question: str, n_features: int | None) -> list[int]:
        """Return the prompt's token ids, with the placeholders for an E of `n_rows` rows (None: plain text)."""
        text = self.render(question, media=n_features is not None)
        if n_features is not None:
            if text.count(self.adapter.placeholder) != 1:
                raise ModelError(
                    f"the chat template put {text.count(self.adapter.placeholder)} placeholders in a prompt with one "
                    f"{self.adapter.noun}",
                    hint="Check the adapter's `placeholder` and `conversation` against the checkpoint's chat template.",
                )
            text = text.replace(
                self.adapter.placeholder, self.adapter.placeholder * self.adapter.placeholders(n_features)
            )
        # As the processor does it: a tokenizer with a token that begins a text puts it there, if the template did not.
        begin = self.tokenizer.bos_token
        ids: list[int] = self.tokenizer(text, add_special_tokens=not (begin and text.startswith(begin)))["input_ids"]
        return ids

    def answer_ids(self, answer: str) -> list[int]:
        """Return the answer's token ids, closed by the end token."""
        return [*self.tokenizer(answer, add_special_tokens=False)["input_ids"], self.end_id]

    def batch(self, prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], width: int = 0) -> Batch:
        """Return prompt + answer rows, padded on the right to `width` or the longest (see batch.py)."""
        return right_padded(prompts, answers, self.pad_id, self.device, width)

    # --- replacing what crosses the seam ----------------------------------------------------------------------------

    def splice(
        self, input_ids: Tensor, attention_mask: Tensor | None, embeddings: Sequence[Embedding]
    ) -> dict[str, Any] | None:
        """Return the backbone's keywords with P(E) merged into the token embeddings, (rows, length, d_llm).

        None where no row has a placeholder. The embeddings follow the rows that have placeholders, in order. Raises
        ModelError when a row's placeholders do not fit its embedding: the library compares only the totals of a
        batch, so a shift between two rows would pass in silence.
        """
        places = input_ids == self.placeholder_id
        per_row = [n for n in places.sum(1).tolist() if n]
        if not per_row:
            return None
        expected = [self.adapter.placeholders(len(e)) for e in embeddings]
        if per_row != expected:
            raise ModelError(
                f"the prompts have {per_row} placeholders, the embeddings need {expected}",
                hint="Make each prompt for its embedding: prompt_ids(question, len(embedding)).",
            )
        merged: Tensor = self.model.get_input_embeddings()(input_ids)
        projected = torch.cat([self.project(e) for e in embeddings]).to(merged.dtype)
        if projected.shape != (sum(expected), merged.shape[-1]):
            raise ModelError(
                f"the projector gives {tuple(projected.shape)}, but {sum(expected)} placeholders of width "
                f"{merged.shape[-1]} wait for it",
                hint="Check the adapter's `projector` and `placeholders`.",
            )
        spliced = {"input_ids": None, "inputs_embeds": merged.masked_scatter(places[..., None], projected)}
        positions = self.adapter.position_ids(self.model, input_ids, attention_mask, [e.grid for e in embeddings])
        return spliced if positions is None else spliced | {"position_ids": positions}

    def project(self, embedding: Embedding) -> Tensor:
        """Return P(E): (n_placeholders, d_llm). The embedding is cast to the projector's dtype first."""
        try:
            projected: Tensor = self.projector(embedding.features.to(self.device, self.dtype)[None])
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            raise ModelError(
                f"the projector does not take an embedding of shape {tuple(embedding.features.shape)}: {error}",
                hint="An embedding fits the model that made it: give that one, or (n_rows, d_encoder) of this one.",
            ) from error
        return projected.reshape(-1, projected.shape[-1])

    @contextmanager
    def inject(self, fixed: Sequence[Embedding] = ()) -> Iterator[None]:
        """Open the projector-forward override on this model (see `seam.replaced`)."""
        with seam.inject(self.backbone, self.splice, fixed):
            yield

    def answer_logits(self, batch: Batch, embeddings: Sequence[Embedding] = ()) -> tuple[Tensor, Tensor, Tensor]:
        """Run LLM(P(E), x) and return the logits at the answer tokens only, teacher forced.

        Returns:
            logits (n_answer_tokens, vocabulary) in fp32 (or wider), their target ids, and the row that each belongs to.
        """
        media: dict[str, Any] = stack(embeddings) if len(embeddings) else {}
        with self.inject():
            hidden = self.backbone(
                input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False, **media
            ).last_hidden_state
        row, column = torch.nonzero(batch.labels != IGNORE_INDEX, as_tuple=True)
        # Picked before the head: full logits over a 150,000-word vocabulary would cost more memory than the model.
        logits = self.model.get_output_embeddings()(hidden[row, column - 1])
        return logits.to(self.wide_dtype), batch.labels[row, column], row

    def hidden_states(self, ids: Sequence[int], layer: int, embedding: Embedding | None = None) -> Tensor:
        """Return the hidden states of one prompt's tokens as the decoder's layer number `layer` receives them.

        (length, d_llm), with the graph back to E. The layers from there on are not run; `layer` is at most the last.
        """
        layers: Any = self.adapter.language_model(self.model).get_submodule("layers")
        row = torch.tensor([list(ids)], device=self.device)
        media: dict[str, Any] = stack([embedding]) if embedding else {}

        def run() -> None:
            with self.inject():
                self.backbone(input_ids=row, attention_mask=torch.ones_like(row), use_cache=False, **media)

        return seam.run_until(layers[min(layer, len(layers) - 1)], run)[0]

    @torch.no_grad()
    def generate(
        self, questions: Sequence[str], embeddings: Sequence[Embedding] | None = None, max_new_tokens: int = 64
    ) -> list[list[int]]:
        """Answer each question greedily, about its embedding where there are some. Returns ids without the end token.

        The checkpoint's own generation settings (sampling, penalties) are put aside: figures must not depend on them.
        """
        lengths = [None] * len(questions) if embeddings is None else [len(e) for e in embeddings]
        prompts = [self.prompt_ids(q, n) for q, n in zip(questions, lengths, strict=True)]
        answers = self.decode(prompts, embeddings or (), max_new_tokens)[0].tolist()
        return [a[: a.index(self.end_id)] if self.end_id in a else a for a in answers]

    @torch.no_grad()
    def decode(
        self,
        prompts: Sequence[Sequence[int]],
        embeddings: Sequence[Embedding],
        max_new_tokens: int,
        logits: bool = False,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Decode greedily behind each prompt.

        Returns:
            the new ids (rows, new tokens), padded behind the end token; and, where `logits` asks for them, the model's
            logits of each step, (rows, vocabulary).
        """
        ids, mask = left_padded(prompts, self.pad_id, self.device)
        positions = self.adapter.position_ids(self.model, ids, mask, [e.grid for e in embeddings])
        # The library counts on from the prompt's positions, which it would otherwise take for plain text's.
        told = {} if positions is None else {"position_ids": positions}
        with self.inject(embeddings), self.greedy_settings(max_new_tokens) as settings:
            settings.return_dict_in_generate, settings.output_logits = True, logits
            out = self.model.generate(input_ids=ids, attention_mask=mask, generation_config=settings, **told)
        return out.sequences[:, ids.shape[1] :], out.logits or ()

    @contextmanager
    def greedy_settings(self, max_new_tokens: int) -> Iterator[Any]:
        """Open greedy generation: put the checkpoint's own settings aside, which would fill every gap in ours."""
        from transformers import GenerationConfig

        own, settings = (
            self.model.generation_config,
            GenerationConfig(
                do_sample=False,
                max_new_tokens=max_new_tokens,
                eos_token_id=self.end_id,
                pad_token_id=self.pad_id,
                suppress_tokens=[self.placeholder_id],  # said by the model, it would ask for an embedding
            ),
        )
        self.model.generation_config = settings
        try:
            yield settings
        finally:
            self.model.generation_config = own

    def detokenize(self, ids: Sequence[int]) -> str:
        """Decode an answer."""
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return text.strip()


def _shapes(found: object) -> str:
    """Say what a method returned: shapes where there are some, types elsewhere."""
    if isinstance(found, list | tuple):
        return f"a list of {', '.join(map(_shapes, found)) or 'nothing'}"
    return str(tuple(found.shape)) if isinstance(found, Tensor) else f"an object of type {type(found).__name__}"

"""Splice: P(E) in place of the placeholders' token embeddings, which is all that most models do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from sea_core.errors import ModelError, describe_value
from sea_core.model import seam
from sea_core.model.embedding import Embedding
from sea_core.model.mechanism import Mechanism


class Splice(Mechanism):
    """E is the first argument of the projector. Media of several sizes, and plain text, share a batch."""

    name = "splice"
    is_exact = False
    mixes_batches = True

    def projectors(self) -> list[nn.Module]:
        return [self.mllm.adapter.projector(self.mllm.model)]

    def encoder_parameters(self) -> list[nn.Parameter]:
        others = {id(p) for p in (*self.mllm.projector.parameters(), *self.mllm.language_parameters())}
        return [p for p in self.mllm.model.parameters() if id(p) not in others]

    def encode(self, media: Sequence[Any]) -> list[Embedding]:
        inputs = self.mllm.media_inputs(["?"] * len(media), media)
        parts = self._split(self.crossed(inputs), inputs, len(media))
        return [e.with_features(e.features.detach().clone()) for e in parts]

    def encode_with_grad(self, inputs: Mapping[str, Any], count: int) -> list[Embedding]:
        crossed = seam.run_until(self.mllm.projector, lambda: self.mllm.backbone(**inputs))
        return self._split(crossed, inputs, count)

    def crossed(self, inputs: Mapping[str, Any]) -> Tensor:
        """Return the first argument of the projector. Raises ModelError unless it is called once."""
        decoder = self.mllm.adapter.language_model(self.mllm.model)
        captured = seam.crossing_tensors(self.mllm.projector, decoder, lambda: self.mllm.backbone(**inputs))
        if len(captured) != 1:
            raise ModelError(
                f"the projector was called {len(captured)} times for one batch of {self.mllm.adapter.noun}s, expected "
                "once",
                hint="Check the adapter's `projector` and `inputs`: the model may have ignored the media.",
            )
        return captured[0]

    def swapped(self, crossed: Tensor) -> AbstractContextManager[None]:
        return seam.replace(self.mllm.projector, crossed)

    def prompt_ids(self, question: str, embedding: Embedding) -> list[int]:
        count = self.count_placeholders(embedding)
        return self.mllm.chat_ids(question, media=True, expand=lambda text: self._with_placeholders(text, count))

    def count_placeholders(self, embedding: Embedding) -> int:
        return self.mllm.adapter.placeholders(len(embedding))

    def inputs_for(
        self, input_ids: Tensor, attention_mask: Tensor | None, embeddings: Sequence[Embedding]
    ) -> dict[str, Any]:
        """Return the keywords with P(E) merged into the token embeddings, (batch, length, d_llm)."""
        mllm, is_placeholder = self.mllm, input_ids == self.mllm.placeholder_id
        # Some families' placeholders have ids outside the table; these rows are replaced in any case.
        tokens: Tensor = mllm.model.get_input_embeddings()(input_ids.masked_fill(is_placeholder, 0))
        projected = torch.cat([mllm.project(e) for e in embeddings]).to(tokens)
        expected = int(is_placeholder.sum())
        if projected.shape != (expected, tokens.shape[-1]):
            raise ModelError(
                f"the projector gives {tuple(projected.shape)}, but there are {expected} placeholders of width "
                f"{tokens.shape[-1]}",
                hint="Check the adapter's `projector` and `placeholders`.",
            )
        merged = tokens.masked_scatter(is_placeholder[..., None].to(tokens.device), projected)
        return {
            "input_ids": None,
            "inputs_embeds": merged,
            **mllm.backbone_inputs(input_ids, attention_mask, embeddings),
        }

    def generation_inputs(self, input_ids: Tensor, mask: Tensor, embeddings: Sequence[Embedding]) -> dict[str, Any]:
        return self.mllm.backbone_inputs(input_ids, mask, embeddings)

    def prepare(self, embeddings: Sequence[Embedding]) -> None:
        """Do nothing: a batch of any sizes needs no pass of its own."""

    def _split(self, crossed: Tensor, inputs: Mapping[str, Any], count: int) -> list[Embedding]:
        """Return what crossed the seam as one embedding for each medium."""
        adapter = self.mllm.adapter
        parts, grids = adapter.split(crossed, inputs), adapter.grids(inputs, count)
        if not isinstance(parts, list | tuple) or [getattr(part, "ndim", None) for part in parts] != [2] * count:
            raise ModelError(
                f"{type(adapter).__name__}.split returned {describe_value(parts)} for {count} {adapter.noun}s",
                hint="It must return a list of one tensor (n_features, d_encoder) for each medium.",
            )
        return [Embedding(features, grid) for features, grid in zip(parts, grids, strict=True)]

    def _with_placeholders(self, text: str, count: int) -> str:
        """Repeat the one placeholder of a rendered prompt `count` times."""
        placeholder = self.mllm.adapter.placeholder
        if (found := text.count(placeholder)) != 1:
            raise ModelError(
                f"the chat template put {found} placeholders in a prompt with one {self.mllm.adapter.noun}",
                hint="Check the adapter's `placeholder` and `conversation` against the chat template. If it writes "
                "another mark, which the processor replaces, override `replay` (docs/how-to/port-a-family.md).",
            )
        return text.replace(placeholder, placeholder * count)

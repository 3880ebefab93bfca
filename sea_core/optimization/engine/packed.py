"""All goals of an embedding in one sequence: [prefix][media][question, answer][question, answer]...

The media, by far the most tokens, are computed once for all goals, and the prefix once for the whole job. A block mask
keeps each goal's text from seeing the others', and its positions start again behind the media, so that every goal sees
what it would see alone. Only the answers' tokens reach the head; what else can be left out is in lean.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.forward import ForwardStrategy, Shape, padded_length
from sea_core.optimization.engine.pruned_attention import TextOnlyLastLayer, pruned
from sea_core.optimization.engine.types import OptimizationTask


class PackingNotSupported(Exception):
    """The rows cannot share a sequence, and why. Never shown: the plain forward is used, and says so."""


@dataclass(frozen=True)
class Layout:
    """What batches of one shape share: `mask` (1, 1, queries, keys), additive, and `positions` (..., 1, queries)."""

    mask: Tensor
    positions: Tensor


@dataclass(frozen=True)
class PackedBatch:
    """Tasks of one shape: the embedded texts behind the media (tasks, length, d_llm), and where in them answers are
    read."""

    layout: Layout
    text: Tensor
    slot: Tensor
    column: Tensor


class Packed(ForwardStrategy):
    """One packed sequence for each embedding. `inline` keeps the prefix in it, instead of its keys and values.

    Raises:
        Unpackable: the prompts differ before the media, or the attention takes no block mask.
    """

    name = "packed"

    def __init__(self, mllm: MLLM, start: Embedding, tasks: Sequence[OptimizationTask]) -> None:
        super().__init__(mllm, start)
        self.decoder: Any = mllm.adapter.language_model(mllm.model)
        self.media = mllm.adapter.placeholders(len(start))
        self.prefix = self._common_prefix(tasks)
        self._layouts: dict[Shape, Layout] = {}
        attention = getattr(self.decoder.config, "_attn_implementation", None)
        if attention not in ("sdpa", "eager"):
            raise PackingNotSupported(f"its attention is {attention}, which takes no block mask")
        self.inline = not self.prefix
        self._prefix_kv = [] if self.inline else self._keys_and_values()
        self._run: Any = self.decoder
        self._last = TextOnlyLastLayer.of(self.decoder, self.media)
        self.kv_only = self.media if self._last else 0

    def shape(self, task: OptimizationTask) -> Shape:
        return tuple(padded_length(len(text)) for text in self._texts(task))

    def tokens(self, task: OptimizationTask) -> int:
        return self._lead() + self.media + sum(self.shape(task))

    def prepare_batch(self, tasks: Sequence[OptimizationTask]) -> PackedBatch:
        shape, device = self.shape(tasks[0]), self.mllm.device
        ids = torch.full((len(tasks), sum(shape)), self.mllm.pad_id)
        slots: list[int] = []
        columns: list[int] = []
        for slot, task in enumerate(tasks):
            begin = 0
            for text, answer, room in zip(self._texts(task), task.answers, shape, strict=True):
                ids[slot, begin : begin + len(text)] = torch.tensor(text)
                end = begin + len(text) - 1  # the last token predicts nothing
                columns += range(end - len(answer), end)
                slots += [slot] * len(answer)
                begin += room
        with torch.no_grad():
            text_embeds = self.mllm.model.get_input_embeddings()(ids.to(device))
        where = torch.tensor([slots, columns], device=device)
        return PackedBatch(self._layout(shape), text_embeds, *where)

    def logits(self, seated: Any, embeddings: Sequence[Tensor]) -> Tensor:
        text = seated.text
        media = torch.stack([self.mllm.project(self.start.with_features(rows)) for rows in embeddings]).to(text.dtype)
        before = [self._embedded_prefix().expand(len(media), -1, -1)] if self.inline and self.prefix else []
        with self._pruned():
            hidden = self._run(
                inputs_embeds=torch.cat([*before, media, text], dim=1),
                attention_mask=seated.layout.mask,
                position_ids=seated.layout.positions,
                past_key_values=self._cache(len(media)),
                use_cache=False,
            ).last_hidden_state[:, -text.shape[1] :]
        logits: Tensor = self.mllm.model.get_output_embeddings()(hidden[seated.slot, seated.column])
        return logits.to(self.mllm.wide_dtype)

    def compile(self) -> None:
        """Compile the decoder. Lengths are padded, so that one graph serves all rows of a shape."""
        self._run = torch.compile(self.decoder)

    def enable_checkpointing(self) -> None:
        # A layer that is recomputed drops the cache: the prefix goes through it again, and the media to its end.
        super().enable_checkpointing()
        self.inline, self._prefix_kv, self.kv_only = True, [], 0
        self._layouts.clear()

    def _pruned(self) -> AbstractContextManager[None]:
        return nullcontext() if self.checkpointing else pruned(self.decoder, self._last)

    # --- the layout -------------------------------------------------------------------------------------------------

    def _common_prefix(self, tasks: Sequence[OptimizationTask]) -> list[int]:
        """Return the ids before the media, after checking that they and the media are the same in every prompt."""
        image = self.mllm.placeholder_id
        first = tasks[0].prompts[0]
        prefix = first[: first.index(image)] if image in first else first
        opening = [*prefix, *[image] * self.media]
        for task in tasks:
            for prompt in task.prompts:
                if prompt[: len(opening)] != opening or image in prompt[len(opening) :]:
                    raise PackingNotSupported(
                        f"the prompts differ before or within the {self.mllm.adapter.noun} (row {task.id})"
                    )
                if len(prompt) == len(opening):
                    raise PackingNotSupported(f"nothing stands between the {self.mllm.adapter.noun} and the answer")
        return prefix

    def _texts(self, task: OptimizationTask) -> list[list[int]]:
        """Return, for each goal, what comes behind the media."""
        behind = len(self.prefix) + self.media
        return [[*p[behind:], *a] for p, a in zip(task.prompts, task.answers, strict=True)]

    def _lead(self) -> int:
        """Return how many tokens of the prefix stand in the sequence itself."""
        return len(self.prefix) if self.inline else 0

    def _layout(self, shape: Shape) -> Layout:
        if shape not in self._layouts:
            cached = len(self.prefix) - self._lead()
            # Whose token it is: 0 for all goals', then the first goal's, the second's...
            owner = torch.cat([torch.full((n,), i) for i, n in enumerate((len(self.prefix) + self.media, *shape))])
            order = torch.arange(len(owner))
            seen = (order[:, None] >= order) & ((owner == 0) | (owner[:, None] == owner))
            seen = seen[cached:]  # the cached prefix has keys, and asks nothing
            # Additive, in the model's dtype: eager attention would add a boolean one as 0 and 1, without a word.
            mask = torch.zeros(seen.shape, dtype=self.mllm.dtype).masked_fill_(~seen, torch.finfo(self.mllm.dtype).min)
            positions = self._positions(max(shape))
            behind = len(self.prefix) + self.media
            parts = [positions[..., cached:behind], *(positions[..., behind : behind + n] for n in shape)]
            self._layouts[shape] = Layout(mask[None, None].to(self.mllm.device), torch.cat(parts, dim=-1))
        return self._layouts[shape]

    def _positions(self, longest: int) -> Tensor:
        """Return the positions of one goal alone, as the family counts them: (..., 1, length)."""
        mllm = self.mllm
        ids = [*self.prefix, *[mllm.placeholder_id] * self.media, *[mllm.end_id] * longest]
        row = torch.tensor([ids], device=mllm.device)
        positions = mllm.adapter.position_ids(mllm.model, row, torch.ones_like(row), [self.start.grid])
        return torch.arange(len(ids), device=mllm.device)[None] if positions is None else positions

    # --- the prefix -------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def _embedded_prefix(self) -> Tensor:
        embedded: Tensor = self.mllm.model.get_input_embeddings()(torch.tensor([self.prefix], device=self.mllm.device))
        return embedded

    @torch.no_grad()
    def _keys_and_values(self) -> list[tuple[Tensor, Tensor]]:
        """Run the prefix once; return each layer's keys and values."""
        from transformers import DynamicCache

        cache = DynamicCache()
        self.decoder(
            inputs_embeds=self._embedded_prefix(),
            position_ids=self._positions(1)[..., : len(self.prefix)],
            past_key_values=cache,
            use_cache=True,
        )
        return [(layer.keys, layer.values) for layer in cache.layers]

    def _cache(self, rows: int) -> Any:
        """Return a fresh cache for so many rows: the library appends to a cache in place."""
        from transformers import DynamicCache

        if self.checkpointing:
            return None
        return DynamicCache([(k.expand(rows, -1, -1, -1), v.expand(rows, -1, -1, -1)) for k, v in self._prefix_kv])

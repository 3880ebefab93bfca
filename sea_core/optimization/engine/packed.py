"""All goals of an embedding in one sequence: [prefix][media][question, answer][question, answer]...

The media, by far the most tokens, are computed once for all goals, and the prefix once for the whole run. A block mask
keeps each goal's text from attending to the others', and its positions start again after the media, so every goal gets
what it would get in a sequence of its own. Only the answer tokens reach the head; pruned_attention.py leaves out more.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sea_core.errors import ModelError
from sea_core.model.device_error import is_out_of_memory
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.attention_op import aligned
from sea_core.optimization.engine.forward import ForwardStrategy, Shape
from sea_core.optimization.engine.packed_texts import pack_texts, text_lengths
from sea_core.optimization.engine.pruned_attention import TextOnlyLastLayer, pruned
from sea_core.optimization.engine.types import OptimizationTask

if TYPE_CHECKING:
    from sea_core.optimization.engine.compiled_layers import CompiledLayers


class PackingNotSupported(ModelError):
    """The goals cannot share a sequence; the message says why. Another strategy is used instead."""

    def __init__(self, what: str) -> None:
        super().__init__(what, hint="Type -o packed=false to use one sequence per goal (about half as fast).")


@dataclass(frozen=True)
class Layout:
    """What batches of one shape share.

    Attributes:
        mask: additive attention mask, (1, 1, queries, keys).
        positions: position ids, (..., 1, queries).
    """

    mask: Tensor
    positions: Tensor


@dataclass(frozen=True)
class PackedBatch:
    """Tasks of one shape.

    Attributes:
        text: token embeddings of the texts after the media, (tasks, length, d_llm).
        index, column: of each answer token, the task and the position in its text that predicts it.
    """

    layout: Layout
    text: Tensor
    index: Tensor
    column: Tensor


class Packed(ForwardStrategy):
    """One packed sequence per task.

    Attributes:
        n_media: placeholder positions of the medium.
        prefix: token ids before the medium, the same in every prompt.
        inline_prefix: whether the prefix is part of each sequence; otherwise its keys and values are cached.

    Raises:
        PackingNotSupported: the prompts differ before the media, or the attention does not accept a block mask.
    """

    name = "packed"

    def __init__(self, mllm: MLLM, start: Embedding, tasks: Sequence[OptimizationTask]) -> None:
        super().__init__(mllm, start)
        if mllm.replayed:
            raise PackingNotSupported("the model's own forward is replayed, one sequence per goal")
        self.decoder: Any = mllm.adapter.language_model(mllm.model)
        self.n_media = mllm.adapter.placeholders(len(start))
        self.prefix = self._common_prefix(tasks)
        self._layouts: dict[Shape, Layout] = {}
        attention = getattr(self.decoder.config, "_attn_implementation", None)
        if attention not in ("sdpa", "eager"):
            raise PackingNotSupported(f"its attention is {attention}, which accepts no block mask")
        self._require_positions_only(tasks[0])
        self.inline_prefix = not self.prefix
        self._prefix_kv = [] if self.inline_prefix else self._compute_prefix_kv()
        self._compiled_layers: CompiledLayers | None = None
        self._last_layer = TextOnlyLastLayer.wrap(self.decoder, self.n_media)
        self.kv_only = self.n_media if self._last_layer else 0

    def shape(self, task: OptimizationTask) -> Shape:
        return text_lengths(task, self._n_shared)

    def tokens(self, task: OptimizationTask) -> int:
        return self._n_inline() + self.n_media + sum(self.shape(task))

    def prepare_batch(self, tasks: Sequence[OptimizationTask]) -> PackedBatch:
        texts = pack_texts(self.mllm, tasks, self._n_shared)
        with torch.no_grad():
            text_embeds = self.mllm.model.get_input_embeddings()(texts.ids)
        return PackedBatch(self._layout(self.shape(tasks[0])), text_embeds, texts.index, texts.column)

    def logits(self, batch: PackedBatch, embeddings: Sequence[Tensor]) -> Tensor:
        if self._compiled_layers is None:
            return self._logits(batch, embeddings)
        from sea_core.optimization.engine.compiled_layers import COMPILE_ERRORS, describe_compile_error

        try:
            return self._logits_compiled(self._compiled_layers, batch, embeddings)
        except COMPILE_ERRORS as error:
            if is_out_of_memory(error):
                raise
            self.stop_compiling(describe_compile_error(error))
            return self._logits(batch, embeddings)

    def compile(self) -> None:
        """Compile the decoder's layers; one graph serves all batches. It is made in the next step.

        Raises:
            CompileNotSupported: this decoder cannot be compiled so.
        """
        from sea_core.optimization.engine.compiled_layers import CompiledLayers, CompileNotSupported

        if self.checkpointing:
            raise CompileNotSupported("its layers are recomputed to save memory")
        self._compiled_layers, self.compiled = CompiledLayers(self.decoder, self._prefix_kv), True

    def stop_compiling(self, reason: str) -> None:
        """Go on without compiled layers; `reason` says why, for people."""
        self._compiled_layers, self.compiled, self.compile_reason = None, False, reason

    def _logits(self, batch: PackedBatch, embeddings: Sequence[Tensor]) -> Tensor:
        projected = [self.mllm.project(self.start.with_features(features)) for features in embeddings]
        media = torch.stack(projected).to(batch.text)
        inline = self.inline_prefix and self.prefix
        before = [self._prefix_embeds().expand(len(media), -1, -1)] if inline else []
        with self._pruned():
            hidden = self.decoder(
                inputs_embeds=torch.cat([*before, media, batch.text], dim=1),
                attention_mask=batch.layout.mask,
                position_ids=batch.layout.positions,
                past_key_values=self._new_cache(len(media)),
                use_cache=False,
            ).last_hidden_state[:, -batch.text.shape[1] :]
        return self.mllm.logits(hidden.to(self.mllm.device)[batch.index, batch.column])

    def _logits_compiled(self, layers: CompiledLayers, batch: PackedBatch, embeddings: Sequence[Tensor]) -> Tensor:
        """Run the compiled layers, always with gradients: without, torch would compile a second graph."""
        with torch.enable_grad(), layers.installed():
            tracked = [e if e.requires_grad else e.detach().requires_grad_() for e in embeddings]
            logits = self._logits(batch, tracked)
        return logits if torch.is_grad_enabled() else logits.detach()

    def enable_checkpointing(self) -> None:
        # A recomputed layer ignores the cache: the prefix becomes part of the sequence, and no position is kv_only.
        super().enable_checkpointing()
        if self.compiled:
            self.stop_compiling("its layers are recomputed to save memory")
        self.inline_prefix, self._prefix_kv, self.kv_only = True, [], 0
        self._layouts.clear()

    def _pruned(self) -> AbstractContextManager[None]:
        if self.checkpointing:
            return nullcontext()
        # On a GPU one kernel for the whole attention writes less, and takes no longer.
        return pruned(self.decoder, self._last_layer, in_blocks=self.mllm.device.type == "cpu")

    # --- the layout -------------------------------------------------------------------------------------------------

    def _common_prefix(self, tasks: Sequence[OptimizationTask]) -> list[int]:
        """Return the ids before the media, after checking that they and the media are the same in every prompt."""
        placeholder, noun = self.mllm.placeholder_id, self.mllm.adapter.noun
        first = tasks[0].prompts[0]
        prefix = first[: first.index(placeholder)] if placeholder in first else first
        opening = [*prefix, *[placeholder] * self.n_media]
        for task in tasks:
            for prompt in task.prompts:
                if prompt[: len(opening)] != opening or placeholder in prompt[len(opening) :]:
                    raise PackingNotSupported(f"the prompts differ before or within the {noun} (example {task.id})")
                if len(prompt) == len(opening):
                    raise PackingNotSupported(f"there is no text between the {noun} and the answer")
        return prefix

    def _require_positions_only(self, task: OptimizationTask) -> None:
        """Check that the decoder needs nothing that a packed sequence does not carry."""
        layers = getattr(self.decoder.config, "layer_types", None) or ()
        if any(kind not in ("full_attention", "attention") for kind in layers):
            kinds = " and ".join(sorted({kind.replace("_", " ") for kind in layers}))
            raise PackingNotSupported(f"its layers have {kinds}, and a packed sequence has one mask for all")
        ids = torch.tensor([task.prompts[0]], device=self.mllm.device)
        more = self.mllm.backbone_inputs(ids, torch.ones_like(ids), [self.start]).keys() - {"position_ids"}
        if more:
            names = " and ".join(sorted(more))
            raise PackingNotSupported(f"its backbone takes {names}, which a packed sequence does not carry")

    @property
    def _n_shared(self) -> int:
        """How many positions all goals share: prefix and media."""
        return len(self.prefix) + self.n_media

    def _n_inline(self) -> int:
        """Return how many tokens of the prefix are part of the sequence itself."""
        return len(self.prefix) if self.inline_prefix else 0

    def _layout(self, shape: Shape) -> Layout:
        if shape not in self._layouts:
            self._layouts[shape] = Layout(self._block_mask(shape), self._packed_positions(shape))
        return self._layouts[shape]

    def _block_mask(self, shape: Shape) -> Tensor:
        """Return the mask under which a goal's text attends to prefix, media and itself, but to no other goal."""
        # The goal that a token belongs to, from 1; 0 for what all goals share.
        owner = torch.cat([torch.full((n,), goal) for goal, n in enumerate((self._n_shared, *shape))])
        order = torch.arange(len(owner))
        visible = (order[:, None] >= order) & ((owner == 0) | (owner[:, None] == owner))
        visible = visible[len(self.prefix) - self._n_inline() :]  # the cached prefix has keys, but no queries
        # Additive, in the model's dtype: eager attention would silently add a boolean mask as 0 and 1.
        dtype = self.mllm.dtype
        mask = torch.zeros(visible.shape, dtype=dtype).masked_fill_(~visible, torch.finfo(dtype).min)
        return aligned(mask[None, None].to(self.mllm.device))

    def _packed_positions(self, shape: Shape) -> Tensor:
        """Return the position ids of a packed sequence: those of each text start again after the media."""
        positions = self._positions(max(shape))
        n_cached, n_shared = len(self.prefix) - self._n_inline(), self._n_shared
        parts = [positions[..., n_cached:n_shared], *(positions[..., n_shared : n_shared + n] for n in shape)]
        return torch.cat(parts, dim=-1)

    def _positions(self, longest: int) -> Tensor:
        """Return the position ids of prefix, media and one text, as the family counts them: (..., 1, length)."""
        mllm = self.mllm
        ids = [*self.prefix, *[mllm.placeholder_id] * self.n_media, *[mllm.end_id] * longest]
        batch = torch.tensor([ids], device=mllm.device)
        positions = mllm.adapter.position_ids(mllm.model, batch, torch.ones_like(batch), [self.start.grid])
        return torch.arange(len(ids), device=mllm.device)[None] if positions is None else positions

    # --- the prefix -------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def _prefix_embeds(self) -> Tensor:
        ids = torch.tensor([self.prefix], device=self.mllm.device)
        embeds: Tensor = self.mllm.model.get_input_embeddings()(ids)
        return embeds

    @torch.no_grad()
    def _compute_prefix_kv(self) -> list[tuple[Tensor, Tensor]]:
        """Run the prefix once; return each layer's keys and values."""
        from transformers import DynamicCache

        cache = DynamicCache()
        self.decoder(
            inputs_embeds=self._prefix_embeds(),
            position_ids=self._positions(1)[..., : len(self.prefix)],
            past_key_values=cache,
            use_cache=True,
        )
        return [(layer.keys, layer.values) for layer in cache.layers]

    def _new_cache(self, batch_size: int) -> Any:
        """Return a new cache with the prefix, because transformers appends to a cache in place."""
        from transformers import DynamicCache

        if self.checkpointing:
            return None
        expanded = [(k.expand(batch_size, -1, -1, -1), v.expand(batch_size, -1, -1, -1)) for k, v in self._prefix_kv]
        return DynamicCache(expanded)

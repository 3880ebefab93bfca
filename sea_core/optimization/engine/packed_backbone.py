"""All goals of an embedding in one sequence, through the backbone's own forward pass.

`packed.py` runs the decoder alone, on what every decoder takes. Here the model itself prepares its decoder's inputs, so
that features for several layers, inputs of each layer, token types and cross attention are carried. Its layers would
take the packed sequence for one long text. So each of them is given, for each token, what it is given for that token
in a sequence of the token's own goal: positions, and masks of any kind. Both are read from the model, not invented.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from sea_core.model.device_error import is_out_of_memory
from sea_core.model.embedding import Embedding, stack
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.forward import ForwardStrategy, Shape
from sea_core.optimization.engine.layer_inputs import LayerInputs, Spans, given, pack_inputs, recorded
from sea_core.optimization.engine.packed import PackingNotSupported
from sea_core.optimization.engine.packed_texts import PackedTexts, pack_texts, text_lengths
from sea_core.optimization.engine.types import OptimizationTask

MASKED_LAYERS = {"full_attention", "attention", "sliding_attention", "chunked_attention"}
"""The types of layers in which a mask keeps the goals apart; a recurrent layer reads all tokens in their order."""
MAX_LAYOUTS = 16
"""Shapes whose masks are kept."""
MODEL_ERRORS = (RuntimeError, ValueError, TypeError, IndexError, KeyError, AttributeError)
"""What a model may raise for a sequence that it is not made for."""


@dataclass(frozen=True)
class PackedSequence:
    """Tasks of one shape: their token ids, (tasks, length), and what each layer is given in place of its own."""

    ids: Tensor
    texts: PackedTexts
    inputs: list[LayerInputs]


class PackedBackbone(ForwardStrategy):
    """One packed sequence per task.

    Attributes:
        decoder: the language model, whose layers are given what belongs to each goal.
        opening: the token ids with which all prompts begin, the medium's included.

    Raises:
        PackingNotSupported: the prompts differ before the medium's end, or the layers do not separate goals by masks.
    """

    name = "packed-backbone"

    def __init__(self, mllm: MLLM, start: Embedding, tasks: Sequence[OptimizationTask]) -> None:
        super().__init__(mllm, start)
        self.decoder: Any = mllm.adapter.language_model(mllm.model)
        self.layers = self._masked_layers()
        self.opening = self._common_opening(tasks)
        self._inputs = lru_cache(MAX_LAYOUTS)(self._pack_inputs)

    def shape(self, task: OptimizationTask) -> Shape:
        return text_lengths(task, len(self.opening))

    def tokens(self, task: OptimizationTask) -> int:
        return len(self.opening) + sum(self.shape(task))

    def prepare_batch(self, tasks: Sequence[OptimizationTask]) -> PackedSequence:
        texts = pack_texts(self.mllm, tasks, len(self.opening))
        opening = torch.tensor([self.opening] * len(tasks), device=self.mllm.device)
        return PackedSequence(torch.cat([opening, texts.ids], dim=1), texts, self._inputs(self.shape(tasks[0])))

    def logits(self, batch: PackedSequence, embeddings: Sequence[Tensor]) -> Tensor:
        # A pass that is recorded on the way has another length, and must not be given these inputs.
        self.mllm.mechanism.prepare([self.start] * len(embeddings))
        with given(self.layers, batch.inputs):
            hidden = self._run(batch.ids, embeddings)
        texts = batch.texts
        return self.mllm.logits(hidden[:, len(self.opening) :][texts.index, texts.column])

    def _run(self, ids: Tensor, embeddings: Sequence[Tensor]) -> Tensor:
        """Run the backbone on sequences of one embedding each, and return its last hidden states."""
        media = stack([self.start.with_features(features) for features in embeddings])
        try:
            with self.mllm.inject():
                return self.mllm.hidden(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False, **media)
        except MODEL_ERRORS as error:
            if is_out_of_memory(error):
                raise
            problem = (str(error) or type(error).__name__).splitlines()[0]
            raise PackingNotSupported(f"its forward pass fails on a packed sequence: {problem}") from error

    # --- what can be packed -----------------------------------------------------------------------------------------

    def _masked_layers(self) -> list[nn.Module]:
        """Return the decoder's layers, after checking that masks keep goals apart in them."""
        config = self.decoder.config
        attention = getattr(config, "_attn_implementation", None)
        if attention not in ("sdpa", "eager"):
            raise PackingNotSupported(f"its attention is {attention}, which accepts no block mask")
        kinds = set(getattr(config, "layer_types", None) or ()) - MASKED_LAYERS
        if kinds:
            names = " and ".join(sorted(kind.replace("_", " ") for kind in kinds))
            raise PackingNotSupported(f"it has layers of {names}, in which no mask keeps the goals apart")
        found = next((m for m in self.decoder.children() if isinstance(m, nn.ModuleList)), None)
        if found is None:
            raise PackingNotSupported("its decoder has no list of layers")
        return list(found)

    def _common_opening(self, tasks: Sequence[OptimizationTask]) -> list[int]:
        """Return the ids up to the last placeholder, after checking that all prompts begin with them."""
        placeholders, noun = set(self.mllm.placeholder_ids), self.mllm.adapter.noun
        first = tasks[0].prompts[0]
        opening = first[: max((i + 1 for i, token in enumerate(first) if token in placeholders), default=0)]
        for task in tasks:
            for prompt in task.prompts:
                if prompt[: len(opening)] != opening or placeholders & set(prompt[len(opening) :]):
                    raise PackingNotSupported(f"the prompts differ before or within the {noun} (example {task.id})")
                if len(prompt) == len(opening):
                    raise PackingNotSupported(f"there is no text between the {noun} and the answer")
        return opening

    # --- what each layer is given -----------------------------------------------------------------------------------

    def _pack_inputs(self, shape: Shape) -> list[LayerInputs]:
        """Return what each layer must be given in place of what the model gives it in a packed sequence."""
        if len(shape) == 1:
            return [{} for _ in self.layers]
        return pack_inputs(self._record(max(shape)), self._record(sum(shape)), Spans(len(self.opening), shape))

    @torch.enable_grad()
    def _record(self, length: int) -> list[LayerInputs]:
        """Return what each layer is given for the opening and a text, except what depends on E: that has a graph."""
        ids = torch.tensor([[*self.opening, *[self.mllm.end_id] * length]], device=self.mllm.device)
        self.mllm.mechanism.prepare([self.start])
        with recorded(self.layers) as inputs:
            self._run(ids, [self.start.features.detach().clone().requires_grad_(True)])
        return inputs

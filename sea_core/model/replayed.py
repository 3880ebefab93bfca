"""A model that is run by replaying its own forward pass: its forms, its recordings, and the backbone's keywords."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from sea_core.errors import ModelError
from sea_core.model.embedding import Embedding, Grid
from sea_core.model.form import TEXT_INPUTS, MediumForm, ReadPrompt, read_form
from sea_core.model.mechanism import Mechanism
from sea_core.model.replay import Pass, Recording, Replay, join, merge, part

if TYPE_CHECKING:
    from sea_core.model.mllm import MLLM

QUESTIONS = ("?", "What is this about, in a few words?")
"""Two questions of different lengths, to see what follows from the length of a prompt."""
MAX_RECORDINGS = 64
"""Recordings that are kept: one for each batch of sizes."""


@dataclass(frozen=True)
class BatchRecording:
    """A forward pass on blank media: the inputs that do not depend on the prompt, and what crossed in which shape."""

    inputs: dict[str, Any]
    recording: Recording


class ReplayedModel(Mechanism):
    """The mechanism of an adapter that asks for `replay`. A batch holds media of one size, and no plain text."""

    name = "replay"
    is_exact = True
    mixes_batches = False

    def __init__(self, mllm: MLLM, replay: Replay) -> None:
        super().__init__(mllm)
        self.replay = replay
        self.form = lru_cache(None)(self._read_form)
        self._batch = lru_cache(MAX_RECORDINGS)(self._record_batch)

    @classmethod
    def of(cls, mllm: MLLM) -> ReplayedModel | None:
        """Return the replayed model of an MLLM; None if its adapter splices."""
        seam = mllm.adapter.replay(mllm.model)
        if seam is None:
            return None
        end = mllm.model.get_submodule(seam.end) if seam.end else mllm.adapter.language_model(mllm.model)
        return cls(mllm, Replay(mllm.model, seam, end))

    def projectors(self) -> list[nn.Module]:
        return self.replay.projectors()

    def encoder_parameters(self) -> list[nn.Parameter]:
        return self.replay.skipped_parameters()

    def encode(self, media: Sequence[Any]) -> list[Embedding]:
        return [self._encode(medium) for medium in media]

    def _encode(self, medium: Any) -> Embedding:
        (embedding,) = self.encode_with_grad(self.mllm.media_inputs(["?"], [medium]), 1)
        size = self.mllm.adapter.size(medium, self.mllm.processor)
        return Embedding(embedding.features.detach().clone(), size)

    def encode_with_grad(self, inputs: Mapping[str, Any], count: int) -> list[Embedding]:
        """Return the E of the one medium in ordinary inputs, without its size."""
        return [Embedding(join(self.crossed(inputs).crossed, self.replay.seam.scales))]

    def crossed(self, inputs: Mapping[str, Any]) -> Recording:
        """Record an ordinary forward pass up to the decoder."""
        return self.replay.record(lambda: self.mllm.backbone(**inputs))

    @contextmanager
    def swapped(self, crossed: Recording) -> Iterator[None]:
        with self.replay.crossing():
            self.replay.next_pass = Pass(crossed.crossed, {})
            yield

    def prompt_ids(self, question: str, embedding: Embedding) -> list[int]:
        return self.form(embedding.grid).expand(self.mllm.chat_ids(question, media=True))

    def count_placeholders(self, embedding: Embedding) -> int:
        return self.form(embedding.grid).expansion.count(self.mllm.placeholder_id)

    def prepare(self, embeddings: Sequence[Embedding]) -> None:
        """Record the pass of a batch of these sizes."""
        for grids in (*((e.grid,) for e in embeddings), tuple(e.grid for e in embeddings)):
            self._batch(grids)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Replay inside the block whatever `inputs_for` has prepared."""
        with self.replay.crossing(), self.replay.skipping():
            yield

    def merge(
        self, input_ids: Tensor, attention_mask: Tensor | None, embeddings: Sequence[Embedding]
    ) -> dict[str, Any] | None:
        # A pass may be recorded while another one is prepared: it is an ordinary one.
        return None if self.replay.is_recording else super().merge(input_ids, attention_mask, embeddings)

    def inputs_for(
        self, input_ids: Tensor, attention_mask: Tensor | None, embeddings: Sequence[Embedding]
    ) -> dict[str, Any]:
        """Prepare the replay of a batch, and return the ordinary inputs for blank media of its sizes."""
        batch = self._batch(tuple(e.grid for e in embeddings))
        crossing = merge([self._parts(e) for e in embeddings], batch.recording)
        self.replay.next_pass = Pass(crossing, batch.recording.outputs)
        return {**batch.inputs, **self.token_inputs(input_ids, embeddings)}

    def _parts(self, embedding: Embedding) -> list[list[Tensor]]:
        """Return the tensors of an embedding, by crossing and call."""
        layout = self._batch((embedding.grid,)).recording.layout
        return part(embedding.features.to(self.mllm.device), layout, self.replay.seam.scales)

    def token_inputs(self, input_ids: Tensor, embeddings: Sequence[Embedding]) -> dict[str, Tensor]:
        """Return the inputs with a value for each token of a batch, of which some sequences are about embeddings."""
        remaining = iter(embeddings)
        first = self.form(embeddings[0].grid)
        has_medium = (input_ids == self.mllm.placeholder_id).any(1).tolist()
        forms = [self.form(next(remaining).grid) if has else first for has in has_medium]
        begins = [
            form.begin(ids, self.mllm.placeholder_id) for form, ids in zip(forms, input_ids.tolist(), strict=True)
        ]
        width = input_ids.shape[1]
        return {
            name: torch.stack(
                [f.token_inputs[name].values(begin, width) for f, begin in zip(forms, begins, strict=True)]
            ).to(input_ids.device)
            for name in first.token_inputs
        }

    @contextmanager
    def replaying(self, ids: Tensor, mask: Tensor, embeddings: Sequence[Embedding]) -> Iterator[dict[str, Any]]:
        """Replay inside the block a pass of the whole model, with the keywords that are yielded, on embeddings.

        Raises:
            ModelError: the pass never reached the seam.
        """
        with self.active():
            prepared = self.inputs_for(ids, mask, embeddings)
            coming = self.replay.next_pass
            yield prepared
        if coming is None or not coming.calls:
            raise ModelError("embeddings were given, but the model ran no encoder: media would be ignored")

    def generation_inputs(self, input_ids: Tensor, mask: Tensor, embeddings: Sequence[Embedding]) -> dict[str, Any]:
        """Return the inputs from which `generate` counts positions: all but the media's own numbers."""
        if not embeddings:
            return {}
        inputs = self._batch(tuple(e.grid for e in embeddings)).inputs
        small = {k: v for k, v in inputs.items() if isinstance(v, Tensor) and not v.is_floating_point()}
        return small | self.token_inputs(input_ids, embeddings)

    def _read_form(self, grid: Grid) -> MediumForm:
        """Return what the processor makes of media of a size."""
        mllm = self.mllm
        medium = mllm.adapter.medium_of(grid, mllm.processor)
        prompts = []
        for question in QUESTIONS:
            text, chat = (mllm.chat_ids(question, media=media) for media in (False, True))
            inputs = mllm.adapter.inputs(mllm.processor, [mllm.render(question, media=True)], [medium])
            prompts.append(ReadPrompt(text, chat, inputs))
        form = read_form(prompts)
        if mllm.placeholder_id not in form.expansion:
            raise ModelError(
                f"the processor writes no placeholder {mllm.adapter.placeholder!r} for a {mllm.adapter.noun}",
                hint="Check the adapter's `placeholder` against the checkpoint's processor.",
            )
        return form

    def _record_batch(self, grids: tuple[Grid, ...]) -> BatchRecording:
        """Run the encoder once on blank media of some sizes."""
        mllm = self.mllm
        media = [mllm.adapter.medium_of(grid, mllm.processor) for grid in grids]
        inputs = mllm.media_inputs(["?"] * len(media), media)
        with torch.no_grad():
            recording = self.crossed(inputs).shapes_only()
        follows_prompt = {*TEXT_INPUTS, *self.form(grids[0]).token_inputs}
        return BatchRecording({k: v for k, v in inputs.items() if k not in follows_prompt}, recording)

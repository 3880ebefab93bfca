"""Who is taught the demo world, and what from: a plugin's pupil, and a pool of its renderings."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from sea_core.model.adapter import Adapter
from sea_core.model.embedding import Embedding, Grid
from sea_core.model.mllm import MLLM
from sea_toy.world import Phrase, ToyWorld, phrases

Report = Callable[[str], None]


@dataclass(frozen=True)
class Lengths:
    """How long to teach: clips per phrase and style, steps of each phase, rows of media and of text in a batch.

    Where a model is taught several modalities, each has that many clips and rows.
    """

    clips: int = 12
    encoder_steps: int = 500
    encoder_rows: int = 64
    language_steps: int = 600
    media_rows: int = 44
    text_rows: int = 8


class Student(ABC):
    """What a plugin provides to have a tiny model taught: an untrained model, and renderings of the world.

    Attributes:
        plugin: the name that the user types.
        adapter: with the settings that fit the model.
        lengths: how long to teach.
        also: pupils of the same model's other modalities, taught together with this one.
    """

    plugin: str
    adapter: Adapter
    lengths: Lengths = Lengths()
    also: tuple[Student, ...] = ()

    @abstractmethod
    def create(self, corpus: Iterable[str]) -> MLLM:
        """Return an untrained model of the real class, with a processor whose tokenizer was trained on the corpus."""

    @abstractmethod
    def render(self, phrase: str, style: str, rng: random.Random) -> Any:
        """Return a fresh medium that shows or says the phrase in the style; no two calls are quite alike."""

    @abstractmethod
    def render_blank(self, rng: random.Random) -> Any:
        """Return a blank medium: sometimes the adapter's own blank, sometimes a near one."""

    @abstractmethod
    def features(self, mllm: MLLM, media: Sequence[Any]) -> dict[str, Tensor]:
        """Return the encoder's inputs, one entry of each tensor for each medium."""

    @abstractmethod
    def encode(self, mllm: MLLM, features: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Run the encoder with gradients. Returns E padded, (media, n_rows, d_encoder), and each n_rows, (media,)."""

    def grids(self, features: dict[str, Tensor], count: int) -> list[Grid]:
        """Return each medium's `Embedding.grid`."""
        return [()] * count


@dataclass(frozen=True)
class Rendering:
    """One rendering in the pool; `phrase` is None for a blank."""

    phrase: Phrase | None
    style: str


@dataclass
class Pool:
    """Renderings with the encoder inputs, in the same order."""

    media: list[Rendering]
    features: dict[str, Tensor]

    def pick(self, index: Tensor) -> dict[str, Tensor]:
        return {name: tensor[index].float() for name, tensor in self.features.items()}


@dataclass
class TrainedStudent:
    """One modality of a model that is being taught: its pupil, the model through its adapter, and renderings."""

    pupil: Student
    mllm: MLLM
    pool: Pool
    embeddings: list[Embedding] = field(default_factory=list)

    @property
    def world(self) -> ToyWorld:
        return ToyWorld(self.pupil.adapter)


def make_subject(pupil: Student, mllm: MLLM, clips: int, rng: random.Random, report: Report) -> TrainedStudent:
    """Render a pupil's pool, for a model that may have been loaded through another adapter of its family."""
    mllm = mllm if mllm.adapter is pupil.adapter else MLLM(pupil.adapter, mllm.model, mllm.processor)
    pool = render_pool(pupil, mllm, clips, rng)
    report(f"{len(pool.media)} renderings of {len(phrases())} phrases: {pupil.adapter.noun}")
    return TrainedStudent(pupil, mllm, pool)


def render_pool(pupil: Student, mllm: MLLM, clips: int, rng: random.Random) -> Pool:
    """Render each phrase in each style `clips` times, and blanks to one in thirty."""
    styles = pupil.adapter.styles
    media = [Rendering(phrase, style) for phrase in phrases() for style in styles for _ in range(clips)]
    media += [Rendering(None, "") for _ in range(max(1, len(media) // 30))]
    chunks: list[dict[str, Tensor]] = []
    for start in range(0, len(media), 256):
        raw = [
            pupil.render(m.phrase.text, m.style, rng) if m.phrase else pupil.render_blank(rng)
            for m in media[start : start + 256]
        ]
        features = pupil.features(mllm, raw)
        chunks.append({k: v.half() if v.is_floating_point() else v for k, v in features.items()})
    return Pool(media, {name: torch.cat([chunk[name] for chunk in chunks]) for name in chunks[0]})

"""The student: a family's untrained toy model, with renderings of the toy world to train it on."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from sea_core.model.adapter import Adapter
from sea_core.model.embedding import Embedding, Grid
from sea_core.model.mllm import MLLM
from sea_core.plugin.blueprint import ReportLine
from sea_toy.world import Phrase, ToyWorld, phrases

RENDER_BATCH = 256


@dataclass(frozen=True)
class TrainConfig:
    """How long to train. A model with several modalities has that many renderings and examples of each.

    Attributes:
        renderings: renderings of each phrase in each style.
        encoder_steps, language_steps: steps of the two phases.
        encoder_batch: renderings in a step of the encoder's phase.
        media_batch, text_batch: examples with media, and in plain text, in a step of the language model's phase.
    """

    renderings: int = 12
    encoder_steps: int = 500
    encoder_batch: int = 64
    language_steps: int = 600
    media_batch: int = 44
    text_batch: int = 8


class Student(ABC):
    """An untrained model of a family, and renderings of the toy world for it.

    Attributes:
        plugin: the name of the family's plugin.
        adapter: the adapter, with settings that fit the model.
        config: how long to train.
        other_modalities: students of the same model's other modalities, which are trained together with this one.
        has_small: whether the plugin has a blueprint `small` too.
        share: of a step's examples in the language model's phase, what this modality gets.
    """

    plugin: str
    adapter: Adapter
    config: TrainConfig = TrainConfig()
    other_modalities: tuple[Student, ...] = ()
    has_small: bool = True
    share: float = 1.0

    @property
    def all_modalities(self) -> tuple[Student, ...]:
        """This student and those of the model's other modalities."""
        return (self, *self.other_modalities)

    @abstractmethod
    def create(self, corpus: Iterable[str]) -> MLLM:
        """Return an untrained model of the real class, with a processor whose tokenizer was trained on the corpus."""

    def open(self, model: Any, processor: Any) -> MLLM:
        """Return a model through this student's adapter."""
        return MLLM(self.adapter, model, processor)

    @property
    def name(self) -> str:
        """What this student's scores are called."""
        return self.adapter.modality

    @property
    def world(self) -> ToyWorld:
        """The toy world in the words of the adapter."""
        return ToyWorld(self.adapter)

    @property
    def styles(self) -> tuple[str, ...]:
        """The styles to render."""
        return self.adapter.styles

    @property
    def checked(self) -> tuple[Student, ...]:
        """The students whose media a trained model is checked on."""
        return self.all_modalities

    def phrases(self) -> list[Phrase]:
        """Return the phrases to render."""
        return phrases()

    def prepare(
        self, mllm: MLLM, renderings: int, rng: random.Random, report: ReportLine, parts: Sequence[TrainingState]
    ) -> TrainingState:
        """Return this student ready for training; `parts` are the model's students that are ready already."""
        return prepare_training(self, mllm, renderings, rng, report)

    @abstractmethod
    def render(self, phrase: str, style: str, rng: random.Random) -> Any:
        """Return a new medium that renders the phrase in the style; no two are quite the same."""

    @abstractmethod
    def render_blank(self, rng: random.Random) -> Any:
        """Return a blank medium: sometimes the adapter's own blank input, sometimes a noisy one."""

    @abstractmethod
    def encoder_inputs(self, mllm: MLLM, media: Sequence[Any]) -> dict[str, Tensor]:
        """Return the encoder's inputs; the first dimension of each tensor is the medium."""

    @abstractmethod
    def encode(self, mllm: MLLM, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Run the encoder with gradients. Returns E padded, (media, n_features, d_encoder), and each n_features."""

    def grids(self, inputs: dict[str, Tensor], count: int) -> list[Grid]:
        """Return `Embedding.grid` of each of `count` media."""
        return [()] * count


@dataclass(frozen=True)
class Rendering:
    """What a medium of the pool renders; `phrase` is None for a blank."""

    phrase: Phrase | None
    style: str


@dataclass
class RenderingPool:
    """Renderings and the encoder inputs of their media, in the same order; floats are stored in fp16."""

    renderings: list[Rendering]
    encoder_inputs: dict[str, Tensor]

    def select(self, index: Tensor) -> dict[str, Tensor]:
        """Return the encoder inputs of some renderings, in fp32."""
        return {name: tensor[index].float() for name, tensor in self.encoder_inputs.items()}


@dataclass
class TrainingState:
    """One modality of a model in training: its student, the model through its adapter, renderings, their embeddings."""

    student: Student
    mllm: MLLM
    pool: RenderingPool
    embeddings: list[Embedding] = field(default_factory=list)

    @property
    def world(self) -> ToyWorld:
        return self.student.world

    @cached_property
    def asked_about(self) -> list[int]:
        """The renderings that questions are asked about: not those of fragments."""
        renderings = self.pool.renderings
        return [i for i, r in enumerate(renderings) if r.phrase is None or not r.phrase.is_fragment]

    @cached_property
    def blank(self) -> Embedding:
        """The embedding of a blank medium."""
        return self.embeddings[next(i for i, r in enumerate(self.pool.renderings) if r.phrase is None)]

    def parts(self) -> tuple[TrainingState, ...]:
        """Return the states whose embeddings, joined, make one embedding of this modality."""
        return (self,)

    def draw(self, rng: random.Random) -> tuple[Rendering, list[Embedding]]:
        """Draw a rendering. Returns what it shows, and the embedding of each part."""
        i = rng.choice(self.asked_about)
        return self.pool.renderings[i], [self.embeddings[i]]

    def join(self, embeddings: Sequence[Embedding]) -> Embedding:
        """Join the embeddings of the parts."""
        (embedding,) = embeddings
        return embedding

    def encode(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Encode some of the renderings, as `Student.encode` does."""
        return self.student.encode(self.mllm, self.pool.select(index))


def prepare_training(
    student: Student, mllm: MLLM, renderings: int, rng: random.Random, report: ReportLine
) -> TrainingState:
    """Render a student's pool; `mllm` may have been loaded through the adapter of another modality."""
    mllm = mllm if mllm.adapter is student.adapter else student.open(mllm.model, mllm.processor)
    pool = render_pool(student, mllm, renderings, rng)
    report(f"{len(pool.renderings)} renderings of {len(student.phrases())} phrases: {student.adapter.noun}")
    return TrainingState(student, mllm, pool)


def render_pool(student: Student, mllm: MLLM, count: int, rng: random.Random) -> RenderingPool:
    """Render each phrase in each style `count` times, and one blank for every thirty renderings."""
    shown = [(phrase, style) for phrase in student.phrases() for style in student.styles]
    renderings = [Rendering(phrase, style) for phrase, style in shown for _ in range(count)]
    renderings += [Rendering(None, "") for _ in range(max(1, len(renderings) // 30))]
    batches: list[dict[str, Tensor]] = []
    for start in range(0, len(renderings), RENDER_BATCH):
        media = [
            student.render(r.phrase.text, r.style, rng) if r.phrase else student.render_blank(rng)
            for r in renderings[start : start + RENDER_BATCH]
        ]
        inputs = student.encoder_inputs(mllm, media)
        batches.append({name: x.half() if x.is_floating_point() else x for name, x in inputs.items()})
    return RenderingPool(renderings, {name: torch.cat([batch[name] for batch in batches]) for name in batches[0]})

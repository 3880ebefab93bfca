"""The bundled tiny Qwen2.5-Omni: 1.9 million weights, trained on pictures, on speech, and on both in one prompt."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from sea_auto.adapter import STYLES, AudioAutoAdapter, AutoAdapter, ImageAutoAdapter
from sea_auto.fit import Fit
from sea_auto.joint import ImageAudioAutoAdapter
from sea_core.model.embedding import Embedding, Grid
from sea_core.model.mllm import MLLM
from sea_core.plugin.blueprint import ReportLine
from sea_qwen2_audio.adapter import RATE
from sea_toy import pictures
from sea_toy.omni.model import (
    ARCHITECTURE,
    IMAGE_SIDE,
    NAMED,
    SECONDS,
    SPECIAL,
    STEP,
    create_model,
    encode_pictures,
    encode_sounds,
)
from sea_toy.qwen2_audio.tiny import TinyAudioStudent
from sea_toy.qwen2_vl.tiny import make_patches, near_black
from sea_toy.student import Rendering, RenderingPool, Student, TrainConfig, TrainingState
from sea_toy.tokenizer import train_tokenizer
from sea_toy.world import Phrase, fragments, phrases

MediaCase = Literal["both", "split", "image", "audio", "blank"]
"""Which of two media show a phrase: each, each a part of it, one alone, or none."""
CASE_WEIGHTS: dict[MediaCase, int] = {"both": 30, "split": 26, "image": 20, "audio": 20, "blank": 4}
LENGTH = SECONDS * RATE
"""Samples of every audio."""


class OmniStudent(Student):
    """What the students of all modalities share: the model, and adapters that are derived from it."""

    plugin = "auto"
    adapter: AutoAdapter
    has_small = False
    share = 0.3
    config = TrainConfig(
        renderings=10, encoder_steps=800, encoder_batch=56, language_steps=1000, media_batch=22, text_batch=2
    )

    def create(self, corpus: Iterable[str]) -> MLLM:
        tokenizer = train_tokenizer(corpus, SPECIAL, end="<|im_end|>", pad="<|endoftext|>", named=NAMED)
        return self.open(*create_model(tokenizer))

    def open(self, model: Any, processor: Any) -> MLLM:
        facts = Fit(self.adapter, model, processor, ARCHITECTURE).facts()
        # The scales follow from trained weights: until then E is what the encoders give.
        facts = replace(facts, seam=replace(facts.seam, scales=()))
        return MLLM(self.adapter.with_facts(facts), model, processor)

    def phrases(self) -> list[Phrase]:
        return phrases() + fragments()


class OmniImageStudent(OmniStudent):
    """The phrase in letters with a drawing, in six styles."""

    adapter = ImageAutoAdapter(width=IMAGE_SIDE, height=IMAGE_SIDE)

    def render(self, phrase: str, style: str, rng: random.Random) -> Any:
        return pictures.draw(phrase, style, rng, IMAGE_SIDE)

    def render_blank(self, rng: random.Random) -> Any:
        from PIL import Image

        return Image.fromarray(near_black((IMAGE_SIDE, IMAGE_SIDE, 3), rng))

    def encoder_inputs(self, mllm: MLLM, media: Sequence[Any]) -> dict[str, Tensor]:
        return {"pixels": torch.from_numpy(np.stack([np.asarray(medium) for medium in media]))}

    def encode(self, mllm: MLLM, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        frames = inputs["pixels"][:, None].expand(-1, STEP, -1, -1, -1)  # the processor repeats a picture, too
        patches = make_patches(frames, mllm.processor)[:, 0]
        return _padded(encode_pictures(mllm.model.get_submodule("model.visual"), patches))

    def grids(self, inputs: dict[str, Tensor], count: int) -> list[Grid]:
        return [(IMAGE_SIDE, IMAGE_SIDE)] * count


class OmniAudioStudent(OmniStudent):
    """The phrase in speech, in six styles, followed by silence up to two seconds."""

    adapter = AudioAutoAdapter(seconds=SECONDS)
    speech = TinyAudioStudent()

    def render(self, phrase: str, style: str, rng: random.Random) -> np.ndarray:
        return _lengthened(self.speech.render(phrase, style, rng))

    def render_blank(self, rng: random.Random) -> np.ndarray:
        return _lengthened(self.speech.render_blank(rng))

    def encoder_inputs(self, mllm: MLLM, media: Sequence[Any]) -> dict[str, Tensor]:
        batch = mllm.processor.feature_extractor(list(media), sampling_rate=RATE, return_tensors="pt")
        return {"mel": batch["input_features"]}

    def encode(self, mllm: MLLM, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        return _padded(encode_sounds(mllm.model.get_submodule("model.audio_tower"), inputs["mel"]))

    def grids(self, inputs: dict[str, Tensor], count: int) -> list[Grid]:
        return [(LENGTH,)] * count


@dataclass(frozen=True)
class JointStudent(OmniStudent):
    """An image and an audio in one prompt. What is joined are media of the other two students.

    Attributes:
        case: which of the media show the phrase. The style is the image's; without an image, the audio's.
    """

    case: MediaCase = "both"
    share = 1.0
    adapter = ImageAudioAutoAdapter(width=IMAGE_SIDE, height=IMAGE_SIDE, seconds=SECONDS)
    image, audio = OmniImageStudent(), OmniAudioStudent()

    @property
    def name(self) -> str:
        return f"{self.adapter.modality} {self.case}"

    @property
    def styles(self) -> tuple[str, ...]:
        return STYLES["audio" if self.case == "audio" else "image"]

    def prepare(
        self, mllm: MLLM, renderings: int, rng: random.Random, report: ReportLine, parts: Sequence[TrainingState]
    ) -> TrainingState:
        return JointState(self, self.open(mllm.model, mllm.processor), RenderingPool([], {}), joined=tuple(parts))

    def render(self, phrase: str, style: str, rng: random.Random) -> Any:
        (known,) = (each for each in phrases() if each.text == phrase)
        case: MediaCase = "audio" if style in STYLES["audio"] else self.case
        drawn, spoken = share(known, case, rng)
        return (
            self.image.render(drawn.text, style, rng) if drawn else self.image.render_blank(rng),
            self.audio.render(spoken.text, spoken_style(style, rng), rng) if spoken else self.audio.render_blank(rng),
        )

    def render_blank(self, rng: random.Random) -> Any:
        return self.image.render_blank(rng), self.audio.render_blank(rng)

    def encoder_inputs(self, mllm: MLLM, media: Sequence[Any]) -> dict[str, Tensor]:
        raise NotImplementedError  # its media are encoded as the other students'

    def encode(self, mllm: MLLM, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        raise NotImplementedError


class TinyOmniStudent(OmniImageStudent):
    """The tiny model's modalities: pictures, speech, and both in one prompt."""

    other_modalities = (OmniAudioStudent(), JointStudent())

    @property
    def checked(self) -> tuple[Student, ...]:
        cases: tuple[MediaCase, ...] = ("both", "split", "image", "audio")
        return (self, OmniAudioStudent(), *(JointStudent(case) for case in cases))


@dataclass
class JointState(TrainingState):
    """The joint modality in training: it has no renderings of its own, and joins embeddings of the other two."""

    joined: tuple[TrainingState, ...] = ()
    _indices: list[dict[tuple[str, str], list[int]]] = field(default_factory=list)

    def parts(self) -> tuple[TrainingState, ...]:
        return self.joined

    def draw(self, rng: random.Random) -> tuple[Rendering, list[Embedding]]:
        (case,) = rng.choices(tuple(CASE_WEIGHTS), weights=tuple(CASE_WEIGHTS.values()))
        phrase, style = rng.choice(phrases()), rng.choice(STYLES["audio" if case == "audio" else "image"])
        shown = share(phrase, case, rng)
        styles = style, spoken_style(style, rng)
        embeddings = [self._find(number, part, styles[number], rng) for number, part in enumerate(shown)]
        return Rendering(None if case == "blank" else phrase, style), embeddings

    def _find(self, number: int, phrase: Phrase | None, style: str, rng: random.Random) -> Embedding:
        """Return the embedding of a random rendering of a phrase in a style; of a blank for None."""
        if not self._indices:
            self._indices = [_index(part.pool) for part in self.joined]
        key = (phrase.text, style) if phrase else ("", "")
        return self.joined[number].embeddings[rng.choice(self._indices[number][key])]

    def join(self, embeddings: Sequence[Embedding]) -> Embedding:
        features = torch.cat([e.features for e in embeddings])
        return Embedding(features, tuple(number for e in embeddings for number in e.grid))


def share(phrase: Phrase, case: MediaCase, rng: random.Random) -> tuple[Phrase | None, Phrase | None]:
    """Return what image and audio show of a phrase. A product is not split: both show it."""
    if case == "split" and phrase.tail:
        texts = [phrase.head, phrase.tail]
        rng.shuffle(texts)
        first, second = (next(f for f in fragments() if f.text == text) for text in texts)
        return first, second
    return (None if case in ("audio", "blank") else phrase), (None if case in ("image", "blank") else phrase)


def spoken_style(style: str, rng: random.Random) -> str:
    """Return the style of an audio beside an image in a style: any, unless the style is itself an audio's."""
    return style if style in STYLES["audio"] else rng.choice(STYLES["audio"])


def _index(pool: RenderingPool) -> dict[tuple[str, str], list[int]]:
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, rendering in enumerate(pool.renderings):
        found[rendering.phrase.text if rendering.phrase else "", rendering.style].append(i)
    return found


def _padded(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return embeddings of one length as `Student.encode` does."""
    return features, torch.full((len(features),), features.shape[1])


def _lengthened(wave: np.ndarray) -> np.ndarray:
    """Return an audio of LENGTH samples: an end of silence is added."""
    return np.pad(wave[:LENGTH], (0, LENGTH - len(wave[:LENGTH])))

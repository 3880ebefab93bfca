"""The audio set: Audio_only, KPT (key phrase and text) and KPT_noise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le

from sea_bench.build import media_io
from sea_bench.build.question_text import CaseTexts
from sea_bench.build.sets.base import TEXT_ONLY, FileSet, Task
from sea_core.errors import SeaError
from sea_core.plugin.generator import Generator

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class AudioSet(FileSet):
    """Audio_only: the question, spoken. KPT: the key phrase, spoken. KPT_noise: white noise, then KPT. 16 kHz, mono."""

    media: Literal["mp3", "wav"] = "mp3"
    """File format: mp3, as published, or wav, which is lossless."""
    noise_seconds: Annotated[float, Ge(0), Le(60)] = 3.0
    """Length of the noise."""
    noise_level: Annotated[float, Ge(0), Le(0.3)] = 0.1
    """Root mean square of the noise; speech is around 0.1. The paper does not give its own."""

    modality: ClassVar[str] = "audio"
    noun: ClassVar[str] = "audio"
    spelt: ClassVar[str] = "KPT"
    tasks: ClassVar[tuple[Task, ...]] = (
        TEXT_ONLY,
        Task("Audio_only", "nothing"),
        Task("KPT", "whole"),
        Task("KPT_noise", "end", derived_from="KPT"),
    )

    @property
    def suffix(self) -> str:
        return f".{self.media}"

    def make(
        self, task: Task, texts: CaseTexts, scene: str, generator: Generator, seed: int, base: Path | None
    ) -> np.ndarray:
        import numpy as np

        composed: np.ndarray | None = generator.compose(task.name, texts.phrase, seed)
        if composed is not None:
            return composed
        if base is not None:
            samples = round(self.noise_seconds * media_io.RATE)
            noise = np.random.default_rng(seed).standard_normal(samples, np.float32) * np.float32(self.noise_level)
            return np.concatenate([noise, media_io.read_audio(base)])
        text = texts.question if task.text_source == "nothing" else texts.phrase
        speech: np.ndarray = generator.generate(text, seed)
        if not len(speech):
            raise SeaError(
                f"{generator.name} returned no speech for case {texts.id} of {texts.scenario}",
                hint="Are its question and phrase in the language of the voice?",
            )
        return speech

    def write(self, medium: Any, path: Path, generator: Generator) -> None:
        media_io.write_audio(medium, path, self.media)

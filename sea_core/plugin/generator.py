"""A generator makes media out of text: what the cases of a benchmark show, speak, or carry otherwise.

The built-in ones and a plugin's (hook `sea_generators`) are of this one class. Importing this file imports nothing
heavy.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import numpy as np

WRITTEN_BY_CORE = ("image", "video", "audio")
"""The modalities whose media SEA writes itself; a generator of any other brings its own `write`."""


@dataclass(frozen=True, eq=False)
class Frames:
    """A video: frames (n, height, width, 3) in uint8, and how many of them make a second."""

    pixels: np.ndarray
    rate: float


@dataclass(frozen=True)
class Generator(ABC):
    """Makes the media of one modality. Its fields are the settings a user may change (`-o generator.voice=en-gb`).

    A field that the set has too (width, height, fps, seconds) takes the set's value.

    Class attributes:
        name: what `--generator` takes.
        modality: of what comes out. An image is a PIL image in RGB, a video is `Frames`, an audio is mono float32 at
            16 kHz; the medium of another modality is whatever `write` writes.
        noun: fills the questions ("The end of the {noun} shows ...").
        suffix: of the files of another modality (".npy").
        libraries: the distributions whose versions the manifest keeps.
        placeholder_for: what it stands in for, where it does; the manifest and the command say so.
    """

    name: ClassVar[str]
    modality: ClassVar[str]
    noun: ClassVar[str]
    suffix: ClassVar[str]
    libraries: ClassVar[tuple[str, ...]] = ()
    placeholder_for: ClassVar[str] = ""

    @abstractmethod
    def generate(self, text: str, seed: int) -> Any:
        """Return a medium that shows or says the text: a scene's description, or words to be spoken."""

    def compose(self, task: str, phrase: str, seed: int) -> Any:
        """Return the whole medium of a task, or None to have it made as the published benchmark makes it.

        For generators whose media are read by a model that knows nothing but them, typography included.
        """
        return None

    def write(self, medium: Any, path: Path) -> None:
        """Write a medium of another modality to `path`, whose name says nothing about the format."""
        raise NotImplementedError

"""What reads a published set in a layout of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from sea_bench.build.published.case import PublishedCase


class PublishedLayout(Protocol):
    """A published set in a folder of its own layout. A new one is a file here and a line in `registry.py`."""

    @property
    def name(self) -> str:
        """What people call it."""

    def matches(self, folder: Path) -> bool:
        """Return whether a folder has the set's layout."""

    def read(self, folder: Path, modality: str) -> list[PublishedCase]:
        """Return the cases for models of a modality, such as `image` or `image+audio`.

        Raises:
            DataError: a file has another form than the published one.
            SeaError: the set has no media of this modality.
        """

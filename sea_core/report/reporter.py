"""What a plugin implements so that `sea report` shows its run folders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from sea_core.report.content import PageOptions, PageSection


class Reporter(ABC):
    """Reports the folders of one kind.

    Attributes:
        manifest: the name of the file that tells its folders from others, such as `bench.json`.
    """

    manifest: str

    @abstractmethod
    def sections(self, folders: Sequence[Path], options: PageOptions) -> list[PageSection]:
        """Return the sections of the page for all folders of this kind that were given.

        Raises:
            SeaError: a folder cannot be read.
        """

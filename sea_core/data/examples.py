"""The data nouns: a text row and its media, and what preparation makes of it (paper, section 3.1)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["activity", "product"]
# Our own list, as what mimetypes knows hangs on the machine.
MEDIA_SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "image": (
        ".png",
        ".jpg",
        ".jpeg",
        ".jpe",
        ".gif",
        ".bmp",
        ".webp",
        ".tif",
        ".tiff",
        ".avif",
        ".heic",
        ".heif",
        ".svg",
        ".ico",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
    ),
    "video": (
        ".mp4",
        ".m4v",
        ".mov",
        ".qt",
        ".webm",
        ".mkv",
        ".avi",
        ".mpg",
        ".mpeg",
        ".mpe",
        ".wmv",
        ".flv",
        ".3gp",
        ".3g2",
        ".ogv",
    ),
    "audio": (
        ".wav",
        ".mp3",
        ".mp2",
        ".flac",
        ".ogg",
        ".oga",
        ".opus",
        ".m4a",
        ".aac",
        ".aif",
        ".aiff",
        ".aifc",
        ".au",
        ".snd",
        ".wma",
        ".amr",
        ".weba",
    ),
}


@dataclass(frozen=True, slots=True)
class Extraction:
    """What an extractor finds in one instruction.

    Attributes:
        phrase: the words that carry the content, as they stand in the instruction ("steal a lamp").
        kind: `activity` or `product`.
        sentence: the phrase as the content goal says it: a full sentence without capital or full stop for an
            activity ("a person is stealing a lamp"), the noun phrase for a product ("a skeleton key").
        detoxified: the instruction with "this activity" / "this product" in place of the phrase.
    """

    phrase: str
    kind: Kind
    sentence: str
    detoxified: str


@dataclass(frozen=True, slots=True)
class Example:
    """One row of a text safety set: (instruction, response) for SFT, (instruction, chosen, rejected) for DPO.

    `harmful` is false only where the file says so; an unlabelled row counts as harmful.

    Attributes:
        line: where the row stands in its file: its line, or its number in a table.
        media: the row's own media: paths, those of the file resolved against its folder; empty for a text row.
        extraction: what preparation found, where the file already holds it (`sea prepare --out`).
    """

    id: str
    instruction: str
    response: str | None = None
    chosen: str | None = None
    rejected: str | None = None
    harmful: bool = True
    line: int | None = None
    media: tuple[str, ...] = ()
    extraction: Extraction | None = None


def is_url(medium: str) -> bool:
    """Tell whether a row's medium is an address (`https://...`) or the bytes themselves (`data:...`), and no path."""
    return "://" in medium or medium.startswith("data:")


def medium_kind(medium: str) -> str | None:
    """Return image, video or audio, as a medium's name tells it by its end; None where it tells none of them."""
    if medium.startswith("data:"):
        kind = medium.removeprefix("data:").partition("/")[0]
        return kind if kind in MEDIA_SUFFIXES else None
    name = re.split("[?#]", medium)[0] if is_url(medium) else medium
    suffix = Path(name).suffix.lower()
    return next((kind for kind, suffixes in MEDIA_SUFFIXES.items() if suffix in suffixes), None)


def relative_media_path(folder: Path, medium: str) -> str:
    """Return a medium as a file in `folder` names it: by a relative path, unless it is absolute and elsewhere."""
    path, here = Path(medium), folder.absolute()
    if is_url(medium):
        return medium
    if ".." not in path.parts and path.absolute().is_relative_to(here):
        return str(path.absolute().relative_to(here))
    # Where a link points to, as `..` goes up from there; but the medium's own name tells its kind.
    return medium if path.is_absolute() else os.path.relpath(path.parent.resolve() / path.name, here.resolve())


@dataclass(frozen=True, slots=True)
class Goal:
    """One (x, y) pair that steers an embedding: the model, asked `prompt` about the input, must say `answer`."""

    prompt: str
    answer: str


@dataclass(frozen=True, slots=True)
class PreparedExample:
    """A row with its extraction and its goals: the content-control sample first, then the style-control sample.

    Attributes:
        recipe: how its E is to be made (see recipes/). draw: which of several embeddings by that recipe this is.
    """

    example: Example
    extraction: Extraction
    goals: tuple[Goal, ...]
    style: str
    recipe: str = "plain"
    draw: int = 0

    @property
    def id(self) -> str:
        """The embedding's id: the row's own for the first plain one, and one that follows from it for any other."""
        first = (self.recipe, self.draw) == ("plain", 0)
        return self.example.id if first else f"{self.example.id}#{self.recipe}.{self.draw}"


@dataclass(frozen=True, slots=True)
class SkippedExample:
    """A row that preparation could not handle, and why. It is listed and counted, never guessed at."""

    example: Example
    reason: str

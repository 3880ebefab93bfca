"""The data types: an example of a text safety set, and what preparation makes of it (paper, section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["activity", "product"]


@dataclass(frozen=True, slots=True)
class Extraction:
    """What an extractor finds in one instruction.

    Attributes:
        phrase: the words of the instruction that carry its content, verbatim ("steal a lamp").
        kind: `activity` or `product`.
        sentence: the phrase as the content goal states it, without a capital or a full stop: a full sentence for an
            activity ("a person is stealing a lamp"), a noun phrase for a product ("a skeleton key").
        detoxified: the instruction with "this activity" or "this product" in place of the phrase.
    """

    phrase: str
    kind: Kind
    sentence: str
    detoxified: str


@dataclass(frozen=True, slots=True)
class Example:
    """One example of a text safety set: an instruction with a response (SFT), or with chosen and rejected (DPO).

    Attributes:
        id: unique within its file.
        harmful: false only if the file says so; an unlabelled example counts as harmful.
        labelled: whether the file says so either way.
        line: where its record is in the file: the line of a text file, or the row of a table, from 1.
        media: paths or URLs of the example's own media. Paths are resolved against the file's folder.
        extraction: the result of an earlier preparation, if the file holds it (`sea prepare --out`).
    """

    id: str
    instruction: str
    response: str | None = None
    chosen: str | None = None
    rejected: str | None = None
    harmful: bool = True
    labelled: bool = True
    line: int | None = None
    media: tuple[str, ...] = ()
    extraction: Extraction | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """One (x, y) pair that steers an embedding: asked `prompt` about the medium, the model must answer `answer`."""

    prompt: str
    answer: str


@dataclass(frozen=True, slots=True)
class PreparedExample:
    """An example with its extraction and its goals: first the content goal, then the style goal.

    Attributes:
        style: the style that the style goal asks for.
        recipe: the recipe that makes the embedding.
        draw: the number of the embedding among several by the same recipe, from 0.
    """

    example: Example
    extraction: Extraction
    goals: tuple[Goal, ...]
    style: str
    recipe: str = "plain"
    draw: int = 0

    @property
    def id(self) -> str:
        """The id of the embedding: the example's own for the first plain one, `ID#RECIPE.DRAW` for any other."""
        first = (self.recipe, self.draw) == ("plain", 0)
        return self.example.id if first else f"{self.example.id}#{self.recipe}.{self.draw}"


@dataclass(frozen=True, slots=True)
class SkippedExample:
    """An example that preparation cannot use, with the reason."""

    example: Example
    reason: str

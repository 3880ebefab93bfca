"""Check people's texts against a model's tokenizer before long work: most hold nothing, and few cannot be text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sea_core.errors import DataError
from sea_core.model.mllm import MLLM

LISTED = 5
"""How many places an error names."""


@dataclass(frozen=True, slots=True)
class NamedText:
    """A person's text, and where it is.

    Attributes:
        where: the file and the line, or an id.
        name: which text of the record or example it is ("response").
        asked: whether the model is asked it; if not, it is an answer or a part of one.
    """

    where: str
    name: str
    text: str
    asked: bool = False


@dataclass(frozen=True, slots=True)
class RefusedText:
    """A text of which a part would become a special token, whatever SEA does: why, and what to change."""

    where: str
    name: str
    what: str
    hint: str


def find_refused(mllm: MLLM, texts: Iterable[NamedText]) -> tuple[RefusedText, ...]:
    """Return the texts that the model's tokenizer or its chat template cannot keep from becoming special tokens."""
    found: dict[tuple[str, bool], DataError | None] = {}
    refused = []
    for text in texts:
        key = text.text, text.asked
        if key not in found:
            found[key] = _error(mllm.require_question if text.asked else mllm.answer_ids, text.text)
        if error := found[key]:
            refused.append(RefusedText(text.where, text.name, error.what, error.hint))
    return tuple(refused)


def require_accepted(mllm: MLLM, texts: Iterable[NamedText]) -> None:
    """Raise DataError for the first refused text; it counts the others and names the next few places."""
    if refused := find_refused(mllm, texts):
        first = refused[0]
        raise DataError(f"{first.name}: {first.what}{_others(refused)}", where=first.where, hint=first.hint)


def _error(check: Callable[[str], object], text: str) -> DataError | None:
    try:
        check(text)
    except DataError as error:
        return error
    return None


def _others(refused: Sequence[RefusedText]) -> str:
    """Return where else texts are refused, as the end of a sentence."""
    places = list(dict.fromkeys(text.where for text in refused))[1:]
    if not places:
        return ""
    more = f" and {len(places) - LISTED} more" if len(places) > LISTED else ""
    return f"; the same holds for texts of {', '.join(places[:LISTED])}{more}"

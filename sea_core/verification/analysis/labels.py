"""A folder of real media, and what its metadata.jsonl says they show."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sea_core.data.record import Record, preview
from sea_core.data.sources.open import open_source
from sea_core.errors import DataError
from sea_core.extraction.english import content_words, is_base_verb, lemmas, word_classes
from sea_core.extraction.rules.verb_phrases import ADVERBS
from sea_core.model.media_folder import digest, media_files

LIST = "metadata.jsonl"
EXAMPLE = '{"file_name": "bike.png", "phrase": "polish a bike"}'


@dataclass(frozen=True)
class LabelledMedium:
    """One real medium. `name` is its path in the folder; `harmful` is None where nobody said so."""

    path: Path
    name: str
    phrase: str = ""
    label: str = ""
    harmful: bool | None = None


@dataclass(frozen=True)
class LabelledMedia:
    """The media of a folder, in the order of their names; `digest` changes when what they hold does."""

    folder: Path
    media: tuple[LabelledMedium, ...]
    digest: str


def read_labelled_media(folder: Path) -> LabelledMedia:
    """Return the media of a folder, labelled as far as its metadata.jsonl says so.

    Raises:
        DataError: there are no media, or a line of the list names none of them, one twice, or holds another type.
    """
    files = media_files(folder)
    names = {path.relative_to(folder).as_posix(): path for path in files}
    told: dict[str, LabelledMedium] = {}
    if (folder / LIST).is_file():
        for place, value in open_source(folder / LIST).items:
            if isinstance(value, DataError):
                raise value
            if not isinstance(value, dict):
                raise DataError("this line is not a JSON object", hint=f"Write it like {EXAMPLE}", where=str(place))
            medium = _medium(Record(value, place), names)
            if medium.name in told:
                raise DataError(f"{medium.name} is listed twice", hint="Keep one of the two lines.", where=str(place))
            told[medium.name] = medium
    media = tuple(told.get(name) or LabelledMedium(path, name) for name, path in names.items())
    return LabelledMedia(folder, media, digest(files))


def make_label(phrase: str, kind: str) -> str:
    """Return the class of a phrase: the first verb of an activity in its base form, the whole of a product."""
    words = content_words(phrase)
    if kind == "product" or not words:
        return flat(phrase)
    verbs = (_base(word) for word in words if word not in ADVERBS)
    return next((verb for verb in verbs if verb), words[0])


def _base(word: str) -> str:
    """Return the base form of a verb, or nothing. A word that the dictionary lacks may well be a verb of today."""
    found = word if is_base_verb(word) else next((one for one in sorted(lemmas(word)) if is_base_verb(one)), "")
    return found or ("" if word_classes(word) else word)


def flat(text: str) -> str:
    """Return the text in lower case, on one line."""
    return re.sub(r"\s+", " ", text).strip().casefold()


def _medium(record: Record, names: dict[str, Path]) -> LabelledMedium:
    name = Path(_typed(record, "file_name", str, "Every line needs it")).as_posix()
    if name not in names:
        raise record.column_error(
            "file_name", f"names no medium of this folder: {name}", "Mend the name, or delete the line."
        )
    phrase, label = (_typed(record, c, str, "Write text") if record.has(c) else "" for c in ("phrase", "label"))
    harmful = _typed(record, "harmful", bool, "Write true or false") if record.has("harmful") else None
    return LabelledMedium(names[name], name, phrase, label, harmful)


def _typed(record: Record, column: str, kind: type, advice: str) -> Any:
    value = record.values.get(column)
    if not isinstance(value, kind):
        what = f"holds {preview(value)}" if record.has(column) else "is missing"
        raise record.column_error(
            column, what, f'{advice}, as in {EXAMPLE}; a harmful medium has also: "harmful": true'
        )
    return value

"""A folder of real media, and the labels in its metadata.jsonl."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sea_core.data.record import Record, preview
from sea_core.data.sources.open import open_source
from sea_core.errors import DataError
from sea_core.extraction.english import content_words, is_base_verb, lemmas, word_classes
from sea_core.extraction.rules.tokens import ADVERBS
from sea_core.model.media_folder import media_digest, media_files

METADATA_FILE = "metadata.jsonl"
EXAMPLE = '{"file_name": "bike.png", "phrase": "polish a bike"}'


@dataclass(frozen=True)
class LabelledMedium:
    """One real medium.

    Attributes:
        name: its path, relative to the folder.
        phrase: what it shows, as an example would phrase it.
        label: its class, which takes precedence over that of the phrase.
        harmful: None if the metadata does not say.
    """

    path: Path
    name: str
    phrase: str = ""
    label: str = ""
    harmful: bool | None = None


@dataclass(frozen=True)
class LabelledMedia:
    """The media of a folder, sorted by name. `digest` is that of their content."""

    folder: Path
    media: tuple[LabelledMedium, ...]
    digest: str


def read_labelled_media(folder: Path) -> LabelledMedia:
    """Return the media of a folder, with the labels of metadata.jsonl if it exists.

    Raises:
        DataError: there are no media, or a line of metadata.jsonl is malformed, names no medium or repeats one.
    """
    files = media_files(folder)
    paths = {path.relative_to(folder).as_posix(): path for path in files}
    labelled: dict[str, LabelledMedium] = {}
    if (folder / METADATA_FILE).is_file():
        for record in _read_records(folder / METADATA_FILE):
            medium = _parse_medium(record, paths)
            if medium.name in labelled:
                raise DataError(
                    f"{medium.name} is listed twice", hint="Delete one of the two lines.", where=record.where
                )
            labelled[medium.name] = medium
    media = tuple(labelled.get(name) or LabelledMedium(path, name) for name, path in paths.items())
    return LabelledMedia(folder, media, media_digest(files))


def make_label(phrase: str, kind: str) -> str:
    """Return the class of a phrase: the base form of an activity's first verb, or a product's whole phrase."""
    words = content_words(phrase)
    if kind == "product" or not words:
        return normalise(phrase)
    verbs = (_base_form(word) for word in words if word not in ADVERBS)
    return next((verb for verb in verbs if verb), words[0])


def normalise(text: str) -> str:
    """Return the text in lower case, on one line."""
    return re.sub(r"\s+", " ", text).strip().casefold()


def _base_form(word: str) -> str:
    """Return the base form of a verb, or "". A word that is not in the dictionary is taken for a recent verb."""
    if is_base_verb(word):
        return word
    base_forms = (lemma for lemma in sorted(lemmas(word)) if is_base_verb(lemma))
    return next(base_forms, "" if word_classes(word) else word)


def _read_records(file: Path) -> Iterator[Record]:
    for place, value in open_source(file).items:
        if isinstance(value, DataError):
            raise value
        if not isinstance(value, dict):
            raise DataError("this line is not a JSON object", hint=f"Expected for example {EXAMPLE}", where=str(place))
        yield Record(value, place)


def _parse_medium(record: Record, paths: Mapping[str, Path]) -> LabelledMedium:
    name = Path(_typed(record, "file_name", str, "Every line needs it")).as_posix()
    if name not in paths:
        raise record.column_error(
            "file_name", f"is not a medium of this folder: {name}", "Fix the name, or delete the line."
        )
    phrase = _typed(record, "phrase", str, "Write text") if record.has("phrase") else ""
    label = _typed(record, "label", str, "Write text") if record.has("label") else ""
    harmful = _typed(record, "harmful", bool, "Write true or false") if record.has("harmful") else None
    return LabelledMedium(paths[name], name, phrase, label, harmful)


def _typed(record: Record, column: str, kind: type, advice: str) -> Any:
    """Return the value of a column. Raises DataError if it is not of that type."""
    value = record.values.get(column)
    if not isinstance(value, kind):
        problem = f"is {preview(value)}" if record.has(column) else "is missing"
        raise record.column_error(
            column, problem, f'{advice}, for example {EXAMPLE}. A harmful medium also has: "harmful": true'
        )
    return value

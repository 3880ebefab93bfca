"""Where a benchmark's texts come from: MM-SafetyBench's question files, a table, or the demo."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sea_bench.build.question_text import CaseTexts, guess_kind, mentioned_kind, rephrase
from sea_bench.dataset import read_question_file
from sea_bench.layout import MM_QUESTIONS, MM_TO_VA, natural_order
from sea_core.data.examples import Kind
from sea_core.data.record import Place, Record
from sea_core.data.sources.open import open_source
from sea_core.errors import DataError, SeaError

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("id",),
    "scenario": ("scenario", "category"),
    "question": ("question",),
    "phrase": ("phrase", "key_phrase"),
    "kind": ("kind", "phrase_type"),
    "rephrased": ("rephrased_question", "rephrased"),
    "rephrased_scene": ("rephrased_question(sd)", "rephrased_scene"),
    "benign": ("benign",),
}
"""Our names for a table's columns, and what they may be called there; blanks and capitals do not matter."""
NAME = re.compile(r"[^/\\\x00-\x1f]{1,120}")
TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0", "")


@dataclass(frozen=True)
class CaseSource:
    """The texts of a benchmark to be built.

    Attributes:
        texts: in the order in which they are built.
        name: the folder or file, or "demo".
        digest: SHA-256 of all texts: a build goes on only with the same.
        left_out: scenarios of MM-SafetyBench that the set is not made of.
    """

    texts: tuple[CaseTexts, ...]
    name: str
    digest: str
    skipped_scenarios: tuple[str, ...] = ()

    @classmethod
    def from_texts(cls, texts: list[CaseTexts], name: str, left_out: tuple[str, ...] = ()) -> CaseSource:
        digest = hashlib.sha256("\n".join(map(repr, texts)).encode()).hexdigest()
        return cls(tuple(texts), name, digest, left_out)


def read_source(path: Path, modality: str) -> CaseSource:
    """Read MM-SafetyBench's folder, or a table of any kind that rows are read from.

    For video and audio, MM-SafetyBench's eight scenarios get VA-SafetyBench's names, and the other five are left out.

    Raises:
        DataError: something cannot be read, with the file, its line, and what to do about it.
    """
    if path.is_dir():
        return _mm_safetybench(path, modality)
    texts: list[CaseTexts] = []
    seen: dict[tuple[str, str, bool], int] = {}
    for record in _records(path):
        found = _texts(
            record,
            record.text("id") if not _is_number(record, "id") else str(record.value("id")),
            record.text("scenario"),
        )
        key = (found.scenario, found.id, found.benign)
        if key in seen:
            raise DataError(
                f"the id {found.id!r} is used twice in {found.scenario}, on line {seen[key]} and on line {record.line}",
                where=record.where,
                hint="Give each case of a scenario an id of its own.",
            )
        seen[key] = record.line
        texts.append(found)
    if not texts:
        raise DataError("the table holds no cases", where=str(path), hint="Give each case a row.")
    return CaseSource.from_texts(texts, str(path))


def _mm_safetybench(path: Path, modality: str) -> CaseSource:
    folder = path if path.name == MM_QUESTIONS else path / MM_QUESTIONS
    files = sorted(folder.glob("*.json"), key=lambda file: natural_order(file.stem))
    if not files:
        raise DataError(
            f"there are no question files in {folder}",
            hint="Give MM-SafetyBench's folder (with processed_questions/), or a CSV or JSON Lines table.",
        )
    texts, left_out = [], []
    for file in files:
        scenario = file.stem if modality == "image" else MM_TO_VA.get(file.stem, file.stem)
        if modality != "image" and file.stem not in MM_TO_VA and re.match(r"\d\d-", file.stem):
            left_out.append(file.stem)
            continue
        for case_id, value in read_question_file(file).items():
            if not isinstance(value, dict):
                raise DataError(f"case {case_id} is not an object", where=str(file), hint="Take it out, or mend it.")
            texts.append(_texts(Record(_plain(value), Place(file, 0)), case_id, scenario))
    return CaseSource.from_texts(texts, str(path), tuple(left_out))


def _texts(record: Record, id: str, scenario: str) -> CaseTexts:
    for name in (id, scenario):
        if not NAME.fullmatch(name) or name.startswith("."):
            raise DataError(
                f"{name!r} cannot be the name of a file",
                where=record.where,
                hint="Ids and scenarios become file names: letters, digits and hyphens are safe.",
            )
    question, phrase = record.text("question"), record.text("phrase")
    told = record.text("kind").lower() if record.has("kind") else ""
    rephrased = record.text("rephrased") if record.has("rephrased") else None
    kind: Kind = (
        "activity"
        if told == "activity"
        else "product"
        if told == "product"
        else (mentioned_kind(rephrased) or guess_kind(phrase))
    )
    rephrased = rephrased or rephrase(question, phrase, kind)
    if rephrased is None:
        raise DataError(
            f"case {id} has no rephrased question, and none can be made: its question does not hold {phrase!r}",
            where=record.where,
            hint="Write a column `rephrased question`: The image shows a phrase of an activity ...",
        )
    scene = record.text("rephrased_scene") if record.has("rephrased_scene") else None
    return CaseTexts(id, scenario, question, phrase, kind, rephrased, scene, _flag(record))


def _flag(record: Record) -> bool:
    value = record.value("benign") if record.has("benign") else False
    if isinstance(value, bool):
        return value
    if str(value).strip().lower() not in (*TRUE, *FALSE):
        raise DataError(f"benign is {value!r}", where=record.where, hint="Write true or false.")
    return str(value).strip().lower() in TRUE


def _records(path: Path) -> Iterator[Record]:
    source = open_source(path)
    for place, value in source.items:
        if isinstance(value, DataError):
            raise value
        if not isinstance(value, dict):
            raise DataError(
                "a case must be a JSON object",
                where=str(place),
                hint='Write {"id": "1", "scenario": "...", "question": "...", "phrase": "..."}.',
            )
        yield Record(_plain(value), place, untyped=source.untyped)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give the columns our names; the others are left out."""
    lowered = {"_".join(str(key).lower().split()): value for key, value in row.items()}
    return {
        ours: lowered[name] for ours, names in COLUMNS.items() for name in names[::-1] if lowered.get(name) is not None
    }


def _is_number(record: Record, column: str) -> bool:
    return isinstance(record.values.get(column), int) and not isinstance(record.values.get(column), bool)


def limit_cases(source: CaseSource, limit: int | None) -> tuple[CaseTexts, ...]:
    """Return the first `limit` cases of each scenario, each with its twin, so that no scenario is empty."""
    if limit is None:
        return source.texts
    taken: dict[tuple[str, bool], int] = {}
    kept = []
    for texts in source.texts:
        key = (texts.scenario, texts.benign)
        taken[key] = taken.get(key, 0) + 1
        if taken[key] <= limit:
            kept.append(texts)
    if not kept:
        raise SeaError("--limit leaves no case", hint="Type for example: --limit 2")
    return tuple(kept)

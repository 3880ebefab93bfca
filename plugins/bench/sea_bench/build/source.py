"""Read the texts of a benchmark to be built: MM-SafetyBench's question files, or a table."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sea_bench.build.question_text import CaseTexts, guess_kind, rephrase
from sea_bench.case import is_reserved, mentioned_kind
from sea_bench.dataset import read_question_file
from sea_bench.layout import MM_QUESTIONS, MM_TO_VA, question_files
from sea_core.data.examples import Kind
from sea_core.data.record import Place, Record, parse_flag
from sea_core.data.sources.open import open_source
from sea_core.errors import DataError, SeaError
from sea_core.extraction.wording import is_latin
from sea_core.runs.containment import is_file_name, require_contained

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
"""Our names for a table's columns, and their names in tables; spaces and capitals are ignored."""


@dataclass(frozen=True)
class CaseSource:
    """The texts of a benchmark to be built.

    Attributes:
        texts: in the order in which they are built.
        name: the folder or file, or "demo".
        digest: SHA-256 of all texts. A build is resumed only with the same.
        skipped_scenarios: scenarios of MM-SafetyBench that the set does not use.
    """

    texts: tuple[CaseTexts, ...]
    name: str
    digest: str
    skipped_scenarios: tuple[str, ...] = ()

    @classmethod
    def from_texts(cls, texts: list[CaseTexts], name: str, skipped_scenarios: tuple[str, ...] = ()) -> CaseSource:
        lines = (json.dumps(asdict(case), sort_keys=True) for case in texts)
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        return cls(tuple(texts), name, digest, skipped_scenarios)


def read_source(path: Path, modality: str) -> CaseSource:
    """Read MM-SafetyBench's folder, or a table in any format that examples are read from.

    For video and audio, eight scenarios of MM-SafetyBench get VA-SafetyBench's names, and the other five are skipped.

    Raises:
        DataError: something cannot be read; with the file, the line, and how to fix it.
    """
    return _read_mm_safetybench(path, modality) if path.is_dir() else _read_table(path)


def limit_cases(source: CaseSource, limit: int | None) -> tuple[CaseTexts, ...]:
    """Return the first `limit` cases of each scenario, and of its benign twin, so that no scenario is empty."""
    if limit is None:
        return source.texts
    counts: dict[tuple[str, bool], int] = {}
    kept = []
    for texts in source.texts:
        group = (texts.scenario, texts.benign)
        counts[group] = counts.get(group, 0) + 1
        if counts[group] <= limit:
            kept.append(texts)
    if not kept:
        raise SeaError("--limit leaves no case", hint="Type for example: --limit 2")
    return tuple(kept)


# --- MM-SafetyBench ---------------------------------------------------------------------------------------------------


def _read_mm_safetybench(path: Path, modality: str) -> CaseSource:
    require_contained(path)
    folder = path if path.name == MM_QUESTIONS else path / MM_QUESTIONS
    files = question_files(folder)
    if not files:
        raise DataError(
            f"there are no question files in {folder}",
            hint="Give MM-SafetyBench's folder (with processed_questions/), or a CSV or JSON Lines table.",
        )
    texts, skipped = [], []
    for file in files:
        scenario = file.stem if modality == "image" else MM_TO_VA.get(file.stem, file.stem)
        if modality != "image" and file.stem not in MM_TO_VA and re.match(r"\d\d-", file.stem):
            skipped.append(file.stem)
            continue
        for case_id, values in read_question_file(file).items():
            if not isinstance(values, dict):
                raise DataError(
                    f"case {case_id} is not a JSON object", where=str(file), hint="Fix the case, or remove it."
                )
            texts.append(_read_texts(Record(_rename_columns(values), Place(file, 0)), case_id, scenario))
    return CaseSource.from_texts(texts, str(path), tuple(skipped))


# --- tables -----------------------------------------------------------------------------------------------------------


def _read_table(path: Path) -> CaseSource:
    texts: list[CaseTexts] = []
    lines: dict[tuple[str, str, bool], int] = {}
    for record in _read_records(path):
        case = _read_texts(record, _read_id(record), record.text("scenario"))
        key = (case.scenario, case.id, case.benign)
        if key in lines:
            raise DataError(
                f"the id {case.id!r} is used twice in {case.scenario}, on line {lines[key]} and on line {record.line}",
                where=record.where,
                hint="Give each case of a scenario its own id.",
            )
        lines[key] = record.line
        texts.append(case)
    if not texts:
        raise DataError("the table contains no cases", where=str(path), hint="Write one case a line.")
    return CaseSource.from_texts(texts, str(path))


def _read_records(path: Path) -> Iterator[Record]:
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
        yield Record(_rename_columns(value), place, untyped=source.untyped)


def _rename_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values under our names for the columns; other columns are dropped."""
    lowered = {"_".join(str(key).lower().split()): value for key, value in values.items()}
    return {
        ours: lowered[name] for ours, names in COLUMNS.items() for name in names[::-1] if lowered.get(name) is not None
    }


def _read_id(record: Record) -> str:
    """Return the id; a whole number is taken as text."""
    value = record.values.get("id")
    return str(record.value("id")) if isinstance(value, int) and not isinstance(value, bool) else record.text("id")


# --- one case ---------------------------------------------------------------------------------------------------------


def _read_texts(record: Record, id: str, scenario: str) -> CaseTexts:
    for name in (id, scenario):
        if not is_file_name(name):
            raise DataError(
                f"{name!r} cannot be used as a file name",
                where=record.where,
                hint="Ids and scenarios become file names: letters, digits and hyphens are safe.",
            )
    if is_reserved(scenario):
        raise DataError(
            f"no scenario can be called {scenario!r}: the report has a row of that name",
            where=record.where,
            hint="Give it another name.",
        )
    question, phrase = record.text("question"), record.text("phrase")
    rephrased = record.text("rephrased") if record.has("rephrased") else None
    kind = _read_kind(record, rephrased, phrase)
    rephrased = rephrased or rephrase(question, phrase, kind)
    if rephrased is None:
        raise DataError(
            f"case {id} has no rephrased question, and none can be made: its question does not contain {phrase!r}",
            where=record.where,
            hint="Write a column `rephrased question`: The image shows a phrase of an activity ...",
        )
    scene = record.text("rephrased_scene") if record.has("rephrased_scene") else None
    return CaseTexts(id, scenario, question, phrase, kind, rephrased, scene, _read_benign(record))


def _read_kind(record: Record, rephrased: str | None, phrase: str) -> Kind:
    """Return the kind by its column, else as the rephrased question mentions it, else by the phrase."""
    column = record.text("kind").lower() if record.has("kind") else ""
    if column == "activity":
        return "activity"
    if column == "product":
        return "product"
    if mentioned := mentioned_kind(rephrased):
        return mentioned
    if not is_latin(phrase):
        raise DataError(
            f"the kind of {phrase!r} is not known: no rule reads its language",
            where=record.where,
            hint='Write a column `kind`: "activity" or "product".',
        )
    return guess_kind(phrase)


def _read_benign(record: Record) -> bool:
    value = record.value("benign") if record.has("benign") else False
    found = False if isinstance(value, str) and not value.strip() else parse_flag(value)
    if found is None:
        raise DataError(f"benign is {value!r}", where=record.where, hint="Write true or false.")
    return found

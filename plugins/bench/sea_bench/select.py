"""Which cases of a benchmark are put to a model, and which cannot be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from sea_bench import layout
from sea_bench.case import Case, Condition
from sea_bench.dataset import TEXT_ONLY, Benchmark, Issue, read_set_manifest
from sea_core.errors import DataError, suggest
from sea_core.runs.atomic import sha256

CONDITIONS: tuple[Condition, ...] = ("text", "media", "blank", "no_media")


@dataclass(frozen=True)
class Selection:
    """What a run was asked to do.

    Attributes:
        cases: those that can be asked, condition by condition in the benchmark's order.
        missing: rows of those that cannot: their medium is not there, or their text is not as it should be.
    """

    cases: tuple[Case, ...]
    missing: tuple[dict[str, Any], ...]

    def __len__(self) -> int:
        return len(self.cases) + len(self.missing)


@dataclass(frozen=True)
class CaseFilter:
    """What was asked for; empty means all."""

    tasks: Sequence[str] = ()
    scenarios: Sequence[str] = ()
    conditions: Sequence[str] = ("text", "media")
    limit: int | None = None
    """The first N cases of each scenario and task."""


def select_cases(benchmark: Benchmark, wanted: CaseFilter) -> Selection:
    """Return what is asked for.

    Raises:
        DataError: a task, scenario or condition that the benchmark does not have, or nothing is left.
    """
    lost = [one for one in benchmark.issues if one.task and one.id]
    rows: list[Case | Issue] = [*benchmark.cases, *lost]
    _known("task", wanted.tasks, {row.task for row in rows})
    _known("scenario", wanted.scenarios, {row.scenario for row in rows})
    _known("condition", wanted.conditions, set(CONDITIONS))
    cases = [case for case in benchmark.cases if _fits(case, wanted)]
    there = {case.key for case in cases}
    missing = [row for one in lost if _fits(one, wanted) and (row := _missing(benchmark, one))["key"] not in there]
    if wanted.limit is not None:
        cases = _first(cases, wanted.limit)
        missing = []  # a first look is at what is there
    asked = [case for condition in wanted.conditions for case in _under(cases, cast(Condition, condition))]
    if "media" not in wanted.conditions:
        missing = [row for row in missing if row["task"] == TEXT_ONLY]
    if not asked and not missing:
        raise DataError(
            "no case is left to ask", hint="Type: sea bench check DIR  to see its tasks.", where=str(benchmark.folder)
        )
    return Selection(tuple(asked), tuple(missing))


def set_digest(folder: Path, modality: str) -> str:
    """Return what tells a set from another: its question files and those of its twin, and what the manifest says of it.

    A medium that was missing, and comes later, does not change it; each row keeps its own medium's digest.
    """
    found = hashlib.sha256(json.dumps(read_set_manifest(folder, modality), sort_keys=True).encode())
    for root in (folder, folder / layout.BENIGN_FOLDER):
        questions = layout.find_sets(root).get(modality)
        for file in sorted(questions.glob("*.json")) if questions else ():
            found.update(f"{file.relative_to(folder)}:{sha256(file.read_bytes())}".encode())
    return f"sha256:{found.hexdigest()[:16]}"


def _under(cases: Sequence[Case], condition: Condition) -> list[Case]:
    """Return the cases under a condition. Without its medium, a case that has no text asks nothing, and is none."""
    if condition in ("text", "media"):
        return [case for case in cases if case.condition == condition]
    media = [case for case in cases if case.media and (case.text is not None or condition == "blank")]
    return [case.with_condition(condition) for case in media]  # type: ignore[arg-type]  # the two others are left


def _fits(row: Case | Issue, wanted: CaseFilter) -> bool:
    named = not wanted.tasks or row.task in wanted.tasks
    return named and (not wanted.scenarios or row.scenario in wanted.scenarios)


def _first(cases: Sequence[Case], limit: int) -> list[Case]:
    seen: dict[tuple[str, str, bool], int] = {}
    kept = []
    for case in cases:
        place = (case.scenario, case.task, case.benign)
        seen[place] = seen.get(place, 0) + 1
        if seen[place] <= limit:
            kept.append(case)
    return kept


def _missing(benchmark: Benchmark, one: Issue) -> dict[str, Any]:
    """Return the row of a case that cannot be asked, in the form of the answers."""
    twins = (c for c in benchmark.cases if (c.scenario, c.id, c.benign) == (one.scenario, one.id, one.benign))
    return {
        "key": _key(one.modality, one.scenario, one.task, one.id, one.benign),
        "id": one.id,
        "scenario": one.scenario,
        "task": one.task,
        "modality": one.modality,
        "condition": "text" if one.task == TEXT_ONLY else "media",
        "benign": one.benign,
        "question": next((c.question for c in twins), None),
        "status": "missing",
        "detail": one.message,
    }


def _key(modality: str, scenario: str, task: str, id: str, benign: bool) -> str:
    return Case(id, scenario, task, modality, None, None, "", benign=benign).key


def _known(what: str, asked: Sequence[str], known: set[str]) -> None:
    for word in asked:
        if word not in known:
            raise DataError(f"there is no {what} {word!r}", hint=suggest(word, sorted(known)))

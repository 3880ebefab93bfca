"""Choose the cases of a benchmark that are put to a model, and list those that cannot be."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from sea_bench import layout
from sea_bench.case import Case, Condition
from sea_bench.dataset import Benchmark, Issue, is_text_only, read_set_manifest
from sea_core.errors import DataError, suggest
from sea_core.runs.digests import sha256

CONDITIONS: tuple[Condition, ...] = get_args(Condition)


@dataclass(frozen=True)
class CaseFilter:
    """Which cases to take; an empty list means all."""

    tasks: Sequence[str] = ()
    scenarios: Sequence[str] = ()
    conditions: Sequence[str] = ("text", "media")
    limit: int | None = None
    """The first N cases of each scenario and task."""


@dataclass(frozen=True, slots=True)
class MissingCase:
    """A case that cannot be asked: its medium does not exist, or its text is malformed.

    Attributes:
        case: without text and medium; its question is empty if no other task of the case has it.
    """

    case: Case
    reason: str


@dataclass(frozen=True)
class Selection:
    """The selected cases.

    Attributes:
        cases: those that can be asked, condition by condition in the benchmark's order.
        missing: those that cannot.
    """

    cases: tuple[Case, ...]
    missing: tuple[MissingCase, ...]

    def __len__(self) -> int:
        return len(self.cases) + len(self.missing)


def select_cases(benchmark: Benchmark, wanted: CaseFilter) -> Selection:
    """Return the cases that a filter takes.

    Raises:
        DataError: the benchmark has no such task, scenario or condition, or no case is left.
    """
    unusable = [issue for issue in benchmark.issues if issue.task and issue.id]
    _check_filter(wanted, [*benchmark.cases, *unusable])
    cases = [case for case in benchmark.cases if _matches(case, wanted)]
    keys = {case.key for case in cases}
    all_missing = [_missing_case(benchmark, issue) for issue in unusable if _matches(issue, wanted)]
    missing = [item for item in all_missing if item.case.key not in keys]
    if wanted.limit is not None:
        cases = _first_of_each(cases, wanted.limit)
        missing = []  # a limited run is about the cases that exist
    selected = [case for condition in wanted.conditions for case in _with_condition(cases, cast(Condition, condition))]
    if "media" not in wanted.conditions:
        missing = [item for item in missing if is_text_only(item.case.task)]
    if not selected and not missing:
        raise DataError(
            "no case matches", hint="List its tasks and scenarios: sea bench check DIR", where=str(benchmark.folder)
        )
    return Selection(tuple(selected), tuple(missing))


def set_digest(folder: Path, modality: str) -> str:
    """Return a digest of a set: its question files, those of its benign twin, and its entry in the manifest.

    Media are not part of it, so that a missing one can be added later; each answer keeps its own medium's digest.
    """
    digest = hashlib.sha256(read_set_manifest(folder, modality).text.encode())
    for _, root in layout.benchmark_roots(folder):
        questions = layout.find_sets(root).get(modality)
        for file in sorted(questions.glob("*.json")) if questions else ():
            digest.update(f"{file.relative_to(folder)}:{sha256(file.read_bytes())}".encode())
    return f"sha256:{digest.hexdigest()[:16]}"


def _check_filter(wanted: CaseFilter, known: Sequence[Case | Issue]) -> None:
    _require_known("task", wanted.tasks, {case.task for case in known})
    _require_known("scenario", wanted.scenarios, {case.scenario for case in known})
    _require_known("condition", wanted.conditions, set(CONDITIONS))


def _require_known(what: str, names: Sequence[str], known: set[str]) -> None:
    for name in names:
        if name not in known:
            raise DataError(f"there is no {what} {name!r}", hint=suggest(name, sorted(known)))


def _matches(case: Case | Issue, wanted: CaseFilter) -> bool:
    task_matches = not wanted.tasks or case.task in wanted.tasks
    return task_matches and (not wanted.scenarios or case.scenario in wanted.scenarios)


def _first_of_each(cases: Sequence[Case], limit: int) -> list[Case]:
    """Return the first `limit` cases of each scenario and task."""
    counts: dict[tuple[str, str, bool], int] = {}
    kept = []
    for case in cases:
        group = (case.scenario, case.task, case.benign)
        counts[group] = counts.get(group, 0) + 1
        if counts[group] <= limit:
            kept.append(case)
    return kept


def _with_condition(cases: Sequence[Case], condition: Condition) -> list[Case]:
    """Return the cases under a condition. Without its medium, a case that has no text asks nothing, and is skipped."""
    if condition == "text" or condition == "media":
        return [case for case in cases if case.condition == condition]
    media = [case for case in cases if case.media and (case.text is not None or condition == "blank")]
    return [case.with_condition(condition) for case in media]


def _missing_case(benchmark: Benchmark, issue: Issue) -> MissingCase:
    place = (issue.scenario, issue.id, issue.benign)
    questions = (case.question for case in benchmark.cases if (case.scenario, case.id, case.benign) == place)
    case = Case(
        id=issue.id,
        scenario=issue.scenario,
        task=issue.task,
        modality=issue.modality,
        text=None,
        media=None,
        question=next(questions, ""),
        benign=issue.benign,
        condition="text" if is_text_only(issue.task) else "media",
    )
    return MissingCase(case, issue.message)

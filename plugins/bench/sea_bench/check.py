"""Check a benchmark folder: count its cases and media, and open every medium."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sea_bench import layout
from sea_bench.build.media_io import check_medium
from sea_bench.case import Case
from sea_bench.dataset import Benchmark, Issue, IssueKind, is_text_only
from sea_bench.medium import media_files, medium_digest, visible
from sea_core.errors import DataError


@dataclass(frozen=True, slots=True)
class TaskCount:
    """How many cases and media one task of one scenario has.

    Attributes:
        cases: number of cases according to the question files.
        media: number of media that exist and can be read; None for a task without media.
        missing: number of media that do not exist.
        corrupt: number of media that are unreadable, or differ from the manifest.
        published: number of published cases, if the scenario is a published one.
    """

    modality: str
    scenario: str
    task: str
    benign: bool
    cases: int
    media: int | None
    missing: int
    corrupt: int
    published: int | None


def check_media(benchmark: Benchmark) -> Iterator[Issue | None]:
    """Open every medium. Yields for each its issue or None, then an issue for each medium that no case refers to."""
    used = set()
    for case in benchmark.cases:
        if case.media is not None:
            used.add(case.media)
            yield _check_medium(case, case.media)
    yield from _unused_media(benchmark, used)


def count_cases(benchmark: Benchmark, issues: Sequence[Issue]) -> list[TaskCount]:
    """Count cases and media by set, scenario and task; the benign twin's come last.

    Args:
        issues: the benchmark's own and those of `check_media`.
    """
    present = Counter((case.benign, case.modality, case.scenario, case.task) for case in benchmark.cases)
    missing, corrupt = _by_task(issues, "missing"), _by_task(issues, "corrupt")
    # A stable sort: tasks stay in the order of the question files.
    keys = sorted(dict.fromkeys([*present, *missing]), key=lambda key: (*key[:2], layout.natural_order(key[2])))
    return [
        TaskCount(
            modality=modality,
            scenario=scenario,
            task=task,
            benign=benign,
            cases=present[key] + missing[key],
            media=present[key] - corrupt[key] if not is_text_only(task) else None,
            missing=missing[key],
            corrupt=corrupt[key],
            published=None if benign else layout.published_counts(modality).get(scenario),
        )
        for key in keys
        for benign, modality, scenario, task in [key]
    ]


def _by_task(issues: Iterable[Issue], kind: IssueKind) -> Counter[tuple[bool, str, str, str]]:
    return Counter((issue.benign, issue.modality, issue.scenario, issue.task) for issue in issues if issue.kind == kind)


def _check_medium(case: Case, path: Path) -> Issue | None:
    """Return an issue if the medium cannot be decoded, or is not the one that the manifest names."""
    message = ""
    try:
        for modality, file in media_files(path, case.modality).items():
            check_medium(file, modality)
    except DataError as error:
        message = f"corrupt medium: {error.what}"
    if not message and case.media_sha256 not in (None, medium_digest(path, case.modality)):
        message = "corrupt medium: its SHA-256 is not the one in the manifest"
    if not message:
        return None
    return Issue("corrupt", case.modality, case.scenario, case.task, case.id, message, case.benign)


def _unused_media(benchmark: Benchmark, used: set[Path]) -> Iterator[Issue]:
    modalities = sorted({case.modality for case in benchmark.cases})
    missing = [issue for issue in benchmark.issues if issue.kind == "missing"]
    incomplete = {(issue.benign, issue.modality, issue.scenario, issue.task, issue.id) for issue in missing}
    for benign, root in layout.benchmark_roots(benchmark.folder):
        for modality in modalities:
            for path in sorted(layout.media_folder(root, modality).glob("*/*/*")):
                scenario, task = path.parts[-3:-1]
                name = path.name if path.is_dir() else path.stem
                if path in used or (benign, modality, scenario, task, name) in incomplete:
                    continue
                if not path.name.startswith(".") and (path.is_file() or _has_media(path, modality)):
                    message = "no case refers to this medium"
                    yield Issue("unused", modality, scenario, task, name, message, benign)


def _has_media(folder: Path, modality: str) -> bool:
    """Return whether a folder is a medium of a joint modality, whole or not."""
    return len(layout.modality_parts(modality)) > 1 and bool(visible(folder))

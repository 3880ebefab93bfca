"""Look a benchmark over: what it holds, what is missing, and whether its media are whole."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sea_bench import layout
from sea_bench.build.sets.base import decode_check
from sea_bench.case import Case
from sea_bench.dataset import Benchmark, Issue, read_set_manifest
from sea_core.errors import DataError


@dataclass(frozen=True, slots=True)
class TaskCount:
    """What a folder holds of one task of one scenario.

    Attributes:
        cases: how many there should be, by the question files.
        media: how many of their media are there and whole; None for a task without media.
        missing: how many are not there; broken: there, but unreadable or other than the manifest says.
        published: how many cases are published, where the scenario is a published one.
    """

    modality: str
    scenario: str
    task: str
    benign: bool
    cases: int
    media: int | None
    missing: int
    broken: int
    published: int | None


def check_media(benchmark: Benchmark) -> Iterator[Issue | None]:
    """Open every medium; yields for each what is wrong with it, or None. Then the media that no case names."""
    digests = {
        modality: read_set_manifest(benchmark.folder, modality).get("media", {})
        for modality in {c.modality for c in benchmark.cases}
    }
    used = set()
    for case in benchmark.cases:
        if case.media is not None:
            used.add(case.media)
            yield _broken(case, digests[case.modality].get(case.media.relative_to(benchmark.folder).as_posix()))
    yield from _orphans(benchmark, used)


def count_cases(benchmark: Benchmark, findings: Sequence[Issue]) -> list[TaskCount]:
    """Count cases and media by set, scenario and task, the benign twin's behind the others.

    Args:
        findings: the benchmark's own and those of `look_into`.
    """
    missing = _by_task(f for f in findings if f.message == "missing medium")
    broken = _by_task(f for f in findings if f.message.startswith("broken"))
    here = Counter((c.benign, c.modality, c.scenario, c.task) for c in benchmark.cases)
    rows = []
    # Tasks stay in the order of the question files.
    for key in sorted(dict.fromkeys([*here, *missing]), key=lambda key: (key[0], key[1], layout.natural_order(key[2]))):
        benign, modality, scenario, task = key
        has_media = task != "Text_only"
        rows.append(
            TaskCount(
                modality,
                scenario,
                task,
                benign,
                here[key] + missing[key],
                here[key] - broken[key] if has_media else None,
                missing[key],
                broken[key],
                None if benign else layout.published_counts(modality).get(scenario),
            )
        )
    return rows


def _broken(case: Case, digest: str | None) -> Issue | None:
    assert case.media is not None
    what = ""
    try:
        decode_check(case.media, case.modality)
    except DataError as error:
        what = f"broken medium: {error.what}"
    if not what and digest is not None:
        with case.media.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                what = "broken medium: it is not the file that the manifest names"
    return Issue(case.modality, case.scenario, case.task, case.id, what, case.benign) if what else None


def _orphans(benchmark: Benchmark, used: set[Path]) -> Iterator[Issue]:
    for benign, root in ((False, benchmark.folder), (True, benchmark.folder / layout.BENIGN_FOLDER)):
        for modality in {c.modality for c in benchmark.cases}:
            folder = layout.media_folder(root, modality)
            for path in sorted(folder.glob("*/*/*")):
                if path.is_file() and path not in used and not path.name.startswith("."):
                    scenario, task = path.parts[-3:-1]
                    yield Issue(modality, scenario, task, path.stem, "no case names this medium", benign)


def _by_task(findings: Iterator[Issue]) -> Counter[tuple[bool, str, str, str]]:
    return Counter((f.benign, f.modality, f.scenario, f.task) for f in findings)

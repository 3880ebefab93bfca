"""`sea bench check` from Python: validate a benchmark folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sea_bench.check import TaskCount, check_media, count_cases
from sea_bench.dataset import Issue, read_benchmark
from sea_core.pipeline.progress import SILENT, Progress


@dataclass(frozen=True)
class CheckResult:
    """The state of a benchmark folder.

    Attributes:
        cases: number of cases that can be put to a model.
        media_opened: whether the media were opened.
        counts: cases and media by set, scenario and task.
        issues: what is missing, corrupt or malformed.
    """

    folder: Path
    cases: int
    media_opened: bool
    counts: tuple[TaskCount, ...]
    issues: tuple[Issue, ...]


def check_benchmark(
    folder: Path | str, *, modality: str | None = None, open_media: bool = True, progress: Progress = SILENT
) -> CheckResult:
    """Validate a benchmark folder: count its cases, and list missing, corrupt and malformed ones.

    Args:
        modality: check only this set.
        open_media: open every medium, and compare it with the manifest.

    Raises:
        DataError: the folder has no such set, or a question file is corrupt.
    """
    benchmark = read_benchmark(Path(folder), modality)
    issues = list(benchmark.issues)
    if open_media:
        with progress.track("check", sum(case.media is not None for case in benchmark.cases)) as tracker:
            for issue in check_media(benchmark):
                issues += [issue] if issue else []
                tracker.advance()
    counts = count_cases(benchmark, issues)
    return CheckResult(Path(folder), len(benchmark.cases), open_media, tuple(counts), tuple(issues))

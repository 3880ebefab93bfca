"""`sea bench export` from Python: write a benchmark's sets as tasks of another harness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sea_bench.case import Case
from sea_bench.dataset import read_benchmark
from sea_bench.export import lmms_eval, vlmevalkit
from sea_bench.run.config import AnswerConfig
from sea_bench.select import CaseFilter, select_cases, set_digest
from sea_core.errors import SeaError, suggest
from sea_core.runs.atomic import write_text

HARNESSES = ("lmms-eval", "vlmevalkit")


@dataclass(frozen=True)
class ExportResult:
    """The exported tasks.

    Attributes:
        tasks: number of cases by task.
        skipped: number of cases that have no medium or are malformed.
    """

    folder: Path
    tasks: dict[str, int]
    skipped: int


def export_benchmark(
    harness: str,
    cases: Path | str,
    out: Path | str,
    *,
    modality: str | None = None,
    wanted: CaseFilter | None = None,
    embed: bool = True,
) -> ExportResult:
    """Write the sets of a benchmark as tasks of lmms-eval or tables for VLMEvalKit. The media stay where they are.

    Args:
        harness: lmms-eval or vlmevalkit.
        cases: the benchmark folder.
        out: the folder of the tasks; its files of the same names are overwritten.
        modality: only this set.
        wanted: which cases to take; default: all.
        embed: for VLMEvalKit, write images into the table, or else their paths.

    Raises:
        SeaError: there is no such harness.
        DataError: the benchmark has no such cases, or the harness does not support the modality.
    """
    if harness not in HARNESSES:
        raise SeaError(f"there is no harness {harness!r}", hint=suggest(harness, HARNESSES, "Harnesses"))
    benchmark, folder = Path(cases), Path(out)
    selection = select_cases(read_benchmark(benchmark, modality), wanted or CaseFilter())
    if harness == "lmms-eval":
        tasks = _export_lmms_eval(selection.cases, benchmark, folder)
    else:
        tasks = _export_vlmevalkit(selection.cases, folder, embed)
    return ExportResult(folder, tasks, len(selection.missing))


def _export_lmms_eval(cases: Sequence[Case], benchmark: Path, out: Path) -> dict[str, int]:
    modalities = dict.fromkeys(case.modality for case in cases)
    version = " ".join(f"{modality} {set_digest(benchmark, modality)}" for modality in modalities)
    tasks = lmms_eval.write_tasks(cases, out, version, AnswerConfig().max_new_tokens)
    write_text(out / "README.md", lmms_eval.readme(tasks))
    return tasks


def _export_vlmevalkit(cases: Sequence[Case], out: Path, embed: bool) -> dict[str, int]:
    tasks = vlmevalkit.write_tables(cases, out, embed)
    write_text(out / "README.md", vlmevalkit.readme(tasks, out))
    return tasks

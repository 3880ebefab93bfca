"""`sea bench import`: read a table of answers, or answer files of the published evaluation scripts, as a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import output
from sea_core.errors import number_of

if TYPE_CHECKING:
    from sea_bench.run.run_folder import BenchRun


def import_(
    answers: Annotated[
        Path, typer.Argument(metavar="ANSWERS", help="A table, or a folder of <scenario>_<task>.json files.")
    ],
    out: Annotated[Path, typer.Option(help="The run folder.")],
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="OURS=THEIRS,...",
            help="Columns of a table: question=prompt,answer=completion; also id, scenario, task, benign or harmful.",
            show_default="found by their usual names",
        ),
    ] = None,
    cases: Annotated[Path | None, typer.Option(help="The benchmark folder of published answer files.")] = None,
    modality: Annotated[
        str | None, typer.Option(help="Of what was asked about: video, audio, ...", show_default="text")
    ] = None,
    as_json: output.Json = False,
) -> None:
    """Import answers that another tool asked for as a run, to judge them and report them next to others.

    A table has a row for each answer: CSV, JSON, JSON Lines, Parquet or Arrow; logs of lmms-eval, outputs of vLLM. A
    folder with answer files of the published evaluation scripts needs --cases and --modality.
    """
    if cases is None:
        run = _import_table(answers, out, columns, modality)
    else:
        run = _import_published(answers, out, columns, cases, modality)
    verdicts = {judge: len(by_key) for judge, by_key in run.verdicts_by_judge().items()}
    counts = _count(run)
    value = {"run": run.folder, **counts, "verdicts": verdicts}
    output.emit(value, as_json, lambda: f"{run.folder}: {_describe(counts, verdicts)}")
    output.note(f"Next: sea bench judge {run.folder}")


def _count(run: BenchRun) -> dict[str, int]:
    records = run.answer_records().values()
    benign = sum(record["benign"] for record in records)
    scenarios = len({record["scenario"] for record in records})
    return {"answers": len(records), "harmful": len(records) - benign, "benign": benign, "scenarios": scenarios}


def _describe(counts: dict[str, int], verdicts: dict[str, int]) -> str:
    """Return `6 answers: 4 harmful, 2 benign, 2 scenarios`, with the verdicts that came along."""
    answers, scenarios = (number_of(counts[f"{each}s"], each) for each in ("answer", "scenario"))
    parts = [f"{counts['harmful']} harmful", f"{counts['benign']} benign", scenarios]
    parts += [f"{number_of(count, 'verdict')} by the judge {judge}" for judge, count in verdicts.items()]
    return f"{answers}: {', '.join(parts)}"


def _import_table(table: Path, out: Path, columns: str | None, modality: str | None) -> BenchRun:
    from sea_bench import layout
    from sea_bench.run.import_table import import_table
    from sea_core.cli.progress import TERMINAL
    from sea_core.errors import DataError
    from sea_core.pipeline.data_spec import parse_columns

    if layout.find_sets(table):
        raise DataError(
            f"{table} is a benchmark: it has questions, and no answers",
            hint=f"Ask a model first: sea bench run {table} --plugin NAME --out RUN   Or import a table.",
        )
    if table.is_dir() and any(table.glob("*_*.json")):
        raise DataError(
            f"{table} is a folder of answer files, and nothing says which benchmark they answer",
            hint="Give its folder and the set: --cases VA-SafetyBench --modality video   Or import one table.",
        )
    example = "question=prompt,answer=completion"
    return import_table(
        table,
        out,
        parse_columns(columns, example),
        modality="text" if modality is None else modality,
        progress=TERMINAL,
    )


def _import_published(answers: Path, out: Path, columns: str | None, cases: Path, modality: str | None) -> BenchRun:
    from sea_bench.run.import_published import import_answers
    from sea_core.errors import SeaError

    if columns is not None:
        raise SeaError("--columns is for tables, and --cases for published answer files", hint="Leave one of them out.")
    if modality is None:
        raise SeaError("published answer files need --modality", hint="Type --modality video or --modality audio.")
    return import_answers(answers, cases, modality, out)

"""`sea bench label`: label a sample of a run's answers in a browser, or in a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import output
from sea_core.errors import number_of

if TYPE_CHECKING:
    from sea_bench.labels.sample import LabelSample


def label(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Benchmark runs (sea bench run).")],
    annotator: Annotated[str, typer.Option(help="Who labels; two people label the same answers.")] = "annotator-1",
    sample: Annotated[int, typer.Option(min=1, help="How many answers of each run; more can be added later.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Of the sample.")] = 0,
    cases: Annotated[
        Path | None,
        typer.Option(help="The benchmark's folder, for the media.", show_default="the one that the run names"),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the sample as CSV (FILE.csv); read its labels if the file exists."),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")] = 8766,
    as_json: output.Json = False,
) -> None:
    """Label a sample of the answers by hand, on a page that is served to this machine only.

    The report then says how far each judge is right, and corrects its rates. Re-run the same command to resume.
    """
    from sea_bench.labels.sample import LabelSample
    from sea_bench.run.run_folder import BenchRun
    from sea_core.cli.inputs import require_benchmark

    if cases is not None:
        require_benchmark(cases)
    sampled = LabelSample([BenchRun(run) for run in runs], annotator, size=sample, seed=seed, cases=cases)
    if table is None:
        _serve(sampled, port)
    else:
        _exchange(sampled, table)
    labels = sampled.read()
    value = {
        "annotator": annotator,
        "answers": len(labels),
        "labelled": sum(each is not None for each in labels),
        "unclear": labels.count("unclear"),
    }
    output.emit(value, as_json, lambda: output.grid(("metric", "value"), list(value.items())))
    if any(labels):
        output.note(f"Next: sea bench report {' '.join(map(str, runs))}")


def _serve(sample: LabelSample, port: int) -> None:
    from sea_bench.pages.label import LabelPage
    from sea_bench.pages.server import serve

    def on_ready(address: str) -> None:
        count = sum(label is None for label in sample.read())
        output.note(f"{number_of(count, 'answer')} to label: open {address}  (Ctrl-C when done; labels are kept)")

    serve(LabelPage(sample), port, on_ready)


def _exchange(sample: LabelSample, table: Path) -> None:
    from sea_bench.labels.labels import LABELS
    from sea_bench.labels.table import WITHDRAW, read_table, write_table

    if table.exists():
        found = read_table(sample, table)
        withdrawn = f", {found.withdrawn} withdrawn" if found.withdrawn else ""
        output.note(f"{table}: {number_of(found.new, 'new label')}{withdrawn}")
        if found.kept:
            cells = number_of(found.kept, "empty cell keeps", "empty cells keep")
            output.note(f"{cells} the label that is stored; to take it back, write {WITHDRAW} there")
    else:
        write_table(sample, table)
        output.note(f"{table} is written. Fill in its column label ({', '.join(LABELS)}) and re-run the same command.")

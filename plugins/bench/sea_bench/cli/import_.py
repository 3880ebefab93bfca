"""`sea bench import`: read answer files of the published evaluation scripts as a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sea_core.cli import output


def import_(
    answers: Annotated[Path, typer.Argument(metavar="ANSWERS", help="A folder of <scenario>_<task>.json files.")],
    cases: Annotated[Path, typer.Option(help="The benchmark folder.")],
    modality: Annotated[str, typer.Option(help="The set: video or audio.")],
    out: Annotated[Path, typer.Option(help="The run folder.")],
    as_json: output.Json = False,
) -> None:
    """Import published answer files as a run, to judge them again and report them next to others."""
    from sea_bench.run.import_published import import_answers

    run = import_answers(answers, cases, modality, out)
    verdicts = {judge: len(by_key) for judge, by_key in run.verdicts_by_judge().items()}
    value = {"run": run.folder, "answers": len(run.answer_records()), "verdicts": verdicts}
    output.emit(value, as_json, lambda: output.grid(("metric", "value"), list(value.items())))
    output.note(f"Next: sea bench judge {run.folder}")

"""`sea bench import`: read the answer files of the published evaluation scripts as a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sea_core.cli import output


def import_(
    answers: Annotated[Path, typer.Argument(metavar="ANSWERS", help="A folder of <scenario>_<task>.json files.")],
    cases: Annotated[Path, typer.Option(help="The benchmark that they answer.")],
    modality: Annotated[str, typer.Option(help="Which of its sets: video or audio.")],
    out: Annotated[Path, typer.Option(help="The run's folder.")],
    as_json: output.Json = False,
) -> None:
    """Read published answer files as a run, so that they can be judged again and reported beside others."""
    from sea_bench.run.import_published import import_answers

    run = import_answers(answers, cases, modality, out)
    heard = {judge: len(words) for judge, words in run.verdicts_by_judge().items()}
    value = {"run": run.folder, "answers": len(run.answer_records()), "verdicts": heard}
    output.emit(value, as_json, lambda: output.grid(("imported", "value"), list(value.items())))
    output.note(f"Type: sea bench judge {run.folder}")

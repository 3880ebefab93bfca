"""`sea show`: the embeddings of a run, or one of them from its text to the verified answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli import output
from sea_core.errors import RunError, number_of
from sea_core.model.libraries import install_command

if TYPE_CHECKING:
    from sea_core.runs.embedding_run import EmbeddingRun
    from sea_core.runs.folder_kind import FolderKind

COLUMNS = ("id", "status", "steps", "loss", "phrase", "reason")
MEDIA_COLUMNS = ("id", "status", "media", "harmful", "instruction", "reason")
MISSED_COLUMNS = ("judge", "id", "content", "question", "answer")


def _run_other(context: typer.Context, kind: FolderKind, arguments: list[str]) -> None:
    """Run the command that shows a folder of another kind. Raises RunError where its plugin is not installed."""
    found: Any = context.find_root().command
    command = kind.shown_by
    _, *names = command.split()
    for name in names:
        found = found.get_command(context, name) if found else None
    if found is None:
        raise RunError(
            f"{arguments[0]} is shown by `{command}`, which is not installed",
            hint=f"Type: {install_command(kind.distribution)}",
        )
    found.main(arguments, prog_name=command, standalone_mode=False, obj=context.obj)


def show(
    context: typer.Context,
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    embedding: Annotated[
        str | None, typer.Argument(metavar="ID", help="The id of one embedding to trace, or of one answer.")
    ] = None,
    missed: Annotated[bool, typer.Option("--missed", help="List the answers that do not name the content.")] = False,
    as_json: output.Json = False,
) -> None:
    """List the embeddings of a run, or trace one: text, targets, embedding, verified answers.

    Of an aligned model it shows the outcome and the answers before and after, of a benchmark run the answers with their
    verdicts, as `sea bench show` does. `sea report` writes all of it as one page.
    """
    from sea_core.cli.show_model import show_model
    from sea_core.runs.embedding_run import EmbeddingRun
    from sea_core.runs.folder_kind import MODEL, RUN, find_folder_kind

    kind = None if missed else find_folder_kind(run)
    if kind is MODEL:
        show_model(run, embedding, as_json)
        return
    if kind and kind is not RUN and kind.shown_by:
        _run_other(context, kind, [str(run), *([embedding] if embedding else []), *["--json"] * as_json])
        return
    opened = EmbeddingRun(run)
    if missed:
        _show_missed(opened, as_json)
    elif embedding is None:
        _show_embeddings(opened, as_json)
    else:
        traced = trace(opened, embedding)
        output.emit(traced, as_json, lambda: output.grid(("", embedding), _trace_lines(traced)))


def _show_embeddings(run: EmbeddingRun, as_json: bool) -> None:
    """List what a person can use: of real media their files, of synthetic embeddings how they were found."""
    is_real = run.manifest.identity.source == "media"
    columns = MEDIA_COLUMNS if is_real else COLUMNS
    records: list[dict[str, Any]] = [dict(record) for record in run.records()]
    value = [{column: record[column] for column in columns} for record in records]
    # A run without failures has no reasons.
    shown = [column for column in columns if column != "reason" or any(record["reason"] for record in value)]
    cells = [[_cell(column, record[column]) for column in shown] for record in value]
    headings = [{"harmful": "label"}.get(column, column) for column in shown]
    output.emit(value, as_json, lambda: output.grid(headings, cells))
    if not value:
        output.note(f"No embedding is finished yet. Re-run the `sea optimize` command that made {run.folder} to go on.")
    else:
        first = value[0]["id"]
        output.note(f"One in full: sea show {run.folder} {first}   All as a page: sea report {run.folder}")


def _cell(column: str, value: Any) -> str:
    if column == "harmful":
        return "harmful" if value else "benign"
    return Path(value).name if column == "media" else output.short(value)


def _show_missed(run: EmbeddingRun, as_json: bool) -> None:
    from sea_core.verification.metrics import vsr_metrics
    from sea_core.verification.verify import missed_answers

    missed = [{"judge": judge, **answer} for judge in vsr_metrics(run) for answer in missed_answers(run, judge)]
    value = [{column: answer[column] for column in MISSED_COLUMNS} for answer in missed]
    output.emit(value, as_json, lambda: output.grid(MISSED_COLUMNS, [list(answer.values()) for answer in value]))
    if not run.current_answers():
        output.note(f"No question was asked about the embeddings yet: sea verify {run.folder}")
    elif not value:
        output.note("Every answer that was judged names the content.")


def trace(run: EmbeddingRun, embedding_id: str) -> dict[str, Any]:
    """Return everything that a run stores of an embedding, which is read and checked against its digest.

    Raises:
        RunError: there is no such embedding, or its file is corrupt.
    """
    from sea_core.runs.embedding_record import read_goals
    from sea_core.runs.embedding_run import answer_key

    record = run.store.record(embedding_id)
    verdicts = [verdict for verdict in run.verdicts.read() if verdict["id"] == embedding_id]
    answers = [
        answer | {"verdicts": {v["judge"]: v["verdict"] for v in verdicts if answer_key(v) == answer_key(answer)}}
        for answer in run.current_answers()
        if answer["id"] == embedding_id
    ]
    traced = record | {"goals": read_goals(record), "verified": answers}
    if record["sha256"]:
        features = run.load(embedding_id)[0].float()
        traced["embedding"] = {"shape": list(features.shape), "rms": features.square().mean().sqrt().item()}
    return traced


def _made_line(traced: dict[str, Any]) -> tuple[str, str]:
    """Return how an embedding was made, or that it was not."""
    seconds = f"{output.short(traced['seconds'])} s"
    if traced["source"] == "media":
        return "encoded", f"{traced['status']} after {seconds}"
    loss, margin = output.short(traced["loss"]), output.short(traced["margin"])
    steps = f"{traced['status']} after {number_of(traced['steps'], 'step')} and {seconds}"
    return "optimised", f"{steps}; loss {loss}, margin {margin}"


def _trace_lines(traced: dict[str, Any]) -> list[tuple[str, str]]:
    """Return a trace as lines, in the order in which its parts were made; `--json` has everything."""
    lines = [(name, traced[name]) for name in ("instruction", "response", "chosen", "rejected") if traced[name]]
    lines += [(name, traced[name]) for name in ("phrase", "detoxified", "media") if traced[name]]
    lines += [("target", f"{goal['prompt']}\n-> {goal['answer']}") for goal in traced["goals"]]
    lines.append(("label", _cell("harmful", traced["harmful"])))
    lines.append(_made_line(traced))
    if traced["reason"]:
        lines.append(("reason", traced["reason"]))
    if "embedding" in traced:
        shape = " x ".join(map(str, traced["embedding"]["shape"]))
        rms, file = output.short(traced["embedding"]["rms"]), traced["shard"] or "pending"
        digest = f"in {file}, sha256 {traced['sha256'][:16]}"
        lines.append(("embedding", f"{shape} {traced['dtype']}, rms {rms}\n{digest}"))
    for answer in traced["verified"]:
        verdicts = ", ".join(f"{judge}: {verdict}" for judge, verdict in answer["verdicts"].items())
        lines.append(("verified", f"{answer['question']}\n-> {answer['answer']}\n{verdicts or 'not judged'}"))
    return lines

"""How `sea show` prints an aligned model: the outcome, and the answers of the spot check before and after."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sea_core.cli import output
from sea_core.errors import RunError

if TYPE_CHECKING:
    from sea_core.alignment.run import ModelFolder
    from sea_core.alignment.spot_check import SpotCheckRecord

COLUMNS = ("id", "questions", "label", "before", "after")


def show_model(folder: Path, question: str | None, as_json: bool) -> None:
    """Print the outcome of an alignment and how each question was answered, or the answers to one question in full.

    Raises:
        RunError: there is no such question, or the folder is damaged.
    """
    from sea_core.alignment.run import ModelFolder
    from sea_core.alignment.spot_check import read_answers

    opened = ModelFolder(folder)
    records = [record for record in read_answers(opened.spot_check) if question in (None, record["id"])]
    if question is None:
        _show_outcome(opened, records, as_json)
        return
    if not records:
        raise RunError(f"the spot check has no question {question!r}", hint=f"List its questions: sea show {folder}")
    lines = [(f"{r['when']}: {_verdict(r)}", f"{r['prompt']}\n-> {r['answer']}") for r in records]
    output.emit(records, as_json, lambda: output.grid(("", question), lines))


def _show_outcome(folder: ModelFolder, records: list[SpotCheckRecord], as_json: bool) -> None:
    from sea_core.alignment.model_card import describe_answers

    metrics = dict(folder.manifest.metrics or {})
    pairs: dict[tuple[str, str, bool], dict[str, str]] = {}
    for record in records:
        pairs.setdefault((record["id"], record["group"], record["harmful"]), {})[record["when"]] = _verdict(record)
    cells = [
        [name, group, "harmful" if harmful else "benign", pair.get("before", "-"), pair.get("after", "-")]
        for (name, group, harmful), pair in pairs.items()
    ]
    value: dict[str, Any] = {**metrics, "answers": records}
    output.emit(value, as_json, lambda: output.grid(COLUMNS, cells))
    if not metrics:
        output.note("the alignment is not finished. Re-run the sea align command to go on")
        return
    output.note(f"answers about synthetic embeddings in training: {describe_answers(metrics)}")
    output.note(f"{metrics['outcome']}: {metrics['outcome_sentence']}\n  {metrics['next_step']}")
    command = f"sea show {folder.folder} {records[0]['id']}   " if records else ""
    output.note(f"One question in full: {command}All as a page: sea report {folder.folder}")


def _verdict(record: SpotCheckRecord) -> str:
    refused = {True: "refused", False: "not refused", None: "unread"}[record["refused"]]
    return f"{refused}, content named" if record["named"] and record["refused"] is False else refused

"""Rows as files of other tools: LLaMA-Factory, TRL, and our own JSON Lines. What is written is read back the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from sea_core.data.examples import MEDIA_SUFFIXES, Example, medium_kind, relative_media_path
from sea_core.errors import DataError, SeaError
from sea_core.runs.atomic import atomic_write, write_json

TrainingKind = Literal["sft", "dpo"]
INFO = "dataset_info.json"


def write_examples(
    rows: Sequence[Example], path: Path, to: str, kind: TrainingKind | None = None
) -> tuple[int, TrainingKind | None]:
    """Write rows to a new file; a name that ends in .json gives one JSON list, any other JSON Lines.

    Args:
        rows: the rows; those without the answers that `kind` needs are not written.
        path: the file. For LLaMA-Factory the `dataset_info.json` beside it gets an entry.
        to: a name in `WRITERS`.
        kind: sft or dpo, for the formats that hold one of the two. By default the one that all rows have, dpo first.

    Returns:
        how many rows were written, and as which kind (None for a format that holds both).

    Raises:
        SeaError: the file is there already, the format is unknown, or the rows are of both kinds and none was named.
        DataError: the format cannot hold a row's media.
        RunError: the disk does not take it.
    """
    if to not in WRITERS:
        raise SeaError(f'there is no format "{to}" to write', hint=f"Type one of: {', '.join(WRITERS)}")
    if path.exists():
        raise SeaError(f"{path} is there already", hint="Give a new file with --out.")
    chosen = None if to == "jsonl" else kind or _kind(rows)
    kept = [row for row in rows if chosen is None or (row.chosen if chosen == "dpo" else row.response) is not None]
    if not kept:
        raise SeaError(f"no row has what {chosen} needs", hint="Type the other --kind, or leave it out.")
    if to == "llama-factory":
        _entries(path.with_name(INFO))  # a list that cannot be added to is told before anything is written
    _write(path, [WRITERS[to](row, chosen, path.parent) for row in kept])
    if to == "llama-factory":
        _describe(path, chosen, kept)
    return len(kept), chosen


def _plain(row: Example, kind: TrainingKind | None, folder: Path) -> dict[str, Any]:
    told = {
        "id": row.id,
        "instruction": row.instruction,
        "response": row.response,
        "chosen": row.chosen,
        "rejected": row.rejected,
        "harmful": row.harmful,
    }
    found = asdict(row.extraction) if row.extraction else {}
    return {name: value for name, value in told.items() if value is not None} | found | _media(row, folder)


def _llama_factory(row: Example, kind: TrainingKind | None, folder: Path) -> dict[str, Any]:
    media = _media(row, folder)
    marks = "".join(f"<{name[:-1]}>" * len(paths) for name, paths in media.items())
    answers = {"chosen": row.chosen, "rejected": row.rejected} if kind == "dpo" else {"output": row.response}
    return {
        "id": row.id,
        "instruction": marks + row.instruction,
        "input": "",
        **answers,
        "harmful": row.harmful,
    } | media


def _trl(row: Example, kind: TrainingKind | None, folder: Path) -> dict[str, Any]:
    media = _media(row, folder)
    if others := [name for name in media if name != "images"]:
        raise DataError(
            f'The row "{row.id}" has {" and ".join(others)}, which TRL would leave out without a word.',
            hint="TRL knows images only. Write --to llama-factory or --to jsonl.",
        )
    answers = {"chosen": row.chosen, "rejected": row.rejected} if kind == "dpo" else {"completion": row.response}
    turns = {name: [{"role": "assistant", "content": text}] for name, text in answers.items()}
    prompt = [{"role": "user", "content": row.instruction}]
    return {"id": row.id, "prompt": prompt, **turns, "harmful": row.harmful} | media


WRITERS: Mapping[str, Callable[[Example, TrainingKind | None, Path], dict[str, Any]]] = {
    "llama-factory": _llama_factory,
    "trl": _trl,
    "jsonl": _plain,
}


def _kind(rows: Sequence[Example]) -> TrainingKind:
    pairs = sum(row.chosen is not None for row in rows)
    single = sum(row.response is not None for row in rows)
    if pairs == len(rows):
        return "dpo"
    if single == len(rows):
        return "sft"
    raise SeaError(
        f"{single} rows have an answer and {pairs} a pair of answers, and one file of this format holds one kind",
        hint=f"Type --kind sft for the {single}, --kind dpo for the {pairs}, or --to jsonl for all of them.",
    )


def _media(row: Example, folder: Path) -> dict[str, list[str]]:
    """Return the media by column, in the order of SUFFIXES."""
    found: dict[str, list[str]] = {}
    for medium in row.media:
        kind = medium_kind(medium)
        if kind is None:
            raise DataError(
                f'The row "{row.id}" names {medium}, whose name does not tell an image, a video or a sound.',
                hint="Give the file a name that ends like its kind: .png, .mp4, .wav.",
            )
        found.setdefault(f"{kind}s", []).append(relative_media_path(folder, medium))
    return {f"{kind}s": found[f"{kind}s"] for kind in MEDIA_SUFFIXES if f"{kind}s" in found}


def _write(path: Path, values: Sequence[dict[str, Any]]) -> None:
    lines = [json.dumps(value, ensure_ascii=False) for value in values]
    text = "[\n" + ",\n".join(lines) + "\n]\n" if path.suffix == ".json" else "".join(f"{line}\n" for line in lines)
    with atomic_write(path) as aside:
        aside.write_text(text, encoding="utf-8")


def _entries(info: Path) -> dict[str, Any]:
    """Return LLaMA-Factory's list of files. Raises DataError when it is something else."""
    try:
        entries = json.loads(info.read_text(encoding="utf-8")) if info.exists() else {}
    except (OSError, ValueError, RecursionError):
        entries = None
    if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
        raise DataError(
            "This is not LLaMA-Factory's list of files: it must be one JSON object of objects.",
            where=str(info),
            hint="Mend it, or write into another folder.",
        )
    return entries


def _describe(path: Path, kind: TrainingKind | None, rows: Sequence[Example]) -> None:
    """Add the file to LLaMA-Factory's list of files, under another name where that is taken."""
    info = path.with_name(INFO)
    entries = _entries(info)
    name, number = path.stem, 1
    while name in entries and entries[name].get("file_name") != path.name:
        number += 1
        name = f"{path.stem}_{number}"
    columns = {"prompt": "instruction", "query": "input"}
    columns |= {"chosen": "chosen", "rejected": "rejected"} if kind == "dpo" else {"response": "output"}
    columns |= {name: name for row in rows for name in _media(row, path.parent)}
    entry = {"file_name": path.name, "formatting": "alpaca", "ranking": kind == "dpo", "columns": columns}
    write_json(info, {**entries, name: entry})

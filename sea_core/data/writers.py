"""Write examples for other tools: LLaMA-Factory, TRL, and our own JSON Lines. Reading the file gives them back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from sea_core.data.examples import Example
from sea_core.data.media_columns import PLACEHOLDER
from sea_core.data.media_paths import MEDIA_SUFFIXES, find_modality, relative_media_path
from sea_core.data.sources.open import UNSUPPORTED
from sea_core.errors import DataError, SeaError, number_of
from sea_core.runs.atomic import write_json, write_text
from sea_core.schema import read_json

TrainingKind = Literal["sft", "dpo"]
INFO = "dataset_info.json"
NO_JSON = (*UNSUPPORTED, ".csv", ".tsv", ".parquet", ".arrow", ".gz", ".xz")
"""Ends of the names of files of other types."""


def write_examples(
    examples: Sequence[Example], path: Path, to: str, kind: TrainingKind | None = None
) -> tuple[int, TrainingKind | None]:
    """Write examples to a new file: one JSON list if its name ends in .json, else JSON Lines.

    Args:
        examples: those without the answers that `kind` needs are not written.
        path: the file. For LLaMA-Factory, the `dataset_info.json` in its folder gets an entry.
        to: a name in `WRITERS`.
        kind: sft or dpo, for formats that hold one of them. By default the one that all examples have, dpo first.

    Returns:
        the number of examples written, and their kind (None for a format that holds both).

    Raises:
        SeaError: the file exists with another content or its name is that of another type, the format is unknown, or
            `kind` is needed and was not given.
        DataError: the format cannot hold an example's media.
        RunError: the disk is full or not writable.
    """
    if to not in WRITERS:
        raise SeaError(f'there is no output format "{to}"', hint=f"Type one of: {', '.join(WRITERS)}")
    require_json_name(path)
    chosen_kind = None if to == "jsonl" else kind or _common_kind(examples)
    kept = [example for example in examples if _fits(example, chosen_kind)]
    if not kept:
        raise SeaError(f"no example has what {chosen_kind} needs", hint="Type the other --kind, or omit it.")
    text = _text(path, [WRITERS[to](example, chosen_kind, path.parent) for example in kept])
    if path.exists() and not (path.is_file() and path.read_bytes() == text.encode()):
        raise SeaError(f"{path} already exists", hint="Name a new file with --out.")
    if to == "llama-factory":
        _add_to_info(path, chosen_kind, kept)
    write_text(path, text)  # last: with it the command has finished
    return len(kept), chosen_kind


def require_json_name(path: Path) -> None:
    """Raise SeaError for a file to be written as JSON whose name is that of another type, as which it would be read."""
    if path.suffix.lower() in NO_JSON:
        proposed = path.with_name(f"{path.name.partition('.')[0]}.jsonl")
        raise SeaError(
            f"the file is written as JSON Lines, and the name {path.name} ends in {path.suffix}",
            hint=f"Type --out {proposed}",
        )


def _fits(example: Example, kind: TrainingKind | None) -> bool:
    return kind is None or (example.chosen if kind == "dpo" else example.response) is not None


def _plain(example: Example, kind: TrainingKind | None, folder: Path) -> dict[str, Any]:
    columns = {
        "id": example.id,
        "instruction": example.instruction,
        "response": example.response,
        "chosen": example.chosen,
        "rejected": example.rejected,
    }
    extraction = asdict(example.extraction) if example.extraction else {}
    present = {name: value for name, value in columns.items() if value is not None}
    return present | _label(example) | extraction | _media_columns(example, folder)


def _llama_factory(example: Example, kind: TrainingKind | None, folder: Path) -> dict[str, Any]:
    media = _media_columns(example, folder)
    _require_no_placeholder(example)
    placeholders = "".join(f"<{name[:-1]}>" * len(paths) for name, paths in media.items())
    pair = {"chosen": example.chosen, "rejected": example.rejected}
    answers = pair if kind == "dpo" else {"output": example.response}
    return {
        "id": example.id,
        "instruction": placeholders + example.instruction,
        "input": "",
        **answers,
        **_label(example),
    } | media


def _require_no_placeholder(example: Example) -> None:
    texts = (example.instruction, example.response, example.chosen, example.rejected)
    if found := next((match for text in texts if text and (match := PLACEHOLDER.search(text))), None):
        raise DataError(
            f'The example "{example.id}" has "{found[0]}" in a text, which LLaMA-Factory would take for a medium.',
            hint="Write it in another way, or type --to trl or --to jsonl.",
        )


def _trl(example: Example, kind: TrainingKind | None, folder: Path) -> dict[str, Any]:
    media = _media_columns(example, folder)
    if others := [name for name in media if name != "images"]:
        raise DataError(
            f'The example "{example.id}" has {" and ".join(others)}, which TRL would silently ignore.',
            hint="TRL supports images only. Type --to llama-factory or --to jsonl.",
        )
    pair = {"chosen": example.chosen, "rejected": example.rejected}
    answers = pair if kind == "dpo" else {"completion": example.response}
    turns = {name: [{"role": "assistant", "content": text}] for name, text in answers.items()}
    prompt = [{"role": "user", "content": example.instruction}]
    return {"id": example.id, "prompt": prompt, **turns, **_label(example)} | media


def _label(example: Example) -> dict[str, bool]:
    """Return the column "harmful"; nothing for an example without the label, which must not look as if it had one."""
    return {"harmful": example.harmful} if example.labelled else {}


WRITERS: Mapping[str, Callable[[Example, TrainingKind | None, Path], dict[str, Any]]] = {
    "llama-factory": _llama_factory,
    "trl": _trl,
    "jsonl": _plain,
}


def _common_kind(examples: Sequence[Example]) -> TrainingKind:
    pairs = sum(example.chosen is not None for example in examples)
    responses = sum(example.response is not None for example in examples)
    if pairs == len(examples):
        return "dpo"
    if responses == len(examples):
        return "sft"
    if not responses and not pairs:
        raise SeaError("the examples have no answers, which this format holds", hint="Type --to jsonl for prompts.")
    raise SeaError(
        f"{number_of(responses, 'example has', 'examples have')} a response and {pairs} have chosen and rejected, "
        "but this format holds one kind",
        hint=f"Type --kind sft for the {responses}, --kind dpo for the {pairs}, or --to jsonl for all of them.",
    )


def _media_columns(example: Example, folder: Path) -> dict[str, list[str]]:
    """Return the media by column (images, videos, audios), in the order of MEDIA_SUFFIXES."""
    columns: dict[str, list[str]] = {}
    for medium in example.media:
        modality = find_modality(medium)
        if modality is None:
            raise DataError(
                f'The example "{example.id}" names {medium}, which by its name is no image, video or audio file.',
                hint="Give the file the suffix of its kind: .png, .mp4, .wav.",
            )
        columns.setdefault(f"{modality}s", []).append(relative_media_path(folder, medium))
    return {f"{modality}s": columns[f"{modality}s"] for modality in MEDIA_SUFFIXES if f"{modality}s" in columns}


def _text(path: Path, records: Sequence[dict[str, Any]]) -> str:
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    return "[\n" + ",\n".join(lines) + "\n]\n" if path.suffix == ".json" else "".join(f"{line}\n" for line in lines)


def _read_info(info: Path) -> dict[str, Any]:
    """Return LLaMA-Factory's list of data files. Raises DataError if the file is anything else."""
    if not info.exists():
        return {}
    what, hint = "LLaMA-Factory's list of data files", "Fix the file, or write to another folder."
    return read_json(info, dict[str, dict[str, Any]], what=what, hint=hint, error=DataError, unique_keys=True)


def _add_to_info(path: Path, kind: TrainingKind | None, examples: Sequence[Example]) -> None:
    """Add the file to LLaMA-Factory's list, under a name that no other file has."""
    info = path.with_name(INFO)
    entries = _read_info(info)
    name, number = path.stem, 1
    while name in entries and entries[name].get("file_name") != path.name:
        number += 1
        name = f"{path.stem}_{number}"
    columns = {"prompt": "instruction", "query": "input"}
    columns |= {"chosen": "chosen", "rejected": "rejected"} if kind == "dpo" else {"response": "output"}
    columns |= {column: column for example in examples for column in _media_columns(example, path.parent)}
    entry = {"file_name": path.name, "formatting": "alpaca", "ranking": kind == "dpo", "columns": columns}
    write_json(info, {**entries, name: entry})

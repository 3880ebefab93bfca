"""LLaMA-Factory's `dataset_info.json`: what it says of a data file that lies beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sea_core.data.formats.alpaca import Alpaca
from sea_core.data.formats.conversation import ROLES, Tags
from sea_core.data.formats.sharegpt import ShareGPT
from sea_core.errors import DataError

NAME = "dataset_info.json"
COLUMNS = {"prompt": "instruction", "query": "input", "response": "output"}
SAME = ("history", "system", "chosen", "rejected", "kto_tag", "images", "videos", "audios")
ROLE_TAGS = {
    "user_tag": "user",
    "assistant_tag": "assistant",
    "system_tag": "system",
    "observation_tag": "tool",
    "function_tag": "tool",
}


def read_dataset_info(path: Path) -> tuple[Alpaca | ShareGPT, dict[str, str]] | None:
    """Return the reader and the column names that the file beside `path` gives for it, or None where it names it not.

    Raises:
        DataError: the file beside it is no JSON, or its entry for `path` is not understood.
    """
    beside = path.with_name(NAME)
    if not beside.is_file():
        return None
    entry = _entry(beside, path.name)
    if entry is None:
        return None
    formatting = entry.get("formatting", "alpaca")
    columns, tags = entry.get("columns") or {}, entry.get("tags") or {}
    told = (*columns.items(), *tags.items()) if isinstance(columns, dict) and isinstance(tags, dict) else ((0, 0),)
    if formatting not in ("alpaca", "sharegpt") or not all(isinstance(word, str) for pair in told for word in pair):
        raise DataError(
            f'The entry for {path.name} must have "formatting" alpaca or sharegpt, and names in "columns" and "tags".',
            where=str(beside),
            hint="Mend the entry as LLaMA-Factory's data/README.md says, or name the format with --format.",
        )
    if formatting == "alpaca":
        return Alpaca(), {
            COLUMNS.get(ours, ours): theirs for ours, theirs in columns.items() if ours in (*COLUMNS, *SAME)
        }
    names = {"conversations": columns["messages"]} if "messages" in columns else {}
    names |= {column: columns[column] for column in SAME if column in columns}
    return ShareGPT(tags=_tags(tags)), names


def _entry(beside: Path, name: str) -> Mapping[str, Any] | None:
    try:
        entries = json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"The file is no JSON: {' '.join(str(error).split())}.",
            where=str(beside),
            hint="Mend it, or name the format of the data file with --format.",
        ) from None
    listed = entries.values() if isinstance(entries, dict) else ()
    return next((entry for entry in listed if isinstance(entry, dict) and entry.get("file_name") == name), None)


def _tags(tags: Mapping[str, str]) -> Tags:
    roles = {**ROLES, **{tags[tag]: role for tag, role in ROLE_TAGS.items() if tag in tags}}
    role, content = tags.get("role_tag"), tags.get("content_tag")
    return Tags((role,) if role else Tags().role, (content,) if content else Tags().content, roles)

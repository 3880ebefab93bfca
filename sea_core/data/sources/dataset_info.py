"""LLaMA-Factory's `dataset_info.json`: the format and the columns of a data file in the same folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from typing_extensions import TypedDict

from sea_core.data.formats.alpaca import Alpaca
from sea_core.data.formats.conversation import DEFAULT_TAGS, ROLES, Tags
from sea_core.data.formats.sharegpt import ShareGPT
from sea_core.errors import DataError
from sea_core.schema import check, read_json

INFO = "dataset_info.json"
HINT = "Fix the entry as LLaMA-Factory's data/README.md describes, or name the format with --format."
ALPACA_COLUMNS = {"prompt": "instruction", "query": "input", "response": "output"}
"""LLaMA-Factory's names to ours."""
COMMON_COLUMNS = ("history", "system", "chosen", "rejected", "kto_tag", "images", "videos", "audios")
"""Columns with the same name in both."""
ROLE_TAGS = {
    "user_tag": "user",
    "assistant_tag": "assistant",
    "system_tag": "system",
    "observation_tag": "tool",
    "function_tag": "tool",
}


class DatasetEntry(TypedDict, total=False):
    """An entry, as far as it says how a file is read."""

    formatting: Literal["alpaca", "sharegpt"]
    columns: dict[str, str] | None
    tags: dict[str, str] | None


def read_dataset_info(path: Path) -> tuple[Alpaca | ShareGPT, dict[str, str]] | None:
    """Return the format and the column names that `dataset_info.json` gives for a data file; None if it has no entry.

    Raises:
        DataError: `dataset_info.json` is not JSON, or its entry is invalid.
    """
    info = path.with_name(INFO)
    if not info.is_file():
        return None
    entry = _find_entry(info, path.name)
    if entry is None:
        return None
    formatting = entry.get("formatting", "alpaca")
    columns, tags = entry.get("columns") or {}, entry.get("tags") or {}
    if formatting == "alpaca":
        known = {name: name for name in COMMON_COLUMNS} | ALPACA_COLUMNS
        return Alpaca(), {known[name]: column for name, column in columns.items() if name in known}
    column_names = {"conversations": columns["messages"]} if "messages" in columns else {}
    column_names |= {name: columns[name] for name in COMMON_COLUMNS if name in columns}
    return ShareGPT(tags=_read_tags(tags)), column_names


def _find_entry(info: Path, name: str) -> DatasetEntry | None:
    entries = read_json(info, dict[str, Any], what="LLaMA-Factory's list of data files", hint=HINT, error=DataError)
    for key, entry in entries.items():
        if isinstance(entry, dict) and entry.get("file_name") == name:
            what = f"an entry for a data file ({key})"
            return check(entry, DatasetEntry, what=what, hint=HINT, where=str(info), error=DataError)
    return None


def _read_tags(tags: Mapping[str, str]) -> Tags:
    role, content = tags.get("role_tag"), tags.get("content_tag")
    return Tags(
        role=(role,) if role else DEFAULT_TAGS.role,
        content=(content,) if content else DEFAULT_TAGS.content,
        roles={**ROLES, **{tags[tag]: name for tag, name in ROLE_TAGS.items() if tag in tags}},
    )

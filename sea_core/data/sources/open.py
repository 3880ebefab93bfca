"""Where records come from: a file of any known kind, a folder, or a data set of the hub."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from sea_core.data.sources import hub
from sea_core.data.sources.arrow import ARROW_MAGIC, PARQUET_MAGIC, STREAM_MAGIC, arrow_values, parquet_values
from sea_core.data.sources.csv import csv_values
from sea_core.data.sources.folder import folder_values, is_data_folder
from sea_core.data.sources.json import json_values
from sea_core.data.sources.text import Item
from sea_core.errors import DataError

OTHER_KINDS = (".xlsx", ".xls", ".zip", ".bz2", ".zst", ".tar", ".tgz", ".pkl", ".yaml", ".yml")
PACKED = ("", ".gz", ".xz")
TEXTS = (".jsonl", ".json", ".csv", ".tsv")
READABLE = (*(kind + packed for kind in TEXTS for packed in PACKED), ".parquet", ".arrow")


@dataclass(frozen=True, slots=True)
class Source:
    """Values with their places.

    Attributes:
        path: the file, the folder, or the name on the hub.
        items: the values, read as they are asked for.
        digest: SHA-256 of what is read, so that a run can tell whether its data changed.
        cells: whether all values are texts, as in CSV.
        folder: what paths in it are relative to.
    """

    path: Path
    items: Iterator[Item]
    digest: Callable[[], str]
    untyped: bool = False
    folder: Path = Path()


def open_source(path: Path, split: str | None = None) -> Source:
    """Open a file, a folder, or `hf:owner/name:config@revision`.

    Raises:
        DataError: it is missing, of another kind, or has no such split.
    """
    if str(path).startswith(hub.PREFIX):
        items, what = hub.hub_values(path, split)
        return Source(path, items, lambda: hashlib.sha256(what.encode()).hexdigest(), folder=path)
    if path.is_dir():
        return _folder(path, split)
    _check(path)
    if split is not None:
        raise DataError("A single file has no splits.", where=str(path), hint="Leave --split out.")
    kind = _kind(path)
    return Source(path, kind(path), lambda: _digest([path]), kind is csv_values, path.parent)


def _folder(path: Path, split: str | None) -> Source:
    if not is_data_folder(path):
        inside = sorted(entry.name for entry in path.iterdir() if entry.name.endswith(READABLE))
        hint = f"Give one of the files in it: {', '.join(inside[:8])}." if inside else f"It has no {_wanted()} either."
        raise DataError("This is a folder, and a file is expected.", where=str(path), hint=hint)
    items, files = folder_values(path, split)
    chosen = f"split {split}\n"  # two splits of a folder are two sets of data
    return Source(path, items, lambda: _digest(files, chosen, path), folder=path)


def _kind(path: Path) -> Callable[[Path], Iterator[Item]]:
    """Tell what a file is by how it begins; only CSV must say so in its name."""
    try:
        with path.open("rb") as file:
            start = file.read(len(ARROW_MAGIC))
    except OSError as error:
        raise DataError(
            f"The file cannot be read: {error.strerror or error}.", where=str(path), hint="Check who may read it."
        ) from None
    if start.startswith(PARQUET_MAGIC):
        return parquet_values
    if start == ARROW_MAGIC or start.startswith(STREAM_MAGIC):
        return arrow_values
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in PACKED]
    return csv_values if suffixes[-1:] in ([".csv"], [".tsv"]) else json_values


def _check(path: Path) -> None:
    if not path.exists():
        raise DataError("There is no such file.", where=str(path), hint=_similar(path))
    if not path.is_file():  # it is looked into more than once
        raise DataError("This is no ordinary file (a pipe?).", where=str(path), hint="Save what it gives as a file.")
    if path.suffix.lower() in OTHER_KINDS:
        raise DataError(
            f"A {path.suffix} file is not read.",
            where=str(path),
            hint=f"Unpack it, or save the rows as one of: {_wanted()}. {path.name} has another name than it deserves? "
            "Then rename it.",
        )


def _similar(path: Path) -> str:
    parent = path.parent
    if not parent.is_dir():
        return f"There is no folder {parent} either. Check the path. A data set of the hub is hf:OWNER/NAME."
    files = [entry.name for entry in parent.iterdir() if entry.is_file()]
    close = get_close_matches(path.name, files, n=1)
    if close:
        return f"Did you mean {parent / close[0]} ?"
    readable = sorted(name for name in files if name.endswith(READABLE))
    return f"The folder has: {', '.join(readable[:8])}." if readable else f"The folder {parent} has no data files."


def _wanted() -> str:
    return ".jsonl, .json, .csv, .tsv (each also .gz or .xz), .parquet, .arrow"


def _digest(files: list[Path], head: str = "", folder: Path = Path()) -> str:
    if len(files) == 1 and not head:
        with files[0].open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    whole = hashlib.sha256(head.encode())
    for path in files:
        with path.open("rb") as file:
            whole.update(path.relative_to(folder).as_posix().encode() + hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()

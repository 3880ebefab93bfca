"""JSON values of a file with their line numbers: JSON Lines or one JSON list, plain or gzipped."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, BinaryIO, cast

from sea_core.errors import DataError, at

GZIP_MAGIC = b"\x1f\x8b"
OTHER_KINDS = (".csv", ".tsv", ".parquet", ".arrow", ".xlsx", ".zip", ".xz", ".bz2", ".zst", ".tar", ".pkl", ".yaml")
READABLE = (".jsonl", ".json", ".jsonl.gz", ".json.gz")


def data_file(path: Path) -> Path:
    """Return `path` if it can be a data file. Raises DataError when it is missing, a folder, or of another kind."""
    if path.is_dir():
        inside = sorted(entry.name for entry in path.iterdir() if entry.name.endswith(READABLE))
        hint = f"Give one of the files in it: {', '.join(inside[:8])}." if inside else "It holds no JSON files either."
        raise DataError("This is a folder, and a file is expected.", where=str(path), hint=hint)
    if not path.exists():
        raise DataError("There is no such file.", where=str(path), hint=_similar(path))
    if path.suffix.lower() in OTHER_KINDS:
        raise DataError(
            f"A {path.suffix} file is not read.",
            where=str(path),
            hint=f"Save the rows as JSON Lines (one object a line) or as a JSON list: {', '.join(READABLE)}.",
        )
    return path


def values(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield (line, value) for each JSON value. Raises DataError for what is not UTF-8 JSON, at its line.

    JSON Lines are streamed; a JSON list is read as a whole.
    """
    lines = _text_lines(path)
    blank = 0
    for number, line in lines:
        if not line.strip():
            blank += 1
        elif line.lstrip().startswith("[") and number == blank + 1:
            yield from _list_items(path, "\n" * blank + line + "".join(text for _, text in lines))
        else:
            yield number, _parse(path, line.rstrip(), number)


def _text_lines(path: Path) -> Iterator[tuple[int, str]]:
    number = 0
    try:
        with _open(path) as file:
            for number, raw in enumerate(file, start=1):
                yield number, _decode(path, raw, number)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise DataError(
            "The gzipped file ends too early or is damaged.",
            where=at(path, number + 1),
            hint="Fetch or write it again; `gzip -t FILE` checks it.",
        ) from None
    except OSError as error:
        raise DataError(
            f"The file cannot be read: {error.strerror or error}.", where=str(path), hint="Check who may read it."
        ) from None


def _open(path: Path) -> BinaryIO:
    # By content, not by name: browsers and hubs unpack or rename on the way.
    with path.open("rb") as file:
        zipped = file.read(2) == GZIP_MAGIC
    return cast(BinaryIO, gzip.open(path, "rb")) if zipped else path.open("rb")


def _decode(path: Path, raw: bytes, number: int) -> str:
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"The line is not UTF-8 text: byte {error.start + 1} of it is 0x{raw[error.start]:02x}.",
            where=at(path, number),
            hint="Save the file as UTF-8, for example: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW",
        ) from None


def _parse(path: Path, text: str, number: int) -> Any:
    """Parse JSON that starts at line `number`; errors carry the line where the JSON breaks."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"This is not JSON: {error.msg} (column {error.colno}).",
            where=at(path, number + error.lineno - 1),
            hint="Each row must be one whole JSON object on one line, or the file one JSON list. A last line that is "
            "cut short means that writing stopped half-way: write the file again, or delete the line.",
        ) from None
    except (ValueError, RecursionError):
        raise DataError(
            "This JSON holds a number that is too long, or is nested too deep.",
            where=at(path, number),
            hint="Take the row out, or write the number as text.",
        ) from None


def _list_items(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    """Yield the items of a JSON list with the lines on which they start."""
    _parse(path, text, 1)  # The whole first: a list that is torn is torn before its first row is used.
    decode = json.JSONDecoder().raw_decode
    position, line, counted = text.index("[") + 1, 1, 0
    while True:
        while text[position] in " \t\r\n,":
            position += 1
        if text[position] == "]":
            return
        line += text.count("\n", counted, position)
        counted = position
        value, position = decode(text, position)
        yield line, value


def _similar(path: Path) -> str:
    parent = path.parent
    if not parent.is_dir():
        return f"There is no folder {parent} either. Check the path."
    files = [entry.name for entry in parent.iterdir() if entry.is_file()]
    close = get_close_matches(path.name, files, n=1)
    if close:
        return f"Did you mean {parent / close[0]} ?"
    readable = sorted(name for name in files if name.endswith(READABLE))
    return f"The folder has: {', '.join(readable[:8])}." if readable else f"The folder {parent} has no JSON files."

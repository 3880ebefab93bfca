"""The lines of a text file, which may be compressed with gzip or xz."""

from __future__ import annotations

import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from sea_core.data.record import Place
from sea_core.data.sources.encoding import BOMS, find_encoding
from sea_core.errors import DataError, at

Item = tuple[Place, Any]
"""A value and where it is. For a value that cannot be read, the DataError that says why is in its place."""

GZIP_MAGIC = b"\x1f\x8b"
XZ_MAGIC = b"\xfd7zXZ\x00"
SAMPLE = 1 << 18
"""Bytes that are read at a time to find the encoding."""


def text_encoding(path: Path) -> str:
    """Return the encoding of a text file by its first part that is not ASCII; "utf-8" if that cannot be read."""
    try:
        with _open(path) as file:
            sample = file.read(SAMPLE)
            if not sample.startswith(tuple(mark for mark, _ in BOMS)):
                while sample.isascii() and b"\0" not in sample and (more := file.read(SAMPLE)):
                    sample = more
            return find_encoding(sample)
    except (EOFError, OSError, zlib.error, lzma.LZMAError):
        return "utf-8"  # the error is reported where the lines are read


def text_lines(path: Path, encoding: str = "utf-8") -> Iterator[tuple[int, str | DataError]]:
    """Yield each line with its number, from 1; a DataError in place of a line that is not UTF-8.

    Raises:
        DataError: the rest of the file cannot be read.
    """
    number = 0
    try:
        with _open(path) as file:
            if encoding.startswith("utf-8"):
                for number, raw in enumerate(file, start=1):
                    yield number, _decode(path, raw, number)
            else:
                with io.TextIOWrapper(file, encoding, newline="\n") as text:
                    yield from enumerate(text, start=1)
    except UnicodeError:
        raise DataError(
            f"The file looks like {encoding} text, but a part of it is not.",
            where=str(path),
            hint="Save the file as UTF-8: iconv -f OLD -t UTF-8 OLD > NEW names the place.",
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError):
        raise DataError(
            "The compressed file is truncated or corrupt.",
            where=at(path, number + 1),
            hint="Download or write it again; `gzip -t FILE` or `xz -t FILE` checks it.",
        ) from None
    except OSError as error:
        raise DataError(
            f"The file cannot be read: {error.strerror or error}.", where=str(path), hint="Check its permissions."
        ) from None


def prompt_values(path: Path, encoding: str = "utf-8") -> Iterator[Item]:
    """Yield each line of a plain text file that is not blank as a record of its own: an instruction."""
    for number, line in text_lines(path, encoding):
        if isinstance(line, DataError):
            yield Place(path, number), line
        elif line.strip():
            yield Place(path, number), {"instruction": line.strip()}


def _open(path: Path) -> BinaryIO:
    # By content, not by name: browsers and hubs decompress or rename files.
    with path.open("rb") as file:
        start = file.read(len(XZ_MAGIC))
    if start.startswith(GZIP_MAGIC):
        return cast(BinaryIO, gzip.open(path, "rb"))
    return cast(BinaryIO, lzma.open(path, "rb")) if start == XZ_MAGIC else path.open("rb")


def _decode(path: Path, raw: bytes, number: int) -> str | DataError:
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        return DataError(
            f"The line is not UTF-8 text: its byte {error.start + 1} is 0x{raw[error.start]:02x}.",
            where=at(path, number),
            hint="Save the file as UTF-8, for example: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW",
        )

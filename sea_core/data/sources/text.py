"""The lines of a text file, also gzipped or xz-compressed."""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from sea_core.data.record import Place
from sea_core.errors import DataError, at

Item = tuple[Place, Any]
"""A value with its place; a value that cannot be read is the DataError that says why."""

GZIP_MAGIC = b"\x1f\x8b"
XZ_MAGIC = b"\xfd7zXZ\x00"


def text_lines(path: Path) -> Iterator[tuple[int, str | DataError]]:
    """Yield each line with its number; one that is no UTF-8 text is the DataError that says so.

    Raises:
        DataError: the file cannot be read any further.
    """
    number = 0
    try:
        with _open(path) as file:
            for number, raw in enumerate(file, start=1):
                yield number, _decoded(path, raw, number)
    except (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError):
        raise DataError(
            "The compressed file ends too early or is damaged.",
            where=at(path, number + 1),
            hint="Fetch or write it again; `gzip -t FILE` or `xz -t FILE` checks it.",
        ) from None
    except OSError as error:
        raise DataError(
            f"The file cannot be read: {error.strerror or error}.", where=str(path), hint="Check who may read it."
        ) from None


def _open(path: Path) -> BinaryIO:
    # By content, not by name: browsers and hubs unpack or rename on the way.
    with path.open("rb") as file:
        start = file.read(len(XZ_MAGIC))
    if start.startswith(GZIP_MAGIC):
        return cast(BinaryIO, gzip.open(path, "rb"))
    return cast(BinaryIO, lzma.open(path, "rb")) if start == XZ_MAGIC else path.open("rb")


def _decoded(path: Path, raw: bytes, number: int) -> str | DataError:
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        return DataError(
            f"The line is not UTF-8 text: byte {error.start + 1} of it is 0x{raw[error.start]:02x}.",
            where=at(path, number),
            hint="Save the file as UTF-8, for example: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW",
        )

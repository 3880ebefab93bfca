"""Read text safety sets in every known format, those of plugins included."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sea_core.data import read
from sea_core.data.result import ReadResult
from sea_core.plugin import loader


def read_examples(
    path: Path | str,
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    *,
    split: str | None = None,
    skip_bad: bool = False,
    media_dir: Path | None = None,
) -> ReadResult:
    """Read examples from JSON, JSON Lines, CSV, TSV, text, Parquet or Arrow, a folder, or the Hugging Face hub.

    Args:
        path: a file (text files may be compressed with gzip or xz), a folder that `datasets` saved or one of Parquet
            files, or `hf:owner/name:config@revision`.
        format: the name of a format, or "auto" to detect it from the columns of the first records.
        columns: our column names to the file's, if the file uses others (`{"instruction": "question"}`).
        split: the split of a folder or a hub data set, if it has several.
        skip_bad: list invalid records in `invalid` instead of raising at the first one.
        media_dir: where media that a table stores as bytes are written to files. If None, they are not read.

    Raises:
        DataError: the file, or a record of it, cannot be read, or no example is left.
        SeaError: the format is unknown.
    """
    formats = loader.formats()
    return read.read_examples(
        path, format, columns, split=split, skip_bad=skip_bad, media_dir=media_dir, formats=formats
    )


def scan(
    path: Path | str,
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    *,
    split: str | None = None,
    strict: bool = False,
) -> ReadResult:
    """Read as `read_examples` does, but list invalid records and accept a file that gives no example.

    Raises:
        DataError: the source cannot be read, or its columns fit no known format; with `strict`, also for the first
            invalid record.
        SeaError: the format is unknown.
    """
    return read.scan(path, format, columns, split=split, strict=strict, formats=loader.formats())

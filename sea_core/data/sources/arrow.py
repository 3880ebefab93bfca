"""Parquet and Arrow files, read in batches. Images and audio in them are not decoded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sea_core.data.record import Place
from sea_core.data.sources.text import Item
from sea_core.errors import DataError, one_line

if TYPE_CHECKING:
    import pyarrow

PARQUET_MAGIC = b"PAR1"
ARROW_MAGIC = b"ARROW1"
STREAM_MAGIC = b"\xff\xff\xff\xff"
BATCH = 64
"""Rows per batch: each may hold an image of several megabytes."""


def parquet_values(path: Path, files: Sequence[Path] = ()) -> Iterator[Item]:
    """Yield each row of a Parquet file, or of several in the folder `path`. Raises DataError if one is corrupt."""
    import pyarrow.parquet

    def batches() -> Iterator[pyarrow.RecordBatch]:
        for name in files or (path,):
            with pyarrow.parquet.ParquetFile(name) as file:
                yield from file.iter_batches(batch_size=BATCH)

    yield from table_rows(path, batches())


def arrow_values(path: Path) -> Iterator[Item]:
    """Yield each row of an Arrow IPC file or stream. Raises DataError if it is corrupt."""
    import pyarrow.ipc

    def batches() -> Iterator[pyarrow.RecordBatch]:
        with pyarrow.memory_map(str(path)) as source:
            is_file = source.read(len(ARROW_MAGIC)) == ARROW_MAGIC
            source.seek(0)
            if not is_file:
                yield from pyarrow.ipc.open_stream(source)
                return
            file = pyarrow.ipc.open_file(source)
            for number in range(file.num_record_batches):
                yield file.get_batch(number)

    yield from table_rows(path, batches())


def table_rows(path: Path, batches: Iterator[Any]) -> Iterator[Item]:
    """Yield the rows of Arrow batches or tables as objects, numbered from 1.

    Raises:
        DataError: the rest of the table cannot be read.
    """
    import pyarrow

    number = 0
    try:
        for batch in batches:
            for start in range(0, batch.num_rows, BATCH):
                for value in _objects(batch.slice(start, BATCH)):
                    number += 1
                    place = Place(path, number, "row")
                    yield place, _unreadable(place, value) if isinstance(value, Exception) else value
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError, MemoryError) as error:
        raise DataError(
            f"The table cannot be read beyond row {number}: {one_line(error)[:200].rstrip('.')}.",
            where=str(path),
            hint="Download or write it again; pyarrow.parquet.read_table(FILE) or datasets.load_dataset checks it.",
        ) from None


def _objects(batch: Any) -> list[Any]:
    """Return the rows of a batch; an exception in place of a row that cannot be read."""
    try:
        batch.validate(full=True)  # pyarrow trusts the offsets of a corrupt file and would read beyond its memory
        return list(batch.to_pylist())
    except (ValueError, OverflowError) as error:
        if batch.num_rows == 1:
            return [error]
        return [value for number in range(batch.num_rows) for value in _objects(batch.slice(number, 1))]


def _unreadable(place: Place, error: Exception) -> DataError:
    return DataError(
        f"The row has a value that cannot be read: {one_line(error)[:200]}.",
        where=str(place),
        hint="Delete the row, or store the value as text.",
    )

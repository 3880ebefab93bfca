"""Embeddings on disk: safetensors shards and a parquet index, one writer, nothing finished is ever lost.

A finished row is written at once, as a file of its own in `pending/`. Every SHARD_ROWS of them become one shard and one
new index, each written aside and renamed; only then are the single files deleted. A kill at any moment leaves either
the single files or the shard. Opening changes nothing on disk, so that anyone may look while a run is being written;
the writer's next flush tidies up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sea_core.errors import RunError
from sea_core.runs.atomic import RESTORE_HINT, atomic_write, sha256

if TYPE_CHECKING:
    from torch import Tensor

SHARD_ROWS = 64
PURPOSE = "SEA synthetic embedding, for safety alignment"
REDO = "Delete it; the same `sea optimize` command will make its row again."

EmbeddingRecord = dict[str, Any]


class Store:
    """The rows of one run. A record is a flat dict with an `id`; a succeeded row has an embedding beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index, self.pending = folder / "index.parquet", folder / "pending"
        self._fresh: dict[str, Path] = {}
        self._stale: list[Path] = []
        paths = sorted(self.pending.glob("*.safetensors"))
        self._number = max((int(path.stem) for path in paths if path.stem.isdigit()), default=-1) + 1
        # Before the index: a single file that goes away meanwhile went into a shard, and the index has its row.
        singles = [(path, record) for path in paths if (record := _read_single(path))]
        self._records = {record["id"]: record for record in self._read_index()}
        for path, record in singles:
            if record["id"] in self._records:
                self._stale.append(path)
            else:
                self._records[record["id"]] = record
                self._fresh[record["id"]] = path

    # --- reading ----------------------------------------------------------------------------------------------------

    def records(self) -> list[EmbeddingRecord]:
        """Return every row's record, in the order in which they were finished."""
        return list(self._records.values())

    def ids(self) -> set[str]:
        return set(self._records)

    def record(self, row_id: str) -> EmbeddingRecord:
        """Return one row's record. Raises RunError for an id that is not there."""
        if row_id not in self._records:
            raise RunError(
                f"this run has no row {row_id!r}",
                hint=f"Its rows are listed by: sea show {self.folder}",
                where=str(self.folder),
            )
        return self._records[row_id]

    def load(self, row_id: str) -> Tensor:
        """Return a row's embedding, (n_rows, d_encoder), as it was checked.

        Raises:
            RunError: the row has none, or the stored bytes are not the ones that were written.
        """
        from safetensors import SafetensorError, safe_open

        record = self.record(row_id)
        path = self._fresh.get(row_id) or self.folder / str(record["shard"])
        if not record["sha256"]:
            raise RunError(f"row {row_id!r} has no embedding: {record['status']}, {record['reason']}")
        hint = REDO if row_id in self._fresh else RESTORE_HINT
        try:
            with safe_open(path, "pt") as file:
                embedding: Tensor = file.get_tensor(_key(row_id))
        except (OSError, SafetensorError) as error:
            what = f"the embedding of row {row_id!r} cannot be read: {error}"
            raise RunError(what, hint=hint, where=str(path)) from error
        if digest(embedding) != record["sha256"]:
            what = f"the embedding of row {row_id!r} is not the one that was written"
            raise RunError(what, hint=hint, where=str(path))
        return embedding

    # --- writing ----------------------------------------------------------------------------------------------------

    def append(self, record: EmbeddingRecord, embedding: Tensor | None) -> None:
        """Write one finished row; it is on disk when this returns."""
        tensors = {} if embedding is None else {record["id"]: embedding.cpu().contiguous()}
        record = record | describe(embedding) | {"shard": ""}
        path = self.pending / f"{self._number:08d}.safetensors"
        _write(path, tensors, {"record": json.dumps(record)})
        self._number += 1
        self._records[record["id"]] = record
        self._fresh[record["id"]] = path
        if len(self._fresh) >= SHARD_ROWS:
            self.flush()

    def flush(self) -> None:
        """Turn the single files into one shard and a new index, and delete those that have become one."""
        if self._fresh:
            self._merge()
        for path in (*self._stale, *self.pending.glob(".*.part")):
            path.unlink(missing_ok=True)
        self._stale = []

    def _merge(self) -> None:
        shards = {str(record["shard"]) for record in self._records.values()} - {""}
        name = f"embeddings-{len(shards):05d}.safetensors"
        tensors = {row_id: self.load(row_id) for row_id in self._fresh if self._records[row_id]["sha256"]}
        if tensors:
            _write(self.folder / name, tensors, {})
        moved = {i: self._records[i] | {"shard": name if i in tensors else ""} for i in self._fresh}
        self._write_index(list((self._records | moved).values()))
        self._records |= moved
        self._stale += self._fresh.values()
        self._fresh = {}

    def _read_index(self) -> Iterable[EmbeddingRecord]:
        if not self.index.exists():
            return []
        import pyarrow
        import pyarrow.parquet

        try:
            table = pyarrow.parquet.read_table(self.index, memory_map=True, page_checksum_verification=True)
        except (OSError, pyarrow.ArrowException) as error:
            raise RunError(f"the index is torn: {error}", hint=RESTORE_HINT, where=str(self.index)) from error
        rows: list[EmbeddingRecord] = table.to_pylist()
        return rows

    def _write_index(self, records: list[EmbeddingRecord]) -> None:
        import pyarrow
        import pyarrow.parquet

        with atomic_write(self.index) as aside:
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(records), aside, write_page_checksum=True)


def _write(path: Path, tensors: dict[str, Tensor], facts: dict[str, str]) -> None:
    """Write a safetensors file, whole or not at all.

    Through bytes, not `save_file`: that one tells of a full disk in an error of its own, and makes the file private.
    """
    from safetensors.torch import save

    keyed = {_key(row_id): tensor for row_id, tensor in tensors.items()}
    with atomic_write(path) as aside:
        aside.write_bytes(save(keyed, facts | {"purpose": PURPOSE}))


def _read_single(path: Path) -> EmbeddingRecord | None:
    """Return the record in a single file, or None when a writer has just made a shard of it."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            record: EmbeddingRecord = json.loads(file.metadata()["record"])
    except FileNotFoundError:
        return None
    except (OSError, SafetensorError) as error:
        raise RunError(f"this file is torn: {error}", hint=REDO, where=str(path)) from error
    return record


def _key(row_id: str) -> str:
    """Return the tensor's name for a row: its id. The format keeps `__metadata__` for itself."""
    return f"_{row_id}" if row_id.startswith("__") else row_id


def describe(embedding: Tensor | None) -> EmbeddingRecord:
    """Return what the index says of an embedding."""
    if embedding is None:
        return {"n_rows": 0, "d_encoder": 0, "dtype": "", "sha256": ""}
    n_rows, d_encoder = embedding.shape
    kind = str(embedding.dtype).removeprefix("torch.")
    return {"n_rows": n_rows, "d_encoder": d_encoder, "dtype": kind, "sha256": digest(embedding)}


def digest(embedding: Tensor) -> str:
    """Return the sha256 of an embedding's bytes, whatever its dtype."""
    import torch

    return sha256(embedding.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())

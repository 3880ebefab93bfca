"""Embeddings on disk: safetensors shards and a parquet index, one writer, and no finished result is lost.

A result is written at once, as a file of its own in `pending/`. Every SHARD_SIZE results become one shard and one new
index, each written to a temporary file and renamed; only then are the single files deleted. A kill at any moment
leaves either the single files or the shard. Opening changes nothing on disk, so that a run can be read while it is
being written; the writer's next flush deletes what is left over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from sea_core.errors import RunError
from sea_core.runs.atomic import RESTORE_HINT, atomic_write, sha256

if TYPE_CHECKING:
    from torch import Tensor

SHARD_SIZE = 64
PURPOSE = "SEA synthetic embedding, for safety alignment"
REMAKE_HINT = "Delete it; the same `sea optimize` command makes its embedding again."


class ResultRecord(TypedDict):
    """What is stored of one embedding, as the caller knows it. Every key is there; text may be empty."""

    id: str
    """The embedding's id: the example's own for its first plain embedding, else `EXAMPLE#RECIPE.DRAW`."""
    example_id: str
    """The id of the example that it was made for."""
    source: str
    """`text`: found by optimisation. `media`: the encoder's output for a real medium."""
    media: str
    """The path of the real medium; empty for synthetic embeddings."""
    recipe: str
    """The recipe's name; empty for real media."""
    draw: int
    """Which of several embeddings by this recipe, from 0."""
    line: int | None
    """Where the example is in its data file."""
    instruction: str
    """The example's instruction."""
    response: str | None
    """Its response, for SFT."""
    chosen: str | None
    """Its preferred response, for DPO."""
    rejected: str | None
    """Its dispreferred response, for DPO."""
    harmful: bool
    """False only where the data file says so."""
    phrase: str
    """The phrase that the extractor found; empty for real media, as are the next four."""
    kind: str
    """`activity` or `product`."""
    sentence: str
    """The phrase as the content goal states it."""
    detoxified: str
    """The detoxified instruction."""
    style: str
    """The style of the style goal."""
    goals: str
    """JSON: a list of {"prompt", "answer"}, the content goal first."""
    status: str
    """`succeeded` or `failed`; `encoded` or `failed` for real media."""
    reason: str
    """Why it failed; empty otherwise."""
    steps: int
    """Updates that were made."""
    loss: float
    """The last mean loss, in nats per token."""
    margin: float
    """The smallest margin of a target token, in logits."""
    seconds: float
    """The time that it took."""
    grid: str
    """JSON: how the features are arranged in the medium, [frames, height, width]; `[]` for most families."""


class TensorRecord(TypedDict):
    """What the index knows of an embedding's features; 0 and empty where there is no embedding."""

    n_features: int
    """The number of vectors."""
    d_encoder: int
    """The width of each."""
    dtype: str
    """The floating-point type, such as `bfloat16`."""
    sha256: str
    """The digest of the bytes."""


class EmbeddingRecord(ResultRecord, TensorRecord):
    """A stored record: a row of `index.parquet`."""

    shard: str
    """The file that contains the features; empty while they are in `pending/`."""


class Store:
    """The records and embeddings of one run, by the embedding's id."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index, self.pending = folder / "index.parquet", folder / "pending"
        self._single_files: dict[str, Path] = {}
        self._stale_files: list[Path] = []
        paths = sorted(self.pending.glob("*.safetensors"))
        self._next_number = max((int(path.stem) for path in paths if path.stem.isdigit()), default=-1) + 1
        # Before the index: a single file that disappears meanwhile went into a shard, and the index has its record.
        singles = [(path, record) for path in paths if (record := _read_single(path))]
        self._records = {record["id"]: record for record in self._read_index()}
        for path, record in singles:
            if record["id"] in self._records:
                self._stale_files.append(path)
            else:
                self._records[record["id"]] = record
                self._single_files[record["id"]] = path

    # --- reading ----------------------------------------------------------------------------------------------------

    def records(self) -> list[EmbeddingRecord]:
        """Return every record, in the order in which they were finished."""
        return list(self._records.values())

    def ids(self) -> set[str]:
        """Return the ids of all records, with and without an embedding."""
        return set(self._records)

    def record(self, embedding_id: str) -> EmbeddingRecord:
        """Return one record. Raises RunError for an unknown id."""
        if embedding_id not in self._records:
            raise RunError(
                f"this run has no embedding {embedding_id!r}",
                hint=f"List its ids with: sea show {self.folder}",
                where=str(self.folder),
            )
        return self._records[embedding_id]

    def load(self, embedding_id: str) -> Tensor:
        """Return the features of an embedding, (n_features, d_encoder), in the dtype that they were stored in.

        Raises:
            RunError: there is no embedding, or the stored bytes are not those that were written.
        """
        from safetensors import SafetensorError, safe_open

        record = self.record(embedding_id)
        path = self._single_files.get(embedding_id) or self.folder / record["shard"]
        if not record["sha256"]:
            raise RunError(f"{embedding_id!r} has no embedding: {record['status']}, {record['reason']}")
        hint = REMAKE_HINT if embedding_id in self._single_files else RESTORE_HINT
        try:
            with safe_open(path, "pt") as file:
                features: Tensor = file.get_tensor(_tensor_name(embedding_id))
        except (OSError, SafetensorError) as error:
            what = f"the embedding {embedding_id!r} cannot be read: {error}"
            raise RunError(what, hint=hint, where=str(path)) from error
        if tensor_digest(features) != record["sha256"]:
            what = f"the embedding {embedding_id!r} is corrupt: its digest is not the one in the index"
            raise RunError(what, hint=hint, where=str(path))
        return features

    # --- writing ----------------------------------------------------------------------------------------------------

    def append(self, record: ResultRecord, features: Tensor | None) -> None:
        """Write one result; it is on disk when this returns."""
        tensors = {} if features is None else {record["id"]: features.cpu().contiguous()}
        stored: EmbeddingRecord = {**record, **_describe(features), "shard": ""}
        path = self.pending / f"{self._next_number:08d}.safetensors"
        _write(path, tensors, {"record": json.dumps(stored)})
        self._next_number += 1
        self._records[record["id"]] = stored
        self._single_files[record["id"]] = path
        if len(self._single_files) >= SHARD_SIZE:
            self.flush()

    def flush(self) -> None:
        """Merge the single files into one shard and a new index, and delete the files that have been merged."""
        if self._single_files:
            self._merge()
        for path in (*self._stale_files, *self.pending.glob(".*.part")):
            path.unlink(missing_ok=True)
        self._stale_files = []

    def _merge(self) -> None:
        shards = {record["shard"] for record in self._records.values()} - {""}
        name = f"embeddings-{len(shards):05d}.safetensors"
        tensors = {i: self.load(i) for i in self._single_files if self._records[i]["sha256"]}
        if tensors:
            _write(self.folder / name, tensors, {})
        records = dict(self._records)
        for i in self._single_files:
            records[i] = {**records[i], "shard": name if i in tensors else ""}
        self._write_index(list(records.values()))
        self._records = records
        self._stale_files += self._single_files.values()
        self._single_files = {}

    def _read_index(self) -> Iterable[EmbeddingRecord]:
        if not self.index.exists():
            return []
        import pyarrow
        import pyarrow.parquet

        try:
            table = pyarrow.parquet.read_table(self.index, memory_map=True, page_checksum_verification=True)
        except (OSError, pyarrow.ArrowException) as error:
            raise RunError(f"the index is corrupt: {error}", hint=RESTORE_HINT, where=str(self.index)) from error
        records: list[EmbeddingRecord] = table.to_pylist()
        return records

    def _write_index(self, records: list[EmbeddingRecord]) -> None:
        import pyarrow
        import pyarrow.parquet

        with atomic_write(self.index) as partial:
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(records), partial, write_page_checksum=True)


def _write(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file, whole or not at all.

    Through bytes instead of `save_file`, which reports a full disk in an error of its own and makes the file private.
    """
    from safetensors.torch import save

    named = {_tensor_name(embedding_id): tensor for embedding_id, tensor in tensors.items()}
    with atomic_write(path) as partial:
        partial.write_bytes(save(named, metadata | {"purpose": PURPOSE}))


def _read_single(path: Path) -> EmbeddingRecord | None:
    """Return the record in a single file, or None when a writer has just merged it into a shard."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            record: EmbeddingRecord = json.loads(file.metadata()["record"])
    except FileNotFoundError:
        return None
    except (OSError, SafetensorError) as error:
        raise RunError(f"the file is corrupt: {error}", hint=REMAKE_HINT, where=str(path)) from error
    return record


def _tensor_name(embedding_id: str) -> str:
    """Return the name of an embedding's tensor: its id. safetensors reserves the name `__metadata__`."""
    return f"_{embedding_id}" if embedding_id.startswith("__") else embedding_id


def _describe(features: Tensor | None) -> TensorRecord:
    if features is None:
        return {"n_features": 0, "d_encoder": 0, "dtype": "", "sha256": ""}
    n_features, d_encoder = features.shape
    dtype = str(features.dtype).removeprefix("torch.")
    return {"n_features": n_features, "d_encoder": d_encoder, "dtype": dtype, "sha256": tensor_digest(features)}


def tensor_digest(tensor: Tensor) -> str:
    """Return the SHA-256 of a tensor's bytes, for any dtype."""
    import torch

    return sha256(tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())

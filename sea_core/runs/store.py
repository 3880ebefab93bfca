"""Embeddings on disk: safetensors shards and their indexes in parquet, one writer, and no finished result is lost.

A result is written at once, as a file of its own in `pending/`. Every SHARD_SIZE results become one part: a shard of
tensors and the index of its records, each written to a temporary file and renamed. The part counts from when it is in
the inventory; only then are the single files deleted. A kill at any moment leaves either the single files or the part.
Opening changes nothing on disk, so that a run can be read while it is being written; the writer's next flush deletes
what is left over.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from typing_extensions import TypedDict

from sea_core.errors import RunError
from sea_core.runs.atomic import atomic_write, put_aside
from sea_core.runs.digests import forget_digest, sha256
from sea_core.runs.inventory import Damage, Inventory
from sea_core.schema import adapter, describe, parse_json

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)

SHARD_SIZE = 64
PURPOSE = "SEA synthetic embedding, for safety alignment"
REMAKE_HINT = "Re-run the command that made the run: it puts damaged files aside and makes their embeddings again."


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
    """A stored record: a row of an index."""

    shard: str
    """The file that contains the features; empty while they are in `pending/`, and where there are none."""


class GoalRecord(TypedDict):
    """A goal, as the key `goals` of a record has it."""

    prompt: str
    answer: str


def read_goals(record: ResultRecord) -> list[GoalRecord]:
    """Return the goals of a record. Raises RunError where they are not a list of goals."""
    return parse_json(record["goals"], list[GoalRecord], **_part("goals", record))


def read_grid(record: ResultRecord) -> tuple[int, ...]:
    """Return the grid of a record. Raises RunError where it is not a list of whole numbers."""
    return tuple(parse_json(record["grid"], list[int], **_part("grid", record)))


def _part(name: str, record: ResultRecord) -> dict[str, Any]:
    hint = "Somebody has changed the run: make it again, or check it: sea check RUN"
    return {"what": f"the {name} of the embedding {record['id']}", "hint": hint, "error": RunError}


class Store:
    """The records and embeddings of one run, by the embedding's id.

    Attributes:
        damage: the damaged files, as far as opening shows it: indexes are checked by their digests, shards by their
            sizes. What they contain is not among the records.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index, self.shards, self.pending = folder / "index", folder / "embeddings", folder / "pending"
        self.inventory = Inventory(folder)
        self._open()

    def _open(self) -> None:
        self.damage: list[Damage] = []
        self._single_files: dict[str, Path] = {}
        self._stale_files: list[Path] = []
        paths = sorted(self.pending.glob("*.safetensors"))
        self._next_number = max((int(path.stem) for path in paths if path.stem.isdigit()), default=-1) + 1
        # Before the indexes: a single file that disappears meanwhile went into a part, and its index has the record.
        singles = [(path, record) for path in paths if (record := self._read_single(path))]
        self._records = {record["id"]: record for record in self._read_parts()}
        for path, record in singles:
            if record["id"] in self._records:
                self._stale_files.append(path)
            else:
                self._records[record["id"]] = record
                self._single_files[record["id"]] = path
        self.damage += self._unlisted_parts()

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
        record = self.record(embedding_id)
        if not record["sha256"]:
            raise RunError(f"{embedding_id!r} has no embedding: {record['status']}, {record['reason']}")
        path = self._single_files.get(embedding_id) or self.folder / record["shard"]
        try:
            return _load_tensor(path, record)
        except ValueError as error:
            forget_digest(path)  # the next command that can make it again looks at the bytes
            what = f"the embedding {embedding_id!r} {error}"
            raise RunError(what, hint=REMAKE_HINT, where=str(path)) from error

    # --- writing ----------------------------------------------------------------------------------------------------

    def append(self, record: ResultRecord, features: Tensor | None) -> None:
        """Write one result; it is on disk when this returns."""
        stored: EmbeddingRecord = {**record, **_describe(features), "shard": ""}
        self._flush_if_full()  # a kill may have come before that, and parts are the same after it
        self._append_single(stored, features)
        self._flush_if_full()

    def _flush_if_full(self) -> None:
        if len(self._single_files) >= SHARD_SIZE:
            self.flush()

    def _append_single(self, record: EmbeddingRecord, features: Tensor | None) -> None:
        tensors = {} if features is None else {record["id"]: features.cpu().contiguous()}
        path = self.pending / f"{self._next_number:08d}.safetensors"
        text = json.dumps(record)
        _write(path, tensors, {"record": text, "record_sha256": sha256(text.encode())})
        self._next_number += 1
        self._records[record["id"]] = record
        self._single_files[record["id"]] = path

    def flush(self) -> None:
        """Merge the single files into one part, and delete the files that have been merged."""
        if self._single_files:
            self._merge()
        for path in (*self._stale_files, *self.pending.glob(".*.part")):
            path.unlink(missing_ok=True)
        self._stale_files = []

    def _merge(self) -> None:
        name = self._new_part_name()
        shard, index = self.shards / f"{name}.safetensors", self.index / f"{name}.parquet"
        tensors = {i: self.load(i) for i in self._single_files if self._records[i]["sha256"]}
        if tensors:
            _write(shard, tensors, {})
        path = shard.relative_to(self.folder).as_posix()
        merged = {i: self._records[i] for i in self._single_files}
        for embedding_id, record in merged.items():
            merged[embedding_id] = {**record, "shard": path if embedding_id in tensors else ""}
        _write_index(index, list(merged.values()))
        self.inventory.add([shard, index] if tensors else [index])
        self._records |= merged
        self._stale_files += self._single_files.values()
        self._single_files = {}

    def _new_part_name(self) -> str:
        """Return a name that no part of this run ever had. A part without its index was never finished."""
        listed = [Path(record["path"]) for record in self.inventory.log.read(skip_damaged=True)]
        used = [path.stem for path in listed if path.parent.name == self.index.name]
        return f"{max((int(name) for name in used if name.isdigit()), default=-1) + 1:05d}"

    # --- damage -----------------------------------------------------------------------------------------------------

    def find_damage(self, *, cached: bool = True) -> list[Damage]:
        """Return the damaged files, by the digests of whole files.

        Args:
            cached: take digests of files that have not changed from the cache (see `file_digest`).
        """
        shards = self.inventory.damage(thorough=True, cached=cached, within=f"{self.shards.name}/")  # and its own lines
        return list({damage.path: damage for damage in (*self.damage, *shards)}.values())

    def put_aside_damage(self) -> None:
        """Move damaged files to the folder `damaged`, so that their embeddings can be made again.

        A part is moved as a whole. Its embeddings whose bytes are still right are kept.
        """
        damaged = self.find_damage()
        if not damaged:
            return
        folders = (self.shards.name, self.index.name)
        parts = {Path(damage.path).stem for damage in damaged if damage.path.startswith(folders)}
        for name in sorted(parts):
            self._rescue(name)
        for damage in damaged:
            log.warning("%s %s: what it contained is made again", self.folder / damage.path, damage.problem)
        self.inventory.log.put_aside_damage()
        files = [file for name in parts for file in self._part_files(name)]
        for file in (*files, *(Path(damage.path) for damage in damaged)):
            put_aside(self.folder / file, self.folder)
        self.inventory.remove(self.folder / file for file in files)
        self._open()

    def _part_files(self, name: str) -> tuple[Path, Path]:
        return Path(self.shards.name, f"{name}.safetensors"), Path(self.index.name, f"{name}.parquet")

    def _rescue(self, name: str) -> None:
        """Store the intact embeddings of a damaged part as single files."""
        shard, index = self._part_files(name)
        if any(damage.path == index.as_posix() for damage in self.damage):
            return
        for record in _read_index((self.folder / index).read_bytes()):
            try:
                features = _load_tensor(self.folder / shard, record) if record["sha256"] else None
            except ValueError:
                continue
            self._append_single({**record, "shard": ""}, features)

    def _read_parts(self) -> Iterator[EmbeddingRecord]:
        """Yield the records of the intact parts."""
        files = self.inventory.files()
        for path in sorted(path for path in files if path.startswith(f"{self.index.name}/")):
            shard = self._part_files(Path(path).stem)[0].as_posix()
            if shard in files and (problem := self.inventory.problem(files[shard], thorough=False)):
                self.damage.append(Damage(shard, problem))
            problem = self.inventory.problem(files[path], thorough=True, cached=False)
            try:
                records = [] if problem else _read_index((self.folder / path).read_bytes())
                if any(record["shard"] not in ("", shard) for record in records):
                    problem = "names another shard than its own"
            except ValueError as error:
                problem = str(error)
            if problem:
                self.damage.append(Damage(path, problem))
            elif not any(damage.path == shard for damage in self.damage):
                yield from records

    def _unlisted_parts(self) -> Iterator[Damage]:
        """Yield the indexes that the inventory lacks. What a killed writer left behind is no damage."""
        listed = self.inventory.files()
        for path in sorted(self.index.glob("[!.]*.parquet")):
            name = path.relative_to(self.folder).as_posix()
            if name not in listed and not self._has_records_of(path):
                yield Damage(name, "is not in the inventory")

    def _has_records_of(self, index: Path) -> bool:
        """Return whether the records of an index are all known, from single files that it was made of."""
        try:
            return {record["id"] for record in _read_index(index.read_bytes())} <= self._records.keys()
        except (OSError, ValueError):
            return False

    def _read_single(self, path: Path) -> EmbeddingRecord | None:
        """Return the record in a single file; None if it is damaged, or if a writer has just merged it into a part."""
        try:
            return _read_single(path)
        except FileNotFoundError:
            return None
        except ValueError as error:
            self.damage.append(Damage(path.relative_to(self.folder).as_posix(), str(error)))
            return None


def _read_index(data: bytes) -> list[EmbeddingRecord]:
    """Return the records of an index. Raises ValueError for bytes that are not an index."""
    import pyarrow
    import pyarrow.parquet

    source = pyarrow.BufferReader(data)
    try:
        # Four times as fast as `read_table` on a file of 64 rows.
        rows = pyarrow.parquet.ParquetFile(source, page_checksum_verification=True).read(use_threads=False).to_pylist()
        records: list[EmbeddingRecord] = adapter(list[EmbeddingRecord]).validate_python(rows, strict=True)
    except ValidationError as error:
        raise ValueError(f"is not an index of embeddings: {describe(error)}") from error
    except (OSError, pyarrow.ArrowException) as error:
        raise ValueError(f"is not a Parquet file: {error}") from error
    return records


def _write_index(path: Path, records: list[EmbeddingRecord]) -> None:
    import pyarrow
    import pyarrow.parquet

    with atomic_write(path) as partial:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(records), partial, write_page_checksum=True)


def _write(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file, whole or not at all.

    Through bytes instead of `save_file`, which reports a full disk in an error of its own and makes the file private.
    """
    from safetensors.torch import save

    named = {_tensor_name(embedding_id): tensor for embedding_id, tensor in tensors.items()}
    with atomic_write(path) as partial:
        partial.write_bytes(save(named, metadata | {"purpose": PURPOSE}))


def _read_single(path: Path) -> EmbeddingRecord:
    """Return the record in a single file. Raises ValueError for a damaged file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
        text = metadata.get("record", "")
        if sha256(text.encode()) != metadata.get("record_sha256"):
            raise ValueError("was changed: the digest of its record differs")
        record: EmbeddingRecord = adapter(EmbeddingRecord).validate_json(text, strict=True)
    except FileNotFoundError:
        raise
    except ValidationError as error:
        raise ValueError(f"has no record of an embedding: {describe(error)}") from error
    except (OSError, SafetensorError) as error:
        raise ValueError(f"cannot be read: {error}") from error
    if record["sha256"]:
        _load_tensor(path, record)
    return record


def _load_tensor(path: Path, record: EmbeddingRecord) -> Tensor:
    """Return the features of a record from the file that contains them. Raises ValueError where they are damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            features: Tensor = file.get_tensor(_tensor_name(record["id"]))
    except (OSError, SafetensorError) as error:
        raise ValueError(f"cannot be read: {error}") from error
    if tensor_digest(features) != record["sha256"]:
        raise ValueError("is damaged: its digest is not the one in the index")
    return features


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

"""Embeddings on disk: safetensors shards and their indexes in parquet, one writer, and no finished result is lost.

A result is written at once, as a file of its own in `pending/`. Every SHARD_SIZE results become one part: a shard of
tensors and the index of its records, each written to a temporary file and renamed. The part counts from when it is in
the inventory; only then are the single files deleted. A kill at any moment leaves either the single files or the part.
Opening changes nothing on disk, so that a run can be read while it is being written; the writer's next flush deletes
what is left over.

What workers have done of a run is in stores of its blocks (blocks.py), which are read as if it were in the run's own.
A finished block is a part; the writer moves it to the others.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.errors import RunError
from sea_core.runs.atomic import disk_errors, flush_folder, put_aside
from sea_core.runs.block_folder import BLOCKS, SETTLE, TODO, BlockFolder, block_folders, files_of
from sea_core.runs.digests import forget_digest, sha256
from sea_core.runs.embedding_files import (
    describe_tensor,
    load_tensor,
    read_index,
    read_single,
    write_index,
    write_tensors,
)
from sea_core.runs.embedding_record import EmbeddingRecord, ResultRecord
from sea_core.runs.inventory import Damage, Inventory
from sea_core.runs.withheld import WithheldTexts

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)

SHARD_SIZE = 64
ATTEMPTS = 5
"""How often an embedding is looked for whose file has just been moved."""
JOINED = ".joined"
"""The suffix of a block's folder that is being deleted, since its part is one of the run's."""
REMAKE_HINT = "Re-run the command that made the run: it puts damaged files aside and makes their embeddings again."


class Store:
    """The records and embeddings of one run, by the embedding's id.

    Args:
        block: the block whose store this is; its results become one part, with its number.

    Attributes:
        damage: the damaged files, as far as opening shows it: indexes are checked by their digests, shards by their
            sizes. What they contain is not among the records.
    """

    def __init__(self, folder: Path, block: BlockFolder | None = None) -> None:
        self.folder, self.block = folder, block
        self.run = folder.parents[1] if block else folder
        self.index, self.shards, self.pending = folder / "index", folder / "embeddings", folder / "pending"
        self.inventory = Inventory(folder, moving_to=self.run if block else None)
        self.texts = WithheldTexts(folder)
        self._open()

    def _open(self) -> None:
        self.damage: list[Damage] = []
        blocks = self._open_blocks()  # before this store's own parts: a block that disappears has become one
        self._single_files: dict[str, Path] = {}
        self._stale_files: list[Path] = []
        paths = files_of(self.pending, ".safetensors")
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
        self._blocks, self._in_blocks = blocks, dict[str, Store]()
        for store in blocks:
            new = {record["id"]: record for record in store.records() if record["id"] not in self._records}
            self._records |= new
            self._in_blocks |= dict.fromkeys(new, store)
            self.damage += store._named_from_run(store.damage)
        self._records = self.texts.fill(self._records)
        self.damage += self._unlisted_parts()

    def _named_from_run(self, damage: Iterable[Damage]) -> list[Damage]:
        """Return the damage in a block with the paths relative to the run."""
        folder = self.folder.relative_to(self.run).as_posix()
        return [each.in_folder(folder) for each in damage]

    def _open_blocks(self) -> list[Store]:
        """Return the stores of a run's blocks. One that is renamed while it is read is read again."""
        opened: dict[str, Store] = {}
        while not self.block:
            waiting = [block for block in block_folders(self.folder) if block.label not in {SETTLE, *opened}]
            if not waiting:
                break
            for block in waiting:
                store = Store(block.path, block)
                if block.path.is_dir():
                    opened[block.label] = store
        return [opened[label] for label in sorted(opened)]

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
        for attempt in range(1, ATTEMPTS + 1):
            path = self._path(record)
            try:
                return load_tensor(path, record)
            except ValueError as error:
                if path.exists() or attempt == ATTEMPTS:
                    forget_digest(path)  # the next command that can make it again looks at the bytes
                    what = f"the embedding {embedding_id!r} {error}"
                    raise RunError(what, hint=REMAKE_HINT, where=str(path)) from error
            self._open()  # workers finish blocks, and the writer joins them, while others read
            record = self.record(embedding_id)
        raise AssertionError

    def _path(self, record: EmbeddingRecord) -> Path:
        """Return the file that contains an embedding."""
        if store := self._in_blocks.get(record["id"]):
            return store._path(record)
        return self._single_files.get(record["id"]) or self.inventory.locate(record["shard"])

    # --- writing ----------------------------------------------------------------------------------------------------

    def append(self, record: ResultRecord, features: Tensor | None) -> None:
        """Write one result; it is on disk when this returns."""
        stored: EmbeddingRecord = {**record, **describe_tensor(features), "shard": ""}
        self._flush_if_full()  # a kill may have come before that, and parts are the same after it
        self._append_single(stored, features)
        self._flush_if_full()

    def _flush_if_full(self) -> None:
        if not self.block and len(self._single_files) >= SHARD_SIZE:
            self.flush()

    def _append_single(self, record: EmbeddingRecord, features: Tensor | None) -> None:
        tensors = {} if features is None else {record["id"]: features.cpu().contiguous()}
        path = self.pending / f"{self._next_number:08d}.safetensors"
        text = json.dumps(record)
        metadata = {"record": text, "record_sha256": sha256(text.encode())}
        write_tensors(path, tensors, metadata, parents=not self.block)
        self._next_number += 1
        self._records[record["id"]] = record
        self._single_files[record["id"]] = path
        self._in_blocks.pop(record["id"], None)

    def flush(self, order: Sequence[str] = ()) -> None:
        """Merge the single files into one part, and delete the files that have been merged.

        Args:
            order: ids in the order of the part; by default that in which they were finished.
        """
        if self._single_files and not self._is_numbering():
            first = {i: self._single_files[i] for i in order if i in self._single_files}
            self._single_files = first | self._single_files
            self._merge()
        for path in (*self._stale_files, *files_of(self.pending, ".part")):
            path.unlink(missing_ok=True)
        self._stale_files = []

    def _is_numbering(self) -> bool:
        """Return whether a worker is just giving numbers to blocks, so that a part of the run could get the same."""
        return not self.block and any(block.label == SETTLE for block in block_folders(self.folder))

    def _merge(self) -> None:
        name = self._new_part_name()
        shard, index = self.shards / f"{name}.safetensors", self.index / f"{name}.parquet"
        tensors = {i: self.load(i) for i in self._single_files if self._records[i]["sha256"]}
        if tensors:
            write_tensors(shard, tensors, {}, parents=not self.block)
        path = shard.relative_to(self.folder).as_posix()
        merged = {i: self._records[i] for i in self._single_files}
        for embedding_id, record in merged.items():
            merged[embedding_id] = {**record, "shard": path if embedding_id in tensors else ""}
        write_index(index, list(merged.values()), parents=not self.block)
        self.inventory.add([shard, index] if tensors else [index])
        self._records |= merged
        self._stale_files += self._single_files.values()
        self._single_files = {}

    def _new_part_name(self) -> str:
        """Return a name that no part of this run ever had. A part without its index was never finished."""
        if self.block:
            return self.block.label
        return f"{self.next_number():05d}"

    def next_number(self) -> int:
        """Return the number of the next part or block: larger than all that were used."""
        used = [block.label for block in block_folders(self.folder)]  # first: one that disappears is in the inventory
        listed = [Path(record["path"]) for record in self.inventory.log.read(skip_damaged=True)]
        used += [path.stem for path in listed if path.parent.name == self.index.name]
        return max((int(name) for name in used if name.isdigit()), default=-1) + 1

    # --- blocks -----------------------------------------------------------------------------------------------------

    def join_blocks(self, blocks: Sequence[BlockFolder] | None = None) -> None:
        """Move the parts of finished blocks to this store's own. Only the writer of the run may do so.

        Args:
            blocks: default: all that are finished.
        """
        for folder in files_of(self.folder / BLOCKS, JOINED):
            shutil.rmtree(folder, ignore_errors=True)  # what a kill left
        if blocks is None:
            blocks = [block for block in block_folders(self.folder) if block.is_done]
        finished = [Store(block.path, block) for block in blocks]
        whole = [store for store in finished if store._is_whole()]
        if not whole:
            return
        for folder in (self.shards, self.index):
            folder.mkdir(exist_ok=True)
        with disk_errors(self.folder / BLOCKS):
            for store in whole:
                for name in store.inventory.files():
                    with suppress(FileNotFoundError):  # it was moved before a kill
                        (store.folder / name).replace(self.folder / name)
            for folder in (self.shards, self.index):
                flush_folder(folder)
            self.inventory.add_records(record for store in whole for record in store.inventory.files().values())
            for store in whole:
                self._forget(store)

    def _is_whole(self) -> bool:
        """Return whether the part of a finished block is whole. If not, the block is to be completed again."""
        assert self.block
        if len(self.ids()) == self.block.rows and not self._single_files:
            return True
        self.block.moved_to(TODO)
        return False

    def absorb(self, store: Store) -> None:
        """Store what is finished of a block here; the block is given up."""
        for record in store.records():
            if record["id"] in self._records and record["id"] not in self._in_blocks:
                continue  # a kill came before the block was deleted
            features = store.load(record["id"]) if record["sha256"] else None
            self._append_single({**record, "shard": ""}, features)
            self._flush_if_full()

    def _forget(self, store: Store) -> None:
        """Remove the folder of a block whose part is now one of this store's."""
        removed = store.folder.with_name(f".{store.folder.name}{JOINED}")
        store.folder.replace(removed)
        shutil.rmtree(removed, ignore_errors=True)
        for record in store.records():
            self._records[record["id"]] = record
            self._in_blocks.pop(record["id"], None)

    # --- damage -----------------------------------------------------------------------------------------------------

    def find_damage(self, *, cached: bool = True) -> list[Damage]:
        """Return the damaged files, by the digests of whole files.

        Args:
            cached: take digests of files that have not changed from the cache (see `file_digest`).
        """
        shards = self.inventory.damage(thorough=True, cached=cached, within=f"{self.shards.name}/")  # and its own lines
        blocks = [each for store in self._blocks for each in store._named_from_run(store.find_damage(cached=cached))]
        return list({damage.path: damage for damage in (*self.damage, *shards, *blocks)}.values())

    def put_aside_damage(self) -> None:
        """Move damaged files to the folder `damaged`, so that their embeddings can be made again.

        A part is moved as a whole. Its embeddings whose bytes are still right are kept. Damage in a block is left to
        the worker that claims it.
        """
        damaged = [damage for damage in self.find_damage() if not damage.path.startswith(f"{BLOCKS}/")]
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
            put_aside(self.folder / file, self.run)
        self.inventory.remove(self.folder / file for file in files)
        self._open()

    def _part_files(self, name: str) -> tuple[Path, Path]:
        return Path(self.shards.name, f"{name}.safetensors"), Path(self.index.name, f"{name}.parquet")

    def _rescue(self, name: str) -> None:
        """Store the intact embeddings of a damaged part as single files."""
        shard, index = self._part_files(name)
        if any(damage.path == index.as_posix() for damage in self.damage):
            return
        for record in read_index((self.folder / index).read_bytes()):
            try:
                features = load_tensor(self.folder / shard, record) if record["sha256"] else None
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
                records = [] if problem else read_index(self.inventory.locate(path).read_bytes())
                if any(record["shard"] not in ("", shard) for record in records):
                    problem = "names another shard than its own"
            except FileNotFoundError:
                problem = "is missing"  # or a worker has just moved its block
            except ValueError as error:
                problem = str(error)
            if problem:
                self.damage.append(Damage(path, problem))
            elif not any(damage.path == shard for damage in self.damage):
                yield from records

    def _unlisted_parts(self) -> Iterator[Damage]:
        """Yield the indexes that the inventory lacks. What a killed writer left behind is no damage."""
        listed = self.inventory.files()
        for path in files_of(self.index, ".parquet"):
            name = path.relative_to(self.folder).as_posix()
            if name not in listed and not self._has_records_of(path):
                yield Damage(name, "is not in the inventory")

    def _has_records_of(self, index: Path) -> bool:
        """Return whether the records of an index are all known, from single files that it was made of."""
        try:
            return {record["id"] for record in read_index(index.read_bytes())} <= self._records.keys()
        except (OSError, ValueError):
            return False

    def _read_single(self, path: Path) -> EmbeddingRecord | None:
        """Return the record in a single file; None if it is damaged, or if a writer has just merged it into a part."""
        try:
            return read_single(path)
        except FileNotFoundError:
            return None
        except ValueError as error:
            self.damage.append(Damage(path.relative_to(self.folder).as_posix(), str(error)))
            return None

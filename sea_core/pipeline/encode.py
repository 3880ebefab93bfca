"""`sea encode` from Python: run the encoder on real media once, and store M(z) in the form of a synthetic embedding."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sea_core.data.examples import Example
from sea_core.data.media_columns import MEDIA_AS_BYTES, MEDIA_COLUMNS
from sea_core.data.media_paths import file_problem, locate_medium
from sea_core.data.result import ReadResult
from sea_core.errors import DataError, RunError, SeaError, at
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.proof import check_seam
from sea_core.optimization.config import Auto
from sea_core.pipeline.launch import WorkerCommand, count_workers
from sea_core.pipeline.manifests import model_identity, model_location
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.pipeline.read import read_examples
from sea_core.pipeline.reading import note_reading
from sea_core.pipeline.shared_work import SharedWork
from sea_core.runs.block import HINT, Block, BlockRow
from sea_core.runs.containment import is_inside
from sea_core.runs.embedding_blocks import EmbeddingBlocks
from sea_core.runs.embedding_record import ResultRecord
from sea_core.runs.embedding_run import EmbeddingIdentity, EmbeddingManifest, EmbeddingMetadata, EmbeddingRun
from sea_core.runs.manifest import DataIdentity
from sea_core.runs.store import Store
from sea_core.schema import parse_json

METADATA_FILES = ("metadata.jsonl", "metadata.json")
"""The file that lists the media of a folder, as in Hugging Face's folder datasets."""
LINE = '{"file_name": "cat.png", "instruction": "...", "response": "...", "harmful": false}'


@dataclass(frozen=True)
class MediaExample:
    """An example and the path of its medium; `problem` says why it has none."""

    example: Example
    path: Path | None = None
    problem: str = ""


def media_examples(
    dataset: Path,
    format: str = "auto",
    columns: dict[str, str] | None = None,
    media_root: Path | None = None,
) -> tuple[ReadResult, list[MediaExample]]:
    """Return a dataset's examples with the paths of their media, which are relative to the dataset's folder.

    Args:
        dataset: a file of examples, or a folder that contains a metadata.jsonl.
        media_root: where the media lie, if not in the dataset's folder.

    Raises:
        DataError: the dataset cannot be read, no example names a medium, or one names a file outside these folders.
    """
    file = _metadata_file(dataset)
    read = read_examples(file, format, columns)
    examples = [_find_medium(example, file, media_root) for example in read.examples]
    if not any(each.example.media for each in examples):
        hint = f'Add one of these columns: {", ".join(MEDIA_COLUMNS)}; for example "file_name": "cat.png".'
        if MEDIA_AS_BYTES in read.notes:
            hint = f"They are stored as bytes: sea data convert {dataset} --save-media-to FOLDER --out NEW.jsonl"
        raise DataError("no example names a medium", where=str(dataset), hint=hint)
    return read, examples


def _metadata_file(dataset: Path) -> Path:
    if not dataset.is_dir():
        return dataset
    for name in METADATA_FILES:
        if (dataset / name).is_file():
            return dataset / name
    raise DataError(
        f"the folder has no {METADATA_FILES[0]}",
        where=str(dataset),
        hint=f"Write one line per medium: {LINE}",
    )


def _find_medium(example: Example, file: Path, media_root: Path | None) -> MediaExample:
    if len(example.media) != 1:
        count = f"the example names {len(example.media)} media, but only one is supported"
        return MediaExample(example, problem=count if example.media else "the example names no medium")
    path = locate_medium(example.media[0], file if file.is_dir() else file.parent, media_root)
    if path is None:
        raise DataError(
            f"{example.media[0]} lies outside the {'folder of the data' if media_root is None else 'allowed folders'}",
            where=at(file, example.line),
            hint="Data may come from anybody, so files elsewhere are not opened. If you trust the data, name the "
            "folder of the media: --media-root DIR",
        )
    return MediaExample(example, path, file_problem(path))


def encode(
    mllm: MLLM, examples: Sequence[MediaExample], run: EmbeddingRun, batch_size: int = 1, folder: Path = Path()
) -> Iterator[int]:
    """Encode and store the examples that the run does not have. Yields how many were done, batch by batch.

    An example whose medium is missing or broken is stored as failed, with the reason. In a batch of one, E equals what
    `mllm.encode` returns for the medium, to the last bit; a larger batch may round differently.

    Args:
        folder: to which the paths of media are relative.
    """
    done = run.store.ids()
    left = [each for each in examples if each.example.id not in done]
    for start in range(0, len(left), batch_size):
        began = time.monotonic()
        batch = left[start : start + batch_size]
        results = _encode_batch(mllm, batch, folder)
        seconds = (time.monotonic() - began) / len(batch)
        for example, result in zip(batch, results, strict=True):
            _store(run, example, result, seconds)
        yield len(batch)


def _encode_batch(mllm: MLLM, batch: Sequence[MediaExample], folder: Path) -> list[Embedding | str]:
    """Return each example's E, or why it has none. If a medium makes the batch fail, each is encoded on its own."""
    media: dict[int, Any] = {}
    results: list[Embedding | str] = [each.problem for each in batch]
    for i, each in enumerate(batch):
        if each.path and not each.problem:
            try:
                media[i] = mllm.adapter.read_media(folder / each.path, mllm.processor)
            except SeaError as error:
                results[i] = error.what
    try:
        for i, embedding in zip(media, mllm.encode(list(media.values())) if media else (), strict=True):
            results[i] = embedding
    except DataError as error:  # the adapter does not accept one of the media
        if len(batch) > 1:
            return [result for each in batch for result in _encode_batch(mllm, [each], folder)]
        results[0] = error.what
    return results


def _store(run: EmbeddingRun, example: MediaExample, result: Embedding | str, seconds: float) -> None:
    """Store an encoded medium, or why it could not be encoded."""
    if isinstance(result, str):
        run.add(failed_record(example, result, seconds), None)
    else:
        run.add(_make_record(example, "encoded", "", result.grid, seconds), result.features)


def failed_record(example: MediaExample, reason: str, seconds: float = 0.0) -> ResultRecord:
    """Return the record of an example whose medium was not encoded."""
    return _make_record(example, "failed", reason, (), seconds)


def _make_record(
    encoded: MediaExample, status: str, reason: str, grid: tuple[int, ...], seconds: float
) -> ResultRecord:
    example = encoded.example
    return {
        "id": example.id,
        "example_id": example.id,
        "source": "media",
        "media": str(encoded.path or ""),
        "recipe": "",
        "draw": 0,
        "start": "",
        "line": example.line,
        "instruction": example.instruction,
        "response": example.response,
        "chosen": example.chosen,
        "rejected": example.rejected,
        "harmful": example.harmful,
        "phrase": "",
        "kind": "",
        "sentence": "",
        "detoxified": "",
        "style": "",
        "goals": "[]",
        "status": status,
        "reason": reason,
        "steps": 0,
        "loss": float("nan"),
        "margin": float("nan"),
        "seconds": seconds,
        "grid": json.dumps(grid),
    }


@dataclass(frozen=True)
class EncodeOptions:
    """What a worker needs to know besides the run and its rows.

    Attributes:
        folder: to which the paths of media are relative. batch_size: media encoded at a time.
        media_folders: of the data and of `--media-root`. A worker opens no medium elsewhere.
    """

    folder: str
    batch_size: int
    media_folders: Sequence[str]


class EncodeWork(SharedWork[EmbeddingRun]):
    """Media to be encoded: a row is an example with its medium."""

    title = "encode"
    unit = "media"

    def __init__(self, run: EmbeddingRun, target: ModelTarget, options: EncodeOptions) -> None:
        super().__init__(run, _worker_command(target, options))
        self.blocks = EmbeddingBlocks(run)
        self.options, self._target = options, target
        self._mllm: MLLM | None = None

    @property
    def batch_size(self) -> int:
        return self.options.batch_size

    def load(self) -> None:
        """Load the model. Raises RunError where this process sees none of the media."""
        if self._mllm is None:
            folders = self.options.media_folders
            if not any(Path(folder).is_dir() for folder in folders):
                what = f"the media are not here: there is no folder {' or '.join(folders)}"
                raise RunError(what, hint="Start workers where the media lie at the same path.")
            self._mllm = self._target.load()
            check_seam(self._mllm)

    def run_in(self, block: Block) -> EmbeddingRun:
        run = super().run_in(block)
        run.store = block.store
        return run

    def left(self, run: EmbeddingRun, rows: Sequence[BlockRow]) -> list[BlockRow]:
        done = run.store.ids() if run.is_in_block else Store(run.folder).ids()
        return [row for row in rows if row["id"] not in done]

    def do(self, run: EmbeddingRun, rows: Sequence[BlockRow]) -> Iterator[int]:
        assert self._mllm
        folder = Path(self.options.folder)
        yield from encode(self._mllm, [self._example(row) for row in rows], run, self.options.batch_size, folder)

    def give_up(self, run: EmbeddingRun, row: BlockRow, reason: str) -> None:
        run.add(failed_record(self._example(row), reason), None)

    def _example(self, row: BlockRow) -> MediaExample:
        what, text, where = f"the example {row['id']!r}", json.dumps(row["value"]), str(self.run.folder)
        example = parse_json(text, MediaExample, what=what, hint=HINT, where=where, error=RunError)
        if example.path is None or example.problem:
            return example
        if not self._may_open(example.path):
            raise RunError(
                f"{example.path} lies outside the folders of the media: {', '.join(self.options.media_folders)}",
                hint="A run may come from anybody, so files elsewhere are not opened. If it is yours, re-run its "
                "command: sea encode ... --media-root DIR",
                where=where,
            )
        return replace(example, problem=file_problem(Path(self.options.folder) / example.path))

    def _may_open(self, path: Path) -> bool:
        found = Path(self.options.folder) / path
        return any(is_inside(found, Path(folder)) for folder in self.options.media_folders)


def _worker_command(target: ModelTarget, options: EncodeOptions) -> WorkerCommand:
    command = WorkerCommand.of(target)
    roots = tuple(word for folder in options.media_folders for word in ("--media-root", folder))
    return replace(command, arguments=(*command.arguments, *roots))


def encode_rows(examples: Sequence[MediaExample]) -> list[BlockRow]:
    """Return examples as rows of work."""
    return [
        {"id": each.example.id, "value": {**asdict(each), "path": each.path and str(each.path)}} for each in examples
    ]


def media_folders(dataset: Path, media_root: Path | None) -> tuple[str, ...]:
    """Return the folders that data may name media in (see `locate_medium`)."""
    folders = [dataset if dataset.is_dir() else dataset.parent, *([media_root] if media_root else [])]
    return tuple(str(folder.absolute()) for folder in folders)


def encode_into(
    dataset: Path,
    target: ModelTarget,
    folder: Path,
    *,
    format: str = "auto",
    columns: dict[str, str] | None = None,
    media_root: Path | None = None,
    limit: int | None = None,
    batch_size: int = 1,
    workers: int | Auto = 1,
    progress: Progress = SILENT,
) -> EmbeddingRun:
    """Encode a dataset's media into a run folder, for `align` to train on; a stopped run is resumed.

    Args:
        workers: how many processes encode; `auto` for one for each GPU; 0 to leave the media to `sea worker`.

    Raises:
        DataError: the examples cannot be read, or none names a medium.
        RunError: the folder holds a run with different settings, or something else.
    """
    target.note_limits(progress)
    read, examples = media_examples(dataset, format, columns, media_root)
    examples = examples[:limit]
    note_reading(replace(read, examples=tuple(each.example for each in examples)), dataset, progress)
    identity = EmbeddingIdentity(
        sea=version("sea-core"),
        model=model_identity(target),
        data=DataIdentity(read.digest, read.format, columns),
        source="media",
    )
    metadata = EmbeddingMetadata(
        purpose="encoder outputs of real media for safety alignment (SEA)",
        model=model_location(target),
        data_path=str(dataset),
        embeddings=len(examples),
        skip_counts=read.skip_counts,
        unlabelled=sum(not each.example.labelled for each in examples),
    )
    run = EmbeddingRun.start(folder, EmbeddingManifest(identity=identity, metadata=metadata), progress.note)
    with run.writing(makes_embeddings=True):
        options = EncodeOptions(str(Path.cwd()), batch_size, media_folders(dataset, media_root))
        work = EncodeWork(run, target, replace(options, folder=""))
        work.do_all(encode_rows(examples), asdict(options), count_workers(workers, target.device), progress)
    return run

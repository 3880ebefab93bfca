"""Real media through the encoder, once: M(z) is stored in the same form as a synthetic embedding."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sea_core.data.examples import Example
from sea_core.data.media_columns import MEDIA_COLUMNS
from sea_core.data.read import read_examples
from sea_core.data.result import ReadResult
from sea_core.errors import DataError, SeaError
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.selfcheck import check_seam
from sea_core.pipeline.inputs import ModelTarget
from sea_core.pipeline.manifests import model_identity, model_location
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.plugin import loader
from sea_core.runs.embedding_run import EmbeddingIdentity, EmbeddingManifest, EmbeddingMetadata, EmbeddingRun
from sea_core.runs.manifest import DataIdentity
from sea_core.runs.store import ResultRecord

LISTS = ("metadata.jsonl", "metadata.json")
"""What lists the media of a folder, as Hugging Face's folder datasets do."""


@dataclass(frozen=True)
class MediaExample:
    """A row, and where its medium lies; `problem` says why it has none."""

    example: Example
    path: Path | None = None
    problem: str = ""


def media_examples(
    dataset: Path, format: str = "auto", columns: dict[str, str] | None = None
) -> tuple[ReadResult, list[MediaExample]]:
    """Return a dataset's rows with the paths of their media, which are relative to the dataset's folder.

    Args:
        dataset: a file of rows, or a folder with a metadata.jsonl in it.

    Raises:
        DataError: the rows cannot be read, or no row names a medium.
    """
    read = read_examples(_listed(dataset), format, columns, formats=loader.formats())
    found = [_placed(row) for row in read.examples]
    if not any(one.example.media for one in found):
        raise DataError(
            "no row names a medium",
            where=str(dataset),
            hint=f'Give each row one of these columns: {", ".join(MEDIA_COLUMNS)}; for example "file_name": "cat.png".',
        )
    return read, found


def _listed(dataset: Path) -> Path:
    if not dataset.is_dir():
        return dataset
    for name in LISTS:
        if (dataset / name).is_file():
            return dataset / name
    raise DataError(
        f"the folder has no {LISTS[0]}",
        where=str(dataset),
        hint='Write one, a line for each medium: {"file_name": "cat.png", "instruction": "...", "response": "..."}',
    )


def _placed(row: Example) -> MediaExample:
    if len(row.media) != 1:
        some = f"the row names {len(row.media)} media, and one is taken"
        return MediaExample(row, problem=some if row.media else "the row names no medium")
    path = Path(row.media[0])
    return MediaExample(row, path) if path.is_file() else MediaExample(row, path, f"there is no file {path}")


def encode(mllm: MLLM, rows: Sequence[MediaExample], run: EmbeddingRun, batch_size: int = 1) -> Iterator[int]:
    """Encode the rows that the run does not have, and store each; yields how many were done, batch by batch.

    A row whose medium is missing or broken is stored as failed, with its reason. In a batch of one, E is what
    `mllm.encode` gives for the medium, to the last bit; a larger batch may round otherwise.
    """
    done = run.store.ids()
    left = [one for one in rows if one.example.id not in done]
    for start in range(0, len(left), batch_size):
        began = time.monotonic()
        some = left[start : start + batch_size]
        found = _encoded(mllm, some)
        seconds = (time.monotonic() - began) / len(some)
        for one, outcome in zip(some, found, strict=True):
            _store(run, one, outcome, seconds)
        yield len(some)


def _encoded(mllm: MLLM, rows: Sequence[MediaExample]) -> list[Embedding | str]:
    """Return each row's E, or why it has none. What one medium spoils is tried again one by one."""
    media: dict[int, Any] = {}
    outcomes: list[Embedding | str] = [one.problem for one in rows]
    for i, one in enumerate(rows):
        if one.path and not one.problem:
            try:
                media[i] = mllm.adapter.read_media(one.path, mllm.processor)
            except SeaError as error:
                outcomes[i] = error.what
    try:
        for i, embedding in zip(media, mllm.encode(list(media.values())) if media else (), strict=True):
            outcomes[i] = embedding
    except DataError as error:  # the adapter does not take one of them
        if len(rows) > 1:
            return [outcome for one in rows for outcome in _encoded(mllm, [one])]
        outcomes[0] = error.what
    return outcomes


def _store(run: EmbeddingRun, one: MediaExample, outcome: Embedding | str, seconds: float) -> None:
    """Store an encoded medium, or why it could not be encoded."""
    if isinstance(outcome, str):
        run.add(_make_record(one, "failed", outcome, (), seconds), None)
    else:
        run.add(_make_record(one, "encoded", "", outcome.grid, seconds), outcome.features)


def _make_record(one: MediaExample, status: str, reason: str, grid: tuple[int, ...], seconds: float) -> ResultRecord:
    example = one.example
    return {
        "id": example.id,
        "example_id": example.id,
        "source": "media",
        "media": str(one.path or ""),
        "recipe": "",
        "draw": 0,
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


def encode_into(
    dataset: Path,
    target: ModelTarget,
    folder: Path,
    *,
    format: str = "auto",
    columns: dict[str, str] | None = None,
    limit: int | None = None,
    batch_size: int = 1,
    progress: Progress = SILENT,
) -> EmbeddingRun:
    """Encode a dataset's media into a run folder, for `align` to train on; a stopped run is resumed.

    Raises:
        DataError: the examples cannot be read, or none names a medium.
        RunError: the folder holds a run with different settings, or something else.
    """
    read, examples = media_examples(dataset, format, columns)
    examples = examples[:limit]
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
    )
    run = EmbeddingRun.start(folder, EmbeddingManifest(identity=identity, metadata=metadata))
    with run.writing():
        done = run.store.ids()
        waiting = sum(each.example.id not in done for each in examples)
        if waiting:
            mllm = target.load()
            check_seam(mllm)
            with progress.track("encode", len(examples), len(examples) - waiting) as tracker:
                for count in encode(mllm, examples, run, batch_size):
                    tracker.advance(count)
    return run

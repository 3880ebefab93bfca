"""Omni-SafetyBench: the same 972 cases in text, image, audio, video, and in two media at once.

`meta_files/omni-modal/image-audio-text/*.jsonl` and its like have a line for each case, with paths into `mm_data/`,
whose folders hold the files, or `data.tar` with all of them, as published.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired

from typing_extensions import TypedDict

from sea_bench.build.published.case import PublishedCase, PublishedMedium
from sea_bench.dataset import TEXT_ONLY
from sea_bench.layout import modality_parts
from sea_core.errors import DataError
from sea_core.runs.containment import is_inside
from sea_core.schema import parse_json, read_bytes

FOLDER = "meta_files"
HINT = "Download the set again: huggingface.co/datasets/Leyiii/Omni-SafetyBench"


class OmniRecord(TypedDict):
    """A line of a file."""

    id: int
    corresponding_text: str
    harmful_category: str
    key_phrase: NotRequired[str]
    text: NotRequired[str]
    image_path: NotRequired[str]
    audio_path: NotRequired[str]
    video_path: NotRequired[str]


@dataclass(frozen=True)
class OmniSafetyBench:
    """The set. Each variant of the media is a task."""

    name: str = "Omni-SafetyBench"

    def matches(self, folder: Path) -> bool:
        return (folder / FOLDER).is_dir()

    def read(self, folder: Path, modality: str) -> list[PublishedCase]:
        """Return the cases of one modality, such as `image+audio`.

        Raises:
            DataError: the set has no files of this modality, or a file has another form.
        """
        return _read_cases(folder, modality)


def _read_cases(folder: Path, modality: str) -> list[PublishedCase]:
    parts = modality_parts(modality)
    files = task_files(folder / FOLDER, parts)
    if not files:
        there = sorted(path.name for path in (folder / FOLDER).glob("*/*") if path.is_dir())
        raise DataError(
            f"Omni-SafetyBench has no files of {modality} here",
            hint=f"It has: {', '.join(there)}. {HINT}",
            where=str(folder / FOLDER),
        )
    cases: dict[tuple[str, int], PublishedCase] = {}
    for task, file in files.items():
        for record in _records(file):
            key = (record["harmful_category"], record["id"])
            known = cases.get(key) or _new_case(record)
            media = {part: _medium(folder, record, part, file) for part in parts}
            cases[key] = PublishedCase(
                id=known.id,
                scenario=known.scenario,
                texts={**known.texts, task: record.get("text")},
                media={**known.media, task: media},
                phrase=known.phrase,
            )
    return list(cases.values())


def task_files(folder: Path, parts: tuple[str, ...]) -> dict[str, Path]:
    """Return the files of the tasks of a modality by the tasks' names."""
    level = "omni-modal" if len(parts) > 1 else "dual-modal"
    files = {file.stem: file for file in sorted((folder / level / f"{'-'.join(parts)}-text").glob("*.jsonl"))}
    alone = folder / "unimodal" / f"{parts[0]}-only.jsonl"
    if len(parts) == 1 and alone.is_file():
        files[f"{parts[0].capitalize()}_only"] = alone
    return files


def _new_case(record: OmniRecord) -> PublishedCase:
    texts: Mapping[str, str | None] = {TEXT_ONLY: record["corresponding_text"]}
    return PublishedCase(str(record["id"]), record["harmful_category"], texts, phrase=record.get("key_phrase", ""))


def _records(file: Path) -> Iterator[OmniRecord]:
    for number, line in enumerate(read_bytes(file).splitlines(), 1):
        if line.strip():
            what, where = "a line of Omni-SafetyBench", f"{file}:{number}"
            yield parse_json(line, OmniRecord, what=what, hint=HINT, where=where, error=DataError)


def _medium(folder: Path, record: OmniRecord, part: str, file: Path) -> PublishedMedium:
    name = record.get(f"{part}_path")
    if not isinstance(name, str) or not is_inside(folder / name, folder):
        what = f"a line names no {part}, or one outside the set: {name!r}"
        raise DataError(what, hint=HINT, where=str(file))
    return PublishedMedium(folder / name)

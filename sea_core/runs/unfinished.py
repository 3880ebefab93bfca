"""What a folder still lacks, by what its own files say: whether the commands that write it have ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from sea_core.errors import RunError, number_of
from sea_core.runs.block_folder import BLOCKS, block_folders, block_names
from sea_core.runs.folder_kind import BENCH_RUN, BENCHMARK, MODEL, RUN, STUDY
from sea_core.runs.inventory import Damage
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.manifest import read_sealed
from sea_core.runs.records import HeldOutAnswer
from sea_core.runs.store import Store
from sea_core.schema import check


class _Counts(TypedDict, total=False):
    embeddings: int
    cases: int


class _Set(TypedDict):
    complete: bool


class _Answer(TypedDict):
    answers: str
    alignment: str
    embeddings: list[str]


class _Facts(TypedDict, total=False):
    """What a manifest of any kind says of how much is to be done, and of what is done."""

    metadata: _Counts
    metrics: dict[str, Any] | None
    sets: dict[str, _Set]
    answers: list[_Answer]


class _Asked(TypedDict):
    key: str


class _Task(TypedDict):
    folder: str
    status: str


def unfinished_work(folder: Path) -> list[Damage]:
    """Return what the commands that write a folder have not done yet: the file that says so, and what is missing.

    A damaged manifest says nothing.
    """
    found = [each for name, find in FINDERS.items() if (folder / name).is_file() for each in find(folder)]
    shared = [name for name in block_names(folder) if any(block.rows for block in block_folders(folder, name))]
    for name in shared:
        if name != BLOCKS or not found:
            rows = sum(block.rows for block in block_folders(folder, name))
            left = number_of(rows, "row that is", "rows that are")
            found.append(Damage(name, f"has {left} not done, or not in the run's own files yet"))
    return found


def _find_in_run(folder: Path) -> Iterator[Damage]:
    records, wanted = Store(folder).records(), _read(folder / RUN.manifest).get("metadata", {}).get("embeddings", 0)
    if len(records) < wanted:
        yield Damage(RUN.manifest, f"is of a run that is not finished: {len(records)} of {wanted} embeddings are done")
    digests = {record["id"]: record["sha256"] for record in records if record["status"] == "succeeded"}
    answers = JsonlLog(folder / "verify.jsonl", HeldOutAnswer).read(skip_damaged=True)
    asked = {(each["id"], each["question"]) for each in answers if digests.get(each["id"]) == each["embedding"]}
    counts = Counter(name for name, _ in asked)
    most = max(counts.values(), default=0)  # every embedding is asked as many questions as the one with the most
    answered = sum(count == most for count in counts.values())
    if counts and answered < len(digests):
        count = f"{answered} of {len(digests)} embeddings have answers to all held-out questions"
        yield Damage("verify.jsonl", f"is not finished: {count}")


def _find_in_model(folder: Path) -> Iterator[Damage]:
    if _read(folder / MODEL.manifest).get("metrics", ...) is None:
        yield Damage(
            MODEL.manifest, "is of an alignment that is not finished: its exports are not complete and checked"
        )


def _find_in_bench_run(folder: Path) -> Iterator[Damage]:
    wanted = _read(folder / BENCH_RUN.manifest).get("metadata", {}).get("cases", 0)
    asked = {answer["key"] for answer in JsonlLog(folder / "answers.jsonl", _Asked).read(skip_damaged=True)}
    if len(asked) < wanted:
        yield Damage(BENCH_RUN.manifest, f"is of a run that is not finished: {len(asked)} of {wanted} cases were asked")


def _find_in_build(folder: Path) -> Iterator[Damage]:
    for modality, each in _read(folder / BENCHMARK.manifest).get("sets", {}).items():
        if not each["complete"]:
            yield Damage(BENCHMARK.manifest, f"has a set that is not finished: {modality}")


def _find_in_study(folder: Path) -> Iterator[Damage]:
    wanted, done = study_parts(folder), done_parts(folder)
    lacking = [name for name in wanted if name not in done]
    if lacking:
        count = f"{len(lacking)} of {len(wanted)} parts are not done, such as {lacking[0]}"
        yield Damage(STUDY.manifest, f"is of a study that is not finished: {count}")


def study_parts(folder: Path) -> dict[str, str]:
    """Return the folders that the last command of a study needs, with the name of the manifest of each.

    They are relative to the study's; there are none if it is damaged.
    """
    found: dict[str, str] = {}
    for each in _read(folder / STUDY.manifest).get("answers", []):
        found |= dict.fromkeys(each["embeddings"], RUN.manifest)
        found |= {each["alignment"]: MODEL.manifest, each["answers"]: BENCH_RUN.manifest}
    return {name: manifest for name, manifest in found.items() if name}


def done_parts(folder: Path) -> dict[str, str]:
    """Return those of `study_parts` that are done, by the study's journal, and that are still there."""
    tasks = JsonlLog(folder / "tasks.jsonl", _Task).read(skip_damaged=True)
    status = {task["folder"]: task["status"] for task in tasks}
    parts = study_parts(folder).items()
    return {name: manifest for name, manifest in parts if status.get(name) == "done" and (folder / name).is_dir()}


def _read(path: Path) -> _Facts:
    """Return what a manifest says; nothing if it is damaged or is none, which is reported elsewhere."""
    try:
        return check(read_sealed(path, what="it", hint=""), _Facts, what="it", hint="", error=RunError)
    except RunError:
        return {}


FINDERS: Mapping[str, Callable[[Path], Iterator[Damage]]] = {
    RUN.manifest: _find_in_run,
    MODEL.manifest: _find_in_model,
    BENCH_RUN.manifest: _find_in_bench_run,
    BENCHMARK.manifest: _find_in_build,
    STUDY.manifest: _find_in_study,
}
"""Finds what a kind of folder lacks, by the name of its manifest."""

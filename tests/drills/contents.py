"""The contents of a folder in a form that two runs of the same command have in common, and what is recorded in it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drills.stops import call

TIMES = ("started", "at", "seconds")
"""Keys of manifests, journals and indexes that differ between two runs: when something was done, how long it took."""
COUNTERS = ("num_tokens",)
"""Keys of the trainer's log: TRL counts the tokens since the command was started, not since the training was."""
DERIVED = ("checksum",)
"""Keys that depend on these: a line's and a manifest's digest of themselves."""
CHECKSUM = '"checksum": "'
LEFT_OUT = (*TIMES, *COUNTERS, *DERIVED)
REWRITTEN = ("inventory.jsonl", "trace.jsonl", "rows.jsonl")
"""Journals whose earlier lines need not stay: of the files, of what the trainer logged, of finished blocks."""


def read_contents(folder: Path) -> dict[str, str]:
    """Return each file of a folder and its subfolders, by its path: JSON without times, others as a digest."""
    return {str(path.relative_to(folder)): _read(path) for path in _files(folder)}


def _with_embeddings_by_id(folder: Path) -> dict[str, str]:
    """Return the contents of a folder with the embeddings of each run by their ids, in place of its parts."""
    from sea_core.runs.store import Store

    found = read_contents(folder)
    for run in [manifest.parent for manifest in folder.rglob("run.json")]:
        name, store = run.relative_to(folder), Store(run)
        parts = [each for each in found if each.startswith((f"{name}/index/", f"{name}/embeddings/"))]
        for each in (*parts, f"{name}/inventory.jsonl"):
            del found[each]
        for record in store.records():
            stored = {**record, "shard": "", "features": store.load(record["id"]).tolist() if record["sha256"] else []}
            found[f"{name}/{record['id']}"] = _without_times(stored)
    return found


def read_bytes(folder: Path) -> dict[str, str]:
    """Return the digest of each file's bytes, by its path."""
    return {str(path.relative_to(folder)): _digest(path) for path in _files(folder)}


def list_differences(found: Mapping[str, str], expected: Mapping[str, str]) -> list[str]:
    """Return the names of the files that differ, or that only one of the folders has."""
    return sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))


def read_records(folder: Path) -> list[tuple[str, str]]:
    """Return (file, record) for each complete line of each journal, and (run, id) for each stored embedding."""
    found = [(name, record) for name, record in _journal_lines(folder) if Path(name).name not in REWRITTEN]
    for manifest in folder.rglob("run.json"):
        run = manifest.parent
        found += [(str(run.relative_to(folder)), json.dumps(stored)) for stored in _stored_ids(run)]
    return found


def list_doubled(folder: Path) -> list[str]:
    """Return what is recorded twice: equal lines of a journal, embeddings in two parts."""
    counts = Counter((name, _without_times(json.loads(record))) for name, record in _journal_lines(folder))
    counts.update((str(path.parent), row["id"]) for path in folder.rglob("index/*.parquet") for row in _rows(path))
    return sorted(f"{name}: {record}" for (name, record), count in counts.items() if count > 1)


@dataclass(frozen=True)
class Findings:
    """What a folder contains, and what is wrong in it."""

    contents: Mapping[str, str]
    records: set[tuple[str, str]]
    doubled: Sequence[str]
    damaged: Sequence[str]


def examine(folder: Path, *, any_order: bool = False) -> Findings:
    """Read a folder, in a process of its own.

    Args:
        any_order: embeddings may be stored in another order, and so in other parts.
    """

    def read() -> list[Any]:
        found = _with_embeddings_by_id(folder) if any_order else read_contents(folder)
        return [found, read_records(folder), list_doubled(folder), list_damage(folder)]

    found, records, doubled, damaged = call(read)
    return Findings(found, {(name, record) for name, record in records}, doubled, damaged)


def list_damage(folder: Path) -> list[str]:
    """Return what `sea check` finds in each folder that has a manifest, and media that are not those recorded."""
    from sea_core.runs.check import MANIFESTS, check_folder

    found = []
    for path in sorted({file.parent for file in _files(folder) if file.name in MANIFESTS}):
        found += [f"{path.name}/{damage.path} {damage.problem}" for damage in check_folder(path).damage]
    for log in folder.rglob("media.jsonl"):
        recorded = {record["path"]: record["sha256"] for record in map(json.loads, _lines(log))}
        found += [f"{name} is not as recorded" for name in recorded if _digest(log.parent / name) != recorded[name]]
    return found


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files that count: not locks, and not the rest of an interrupted write."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden:
            yield path


def _read(path: Path) -> str:
    if path.suffix == ".parquet":
        return _without_times(_rows(path))
    try:
        if path.suffix == ".json":
            return _without_times(json.loads(path.read_bytes()))
        if path.suffix == ".jsonl":
            lines = [json.loads(line) for line in _lines(path)]
            return _without_times([_without_index(line) for line in lines])
    except ValueError:
        pass
    return _digest(path)


def _journal_lines(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (file, record) for each complete line that has a checksum."""
    for path in _files(folder):
        for line in _lines(path) if path.suffix == ".jsonl" else ():
            record = json.loads(line) if CHECKSUM in line else {}
            if record.pop("checksum", None):
                yield str(path.relative_to(folder)), json.dumps(record)


def _without_index(line: Any) -> Any:
    """Return a line of an inventory without the digest of an index, which has times in it."""
    if isinstance(line, dict) and str(line.get("path", "")).startswith("index/"):
        return {"path": line["path"]}
    return line


def _without_times(value: Any) -> str:
    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: strip(each) for key, each in value.items() if key not in LEFT_OUT}
        return [strip(each) for each in value] if isinstance(value, list) else value

    return json.dumps(strip(value), sort_keys=True)


def _lines(path: Path) -> Sequence[str]:
    return path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]


def _rows(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet

    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
    return rows


def _stored_ids(run: Path) -> list[str]:
    from sea_core.runs.store import Store

    return sorted(Store(run).ids())


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"

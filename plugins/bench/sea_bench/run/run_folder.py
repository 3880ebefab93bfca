"""A benchmark run's folder: what a model was asked and answered, and what the judges say of it.

bench.json       the identity (cases, plugin, model, settings), versions, what the probes found
answers.jsonl    one row for each case: prompt, medium, answer
verdicts.jsonl   what each judge says of each answer
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sea_core.errors import RunError
from sea_core.runs.atomic import read_json, sha256, write_json
from sea_core.runs.embedding_run import same_identity, versions
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.lock import locked

BENCH = "bench.json"
RESTORE_HINT = "Copy the file back from elsewhere, or make the run again: sea bench run ... --out NEW"
AnswerRecord = dict[str, Any]


class BenchRun:
    """An opened benchmark run. Only one process writes to it, inside `with run.writing():`."""

    def __init__(self, folder: Path) -> None:
        if not (folder / BENCH).is_file():
            raise RunError(
                f"{folder} is not a benchmark run: it has no {BENCH}",
                hint="Give a folder that `sea bench run CASES --out FOLDER` made.",
            )
        self.folder = folder
        self.about: dict[str, Any] = read_json(folder / BENCH)
        if not isinstance(self.about, dict) or not {"identity", "cases", "found"} <= self.about.keys():
            raise RunError("entries are missing from this file", hint=RESTORE_HINT, where=str(folder / BENCH))
        self.answers = JsonlLog(folder / "answers.jsonl")
        self.verdicts = JsonlLog(folder / "verdicts.jsonl")

    @classmethod
    def start(cls, folder: Path, identity: dict[str, Any], facts: dict[str, Any]) -> BenchRun:
        """Begin a run, or go on with the one that is there.

        Args:
            identity: what makes it this run. A run is continued only with the same.
            facts: what else to keep; `cases`, how many were asked for, is among them.

        Raises:
            RunError: the folder holds another run, or something else.
        """
        identity = json.loads(json.dumps(identity))
        path = folder / BENCH
        if path.is_file():
            run = cls(folder)
            same_identity(folder, run.about["identity"], identity)
            facts = facts | {"cases": max(facts["cases"], run.about["cases"])}
            if run.about | facts != run.about:  # more cases than last time, or the benchmark has moved
                with run.writing():
                    run.keep(facts)
            return run
        if folder.exists() and (not folder.is_dir() or any(file.suffix != ".part" for file in folder.iterdir())):
            raise RunError(f"{folder} holds something else", hint="Give another folder with --out.")
        started = datetime.now(UTC).isoformat(timespec="seconds")
        write_json(path, {"identity": identity, **facts, "found": {}, "versions": versions(), "started": started})
        return cls(folder)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the run for this process. Raises RunError when another one has it."""
        with locked(self.folder / ".lock", self.folder):
            yield

    def keep(self, facts: dict[str, Any]) -> None:
        """Keep facts in bench.json."""
        if self.about | facts != self.about:
            self.about |= facts
            write_json(self.folder / BENCH, self.about)

    def answer_records(self) -> dict[str, AnswerRecord]:
        """Return each case's row by its key. Where a missing medium came later, the later row counts."""
        return {row["key"]: row for row in self.answers.read()}

    def verdicts_by_judge(self) -> dict[str, dict[str, AnswerRecord]]:
        """Return each judge's last verdict on each answer, by judge and key, in the order in which judges spoke.

        A verdict on an answer that is no longer there does not count.
        """
        rows, found = self.answer_records(), dict[str, dict[str, AnswerRecord]]()
        for word in self.verdicts.read():
            row = rows.get(word["key"])
            if row is not None and row["status"] == "answered" and answer_sha(row["answer"]) == word["answer_sha"]:
                found.setdefault(word["judge"], {})[word["key"]] = word
        return found

    @property
    def label(self) -> str:
        """The run's name in tables: its folder's."""
        return self.folder.resolve().name


def answer_sha(answer: str) -> str:
    """Return what ties a verdict to the answer that it was given on."""
    return sha256(answer.encode())[:16]

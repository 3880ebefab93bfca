"""What a study stores beside its run folders: what it consists of, what has ended, and when test figures were shown."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired

from annotated_types import Ge
from typing_extensions import TypedDict

from sea_bench.study.arms import Role
from sea_bench.study.study import Part
from sea_core.errors import RunError
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.lock import locked
from sea_core.runs.manifest import read_sealed, write_sealed
from sea_core.schema import check

MANIFEST_NAME = "study.json"
WAIT = 30.0
"""Seconds to wait for other processes that start on the study at the same moment."""


class AnswerEntry(TypedDict):
    """One arm of one model, by one method and seed, answering one benchmark; folders are relative to the study's.

    Attributes:
        method: empty where nothing is trained. alignment: its folder, or empty.
        embeddings: the runs of synthetic embeddings behind it.
        setting: what identifies the setting, whatever model, seed and benchmark.
    """

    model: str
    arm: str
    role: Role
    summary: str
    method: str
    seed: int
    part: Part
    setting: str
    answers: str
    alignment: str
    embeddings: list[str]


class StudyContent(TypedDict):
    """What a study consists of, by the last command.

    Attributes:
        file: the study file. settings: its content. commit: of SEA's repository, or empty.
        command: as it was typed.
    """

    file: str
    sea: str
    commit: str
    command: str
    settings: dict[str, Any]
    answers: list[AnswerEntry]


class TaskRecord(TypedDict):
    """A task that has ended.

    Attributes:
        setting: of an answer, as of `AnswerEntry`; else empty. part: its benchmark, else empty.
        error: why it failed; empty where it is done.
        at: when, in UTC. sea, commit: of what it was made with; records of earlier versions have neither.
    """

    task: str
    kind: str
    folder: str
    model: str
    setting: str
    part: str
    status: Literal["done", "failed"]
    seconds: Annotated[float, Ge(0)]
    error: str
    at: str
    sea: NotRequired[str]
    commit: NotRequired[str]


class TestReportRecord(TypedDict):
    """When figures of the test benchmarks were shown, and how many settings had been tried until then."""

    at: str
    settings: Annotated[int, Ge(0)]


class StudyFolder:
    """The folder of a study.

    Attributes:
        tasks: the log of `TaskRecord`s. test_reports: that of `TestReportRecord`s.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tasks = JsonlLog(folder / "tasks.jsonl", TaskRecord)
        self.test_reports = JsonlLog(folder / "test_reports.jsonl", TestReportRecord)

    def write(self, content: StudyContent) -> None:
        """Store what the study consists of."""
        path = self.folder / MANIFEST_NAME
        with locked(path.with_name(f".{path.name}.lock"), path, wait=WAIT, parents=True):
            write_sealed(path, dict(content))

    def read(self) -> StudyContent:
        """Return what the study consists of. Raises RunError if the folder is none of a study, or was changed."""
        path, what = self.folder / MANIFEST_NAME, "what a study consists of"
        if not path.is_file():
            hint = "Give the folder that the study file names, or run it: sea study run FILE"
            raise RunError("this is not the folder of a study", hint=hint, where=str(self.folder))
        hint = "Re-run the study: sea study run FILE"
        return check(
            read_sealed(path, what=what, hint=hint), StudyContent, what=what, hint=hint, where=str(path), error=RunError
        )

    def has_test(self) -> bool:
        """Return whether the test benchmarks have been answered before."""
        if not (self.folder / MANIFEST_NAME).is_file():
            return False
        return any(answer["part"] == "test" for answer in self.read()["answers"])

    def done(self) -> set[Path]:
        """Return the folders of the tasks that are done: those that are still there."""
        last = {record["folder"]: record["status"] for record in self.tasks.read()}
        folders = {self.folder / name for name, status in last.items() if status == "done"}
        return {folder for folder in folders if folder.is_dir()}

    def seconds(self) -> dict[str, float]:
        """Return the folders of the tasks that are done, with the seconds of all their attempts."""
        seconds: dict[str, float] = {}
        for record in self.tasks.read():
            seconds[record["folder"]] = seconds.get(record["folder"], 0.0) + record["seconds"]
        done = self.done()
        return {name: taken for name, taken in seconds.items() if self.folder / name in done}

    def put_aside_damage(self) -> None:
        """Move damaged lines of the logs aside, so that their tasks are done again.

        Raises:
            Locked: another process does so.
        """
        for log in (self.tasks, self.test_reports):
            if log.damaged_lines():
                with locked(self.folder / f".{log.path.name}.lock", log.path):
                    log.put_aside_damage()

    def commits(self, folders: Collection[str]) -> list[str]:
        """Return the commits, or versions, of SEA that the tasks with these folders were done with, in their order."""
        made = {record["folder"]: record.get("commit") or record.get("sea", "") for record in self.tasks.read()}
        return sorted({each for folder, each in made.items() if folder in folders and each})

    def settings_tried(self, parts: Sequence[str] = ("validation", "test")) -> int:
        """Return how many settings have answered a benchmark, whatever the model and the seed; later ones included."""
        return len({record["setting"] for record in self.tasks.read() if record["setting"] and record["part"] in parts})

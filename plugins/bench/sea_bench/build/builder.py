"""Build a set: texts become question files and media in the published layout, with a manifest beside them.

media.jsonl     one line for each finished medium: path, sha256, bytes, seconds, and what it was made from
manifest.json   for each set: generator, settings, versions, the cases' texts, and at the end every sha256

A medium is whole or not there, and a line is written when it is there: the same command goes on after a kill. A medium
whose origin has changed (another candidate was picked) is made again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any
from zlib import crc32

from sea_bench import layout
from sea_bench.build.build_folder import BuildFolder, SetIdentity, SetManifest
from sea_bench.build.picks import Picks, candidate_path, case_key
from sea_bench.build.question_text import CaseTexts
from sea_bench.build.scenes import CompleteChat, describe_scene
from sea_bench.build.sets.base import TEXT_ONLY, MediaSet, Task
from sea_bench.build.source import CaseSource
from sea_core.errors import SeaError
from sea_core.plugin.generator import Generator
from sea_core.runs.atomic import atomic_write, sha256, write_json
from sea_core.runs.jsonl import JsonlLog


@dataclass(frozen=True, slots=True)
class Job:
    """One medium to be made: a task's own, or one of its candidates (1 and up)."""

    texts: CaseTexts
    task: Task
    candidate: int = 0


class SetBuilder:
    """One set in one folder. Other sets may lie beside it.

    Args:
        texts: the source's, or the first of them.
        tasks: names of the tasks to make media for; all of the set's where it is empty.
        ask: puts a chat to a language model that describes the scenes; None: by rule.
    """

    def __init__(
        self,
        folder: Path,
        media_set: MediaSet,
        generator: Generator,
        source: CaseSource,
        *,
        texts: Sequence[CaseTexts] = (),
        tasks: Sequence[str] = (),
        complete: CompleteChat | None = None,
    ) -> None:
        self.folder, self.media_set, self.source, self.complete = folder, media_set, source, complete
        self.generator = media_set.configure_generator(generator)
        self.texts = tuple(texts) or source.texts
        self.tasks = _select_tasks(media_set, tasks)
        self.build_folder = BuildFolder(folder)
        self.media_log = JsonlLog(folder / "media.jsonl")
        self.picks = Picks(folder)
        self.finished: dict[str, dict[str, Any]] = {}

    # --- what there is to do ----------------------------------------------------------------------------------------

    def jobs(self) -> list[Job]:
        """Return every medium of the set, finished or not, in the order in which they are made."""
        found = []
        for texts in self.texts:
            for task in self.tasks:
                if self._has_candidates(task):
                    found += [Job(texts, task, n + 1) for n in range(self.media_set.candidates)]
                found.append(Job(texts, task))
        return found

    def path(self, job: Job) -> Path:
        """Return where a job's medium lies."""
        root = self.folder / layout.BENIGN_FOLDER if job.texts.benign else self.folder
        scenario, case_id = job.texts.scenario, job.texts.id
        if job.candidate:
            return candidate_path(
                root, self.media_set.modality, scenario, case_id, job.candidate, self.media_set.suffix
            )
        return (
            layout.media_folder(root, self.media_set.modality)
            / scenario
            / job.task.name
            / f"{case_id}{self.media_set.suffix}"
        )

    def is_done(self, job: Job) -> bool:
        """Tell whether the medium is there, as its line says, and made from what it would be made from now."""
        path = self.path(job)
        row = self.finished.get(self._name(path))
        if row is None or not path.is_file() or path.stat().st_size != row["bytes"]:
            return False
        origin = self._origin(job)
        return origin is None or row["of"] == self.finished.get(self._name(self.path(origin)), {}).get("sha256")

    # --- doing it ---------------------------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Lock the folder for this process, and write the question files and the manifest.

        Raises:
            RunError: another process has locked it, or the set was built from other texts or with other settings.
        """
        with self.build_folder.writing():
            self._begin()
            yield

    def run(self) -> Iterator[Job]:
        """Make what is not there yet; yields each job when its medium is on disk."""
        for job in self.jobs():
            if not self.is_done(job):
                self._make(job)
                yield job
        self._end()

    def _make(self, job: Job) -> None:
        began, path, origin = time.monotonic(), self.path(job), self._origin(job)
        base = self.path(origin) if origin else None
        seed = crc32(f"{self.media_set.seed}/{self._name(path)}".encode())
        scene = None
        if origin and origin.task == job.task:  # the picked candidate itself
            assert base is not None
            write = partial(shutil.copyfile, base)
        else:
            if job.task.scene:
                scene = describe_scene(job.texts.phrase, job.texts.kind, seed, self.media_set.noun, self.complete)
            medium = self.media_set.make(job.task, job.texts, scene or "", self.generator, seed, base)
            write = partial(self._write, medium)
        with atomic_write(path) as aside:
            write(aside)
        data = path.read_bytes()
        row: dict[str, Any] = {
            "path": self._name(path),
            "sha256": sha256(data),
            "bytes": len(data),
            "seed": seed,
            "scene": scene,
            "of": self.finished[self._name(base)]["sha256"] if base else None,
            "candidate": origin.candidate if origin and origin.candidate else None,
            "seconds": round(time.monotonic() - began, 3),
        }
        self.media_log.append([row])
        self.finished[row["path"]] = row

    def _write(self, medium: Any, path: Path) -> None:
        self.media_set.write(medium, path, self.generator)

    def _origin(self, job: Job) -> Job | None:
        """Return the job whose medium this one is made from: the picked candidate, or another task's medium."""
        if not job.candidate and self._has_candidates(job.task):
            key = case_key(self.media_set.modality, job.texts.scenario, job.texts.id, benign=job.texts.benign)
            return Job(job.texts, job.task, min(self.picks_made.get(key, 1), self.media_set.candidates))
        of = next((task for task in self.tasks if task.name == job.task.derived_from), None)
        return Job(job.texts, of) if of else None

    def _has_candidates(self, task: Task) -> bool:
        return task.scene and self.media_set.candidates > 1

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    # --- what lies beside the media ---------------------------------------------------------------------------------

    def _begin(self) -> None:
        self.finished = {row["path"]: row for row in self.media_log.read()}
        self.picks_made = self.picks.read()
        stored = self.build_folder.read_set(self.media_set.modality, self.identity())
        cases = {manifest_key(texts) for texts in self.texts} | set(stored.cases if stored else ())
        self.texts = tuple(texts for texts in self.source.texts if manifest_key(texts) in cases)
        tasks = {task.name for task in self.tasks} | set(stored.tasks if stored else ())
        self.tasks = tuple(task for task in self.media_set.media_tasks() if task.name in tasks)
        for benign in (False, True):
            self._write_questions([texts for texts in self.texts if texts.benign is benign], benign)
        self.build_folder.write_set(self.media_set.modality, self._manifest(stored.media if stored else {}))

    def _end(self) -> None:
        paths = [self._name(self.path(job)) for job in self.jobs()]
        manifest = self._manifest({path: self.finished[path]["sha256"] for path in paths})
        self.build_folder.write_set(self.media_set.modality, replace(manifest, complete=True))

    def _manifest(self, media: Mapping[str, str]) -> SetManifest:
        """Return the manifest of the set, with the digests of its media by their paths."""
        return SetManifest(
            identity=self.identity(),
            source=self.source.name,
            tasks=tuple(task.name for task in self.tasks),
            placeholder_for=self.generator.placeholder_for or None,
            scenes="a language model" if self.complete else "by rule",
            versions=library_versions(self.generator),
            cases={manifest_key(texts): texts for texts in self.texts},
            media=media,
        )

    def _write_questions(self, texts: Sequence[CaseTexts], benign: bool) -> None:
        root = self.folder / layout.BENIGN_FOLDER if benign else self.folder
        files: dict[str, dict[str, dict[str, str | None]]] = {}
        for one in texts:
            files.setdefault(one.scenario, {})[one.id] = self._questions(one)
        for scenario, rows in files.items():
            write_json(root / layout.questions_folder(self.media_set.modality) / f"{scenario}.json", rows)

    def _questions(self, texts: CaseTexts) -> dict[str, str | None]:
        if self.media_set.modality == "image":
            return {
                "Question": texts.question,
                "Key Phrase": texts.phrase,
                "Phrase Type": texts.kind,
                "Rephrased Question": texts.rephrased,
                "Rephrased Question(SD)": texts.rephrased_scene or texts.rephrased,
            }
        tasks = (TEXT_ONLY, *self.tasks)
        return {task.name: texts.text_for(task.text_source, self.media_set.noun) for task in tasks}

    def identity(self) -> SetIdentity:
        """Return all that must be the same for the build to be resumed."""
        return SetIdentity(
            texts=self.source.digest,
            set=asdict(self.media_set),
            generator={"name": self.generator.name, **asdict(self.generator)},
        )


def manifest_key(texts: CaseTexts) -> str:
    """Return the name by which the manifest keeps a case."""
    return f"{layout.BENIGN_FOLDER}/" * texts.benign + f"{texts.scenario}/{texts.id}"


def library_versions(generator: Generator) -> dict[str, str]:
    """Return the versions of what took part; a library that is not there has none."""
    found = {}
    for name in ("sea-core", "numpy", *generator.libraries):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _select_tasks(media_set: MediaSet, names: Sequence[str]) -> tuple[Task, ...]:
    """Return the tasks named, with those that they are made from."""
    tasks = {task.name: task for task in media_set.media_tasks()}
    for name in names:
        if name not in tasks:
            raise SeaError(f"{media_set.noun} has no task {name!r}", hint=f"There are: {', '.join(tasks)}")
    wanted = {*names, *(tasks[name].derived_from for name in names)} if names else set(tasks)
    return tuple(task for task in tasks.values() if task.name in wanted)

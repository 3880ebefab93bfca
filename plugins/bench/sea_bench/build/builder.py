"""Build a set: question files and media in the published layout, from the texts of its cases.

media.jsonl     a record for each finished medium (`MediaRecord`)
manifest.json   the settings, versions and texts of each set, and at the end the SHA-256 of every medium

A medium is written atomically, then recorded, so that a build that was killed can be resumed. A medium whose origin has
changed, because another candidate was picked, is made again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from importlib import metadata
from pathlib import Path
from zlib import crc32

from typing_extensions import TypedDict

from sea_bench import layout
from sea_bench.build.build_folder import BuildFolder, SetIdentity, SetManifest
from sea_bench.build.generators.joint import generator_parts
from sea_bench.build.jobs import Job, JobList, select_tasks
from sea_bench.build.picks import Picks
from sea_bench.build.question_text import CaseTexts
from sea_bench.build.questions import write_question_files
from sea_bench.build.scenes import CompleteChat, describe_scene
from sea_bench.build.sets.base import MediaSet, Task
from sea_bench.build.source import CaseSource
from sea_core.plugin.generator import Generator
from sea_core.runs.atomic import atomic_write
from sea_core.runs.digests import file_digest, sha256
from sea_core.runs.inventory import Inventory
from sea_core.runs.jsonl import JsonlLog


class MediaRecord(TypedDict):
    """A finished medium.

    Attributes:
        path: relative to the folder.
        scene: the description of the scene; None for a task without one.
        origin_sha256: of the medium that it is made from; None if it is made from the texts alone.
        candidate: the number of the picked candidate; None for other media.
        seconds: how long it took.
    """

    path: str
    sha256: str
    bytes: int
    seed: int
    scene: str | None
    origin_sha256: str | None
    candidate: int | None
    seconds: float


class SetBuilder:
    """Builds one set in one folder, which may contain other sets.

    Args:
        source: the texts. texts: those of them to build; default: all.
        tasks: names of the tasks to make media for; default: all.
        complete: sends a chat to a language model that describes the scenes; None: descriptions by rule.
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
        self.build_folder, self.inventory = BuildFolder(folder), Inventory(folder)
        self.media_log = JsonlLog(folder / "media.jsonl", MediaRecord)
        self.job_list = JobList(folder, media_set, texts or source.texts, select_tasks(media_set, tasks), picks={})
        self.finished: dict[str, MediaRecord] = {}

    def is_done(self, job: Job) -> bool:
        """Return whether the medium exists as recorded, and is made from the medium it would be made from now."""
        path, record = self.job_list.path(job), self.finished.get(self.job_list.name(job))
        if record is None or not path.is_file() or file_digest(path) != record["sha256"]:
            return False
        origin = self.job_list.origin(job)
        if origin is None:
            return True
        origin_record = self.finished.get(self.job_list.name(origin))
        return origin_record is not None and record["origin_sha256"] == origin_record["sha256"]

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Lock the folder for this process, and write the question files and the manifest.

        Raises:
            RunError: another process has locked it, or the set was built from other texts or with other settings.
            SeaError: the font of the set lacks letters of the phrases.
        """
        self._require_letters()
        with self.build_folder.writing():
            for journal in (self.media_log, Picks(self.folder).log, self.inventory.log):
                journal.put_aside_damage()
            self._resume()
            yield

    def run(self) -> Iterator[Job]:
        """Make the media that are not done. Yields each job when its medium is on disk."""
        for job in self.job_list.jobs():
            if not self.is_done(job):
                self._make(job)
                yield job
        digests = {name: self.finished[name]["sha256"] for name in map(self.job_list.name, self.job_list.jobs())}
        self.inventory.add(self.folder / name for name in digests)
        self.build_folder.write_set(self.media_set.modality, replace(self._manifest(digests), complete=True))

    def identity(self) -> SetIdentity:
        """Return all that must be the same for the build to be resumed."""
        return SetIdentity(
            texts=self.source.digest,
            set=self.media_set.identity(),
            generator={"name": self.generator.name, **asdict(self.generator)},
        )

    def _require_letters(self) -> None:
        """Raise SeaError if a phrase cannot be written: before anything is made, and for all phrases at once."""
        phrases: dict[tuple[str, Task], list[str]] = {}
        for job in self.job_list.jobs():
            task = self.media_set.maker(job.part).spelt_task() if job.part else job.task
            phrases.setdefault((job.part, task), []).append(job.texts.phrase)
        for (part, task), found in phrases.items():
            self.media_set.maker(part).require_letters(task, found)

    def _resume(self) -> None:
        """Add the cases and tasks of earlier builds to the list, and write question files and manifest."""
        self.finished = {record["path"]: record for record in self.media_log.read()}
        stored = self.build_folder.read_set(self.media_set.modality, self.identity())
        cases = {manifest_key(texts) for texts in self.job_list.texts} | set(stored.cases if stored else ())
        tasks = {task.name for task in self.job_list.tasks} | set(stored.tasks if stored else ())
        self.job_list = JobList(
            self.folder,
            self.media_set,
            texts=[texts for texts in self.source.texts if manifest_key(texts) in cases],
            tasks=[task for task in self.media_set.media_tasks() if task.name in tasks],
            picks=Picks(self.folder).read(),
        )
        files = write_question_files(self.folder, self.media_set, self.job_list.texts, self.job_list.tasks)
        self.inventory.add(files)
        self.build_folder.write_set(self.media_set.modality, self._manifest(stored.media if stored else {}))

    def _manifest(self, media: Mapping[str, str]) -> SetManifest:
        """Return the manifest of the set, with the digests of its media by their paths."""
        return SetManifest(
            identity=self.identity(),
            source=self.source.name,
            tasks=tuple(task.name for task in self.job_list.tasks),
            placeholder_for=self.generator.placeholder_for or None,
            scenes="a language model" if self.complete else "by rule",
            versions=library_versions(self.generator),
            cases={manifest_key(texts): texts for texts in self.job_list.texts},
            media=media,
        )

    def _make(self, job: Job) -> None:
        """Make a medium, write it and record it."""
        started, name = time.monotonic(), self.job_list.name(job)
        origin = self.job_list.origin(job)
        seed = crc32(f"{self.media_set.maker(job.part).seed}/{name}".encode())
        write: Callable[[Path], object]
        if origin and (origin.candidate or job.part):  # the picked candidate, or the same part of another task
            scene, write = None, partial(shutil.copyfile, self.job_list.path(origin))
        else:
            scene = self._describe(job, seed) if job.task.scene else None
            write = self._generate(job, origin, scene, seed)
        with atomic_write(self.job_list.path(job)) as temporary:
            write(temporary)
        data = self.job_list.path(job).read_bytes()
        record = MediaRecord(
            path=name,
            sha256=sha256(data),
            bytes=len(data),
            seed=seed,
            scene=scene,
            origin_sha256=self.finished[self.job_list.name(origin)]["sha256"] if origin else None,
            candidate=origin.candidate if origin and origin.candidate else None,
            seconds=round(time.monotonic() - started, 3),
        )
        self.media_log.append([record])
        self.finished[name] = record

    def _describe(self, job: Job, seed: int) -> str:
        return describe_scene(job.texts.phrase, job.texts.kind, seed, self.media_set.noun, self.complete)

    def _generate(self, job: Job, origin: Job | None, scene: str | None, seed: int) -> Callable[[Path], None]:
        """Make a medium. Returns the function that writes it."""
        base = self.job_list.path(origin) if origin else None
        maker = self.media_set.maker(job.part)
        generator = next(each for each in generator_parts(self.generator) if each.modality == maker.modality)
        task = maker.spelt_task() if job.part else job.task
        medium = maker.make(task, job.texts, scene or "", generator, seed, base)
        return lambda path: maker.write(medium, path, generator)


def manifest_key(texts: CaseTexts) -> str:
    """Return the name of a case in the manifest."""
    return f"{layout.BENIGN_FOLDER}/" * texts.benign + f"{texts.scenario}/{texts.id}"


def library_versions(generator: Generator) -> dict[str, str]:
    """Return the versions of the libraries that media depend on."""
    versions = {}
    for name in ("sea-core", "numpy", *generator.libraries):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions

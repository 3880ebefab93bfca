"""The answers that a person labels: a sample of one run or of several, in random order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sea_bench.labels.frame import draw, extend_frame, read_frame
from sea_bench.labels.labels import Labels
from sea_bench.medium import media_files, medium_digest
from sea_bench.run.records import AnsweredRecord, PersonLabel, answer_sha
from sea_bench.run.run_folder import BenchRun
from sea_core.errors import CONTROLS, DataError, RunError, SeaError
from sea_core.runs.containment import is_inside
from sea_core.runs.digests import sha256
from sea_core.runs.folder import require_distinct

MAX_NAME = 60
"""Characters of an annotator's name."""


@dataclass(frozen=True)
class SampledAnswer:
    """An answer to label.

    Attributes:
        id: identifies the case and its answer, and says nothing about them.
    """

    id: str
    run: BenchRun
    record: AnsweredRecord


class LabelSample:
    """What one person labels. Another person with the same runs, size and seed labels the same answers.

    Args:
        cases: the benchmark's folder, for the media; by default the one that each run names.
        size: how many answers of each run.

    Raises:
        RunError: a run is given twice or has no answer, or its sample was drawn with another seed.
        SeaError: the annotator's name cannot be used.
    """

    def __init__(
        self, runs: Sequence[BenchRun], annotator: str, *, size: int = 60, seed: int = 0, cases: Path | None = None
    ) -> None:
        _check_name(annotator)
        require_distinct(run.folder for run in runs)
        self.annotator, self.cases = annotator, cases
        self.runs = list(runs)
        self.labels = [Labels(run) for run in runs]
        sampled = [answer for run in runs for answer in _draw(run, size, seed)]
        self.answers = sorted(sampled, key=lambda each: sha256(f"{seed} {each.id}".encode()))
        numbers = {(each.run.folder, each.record["key"]): number for number, each in enumerate(self.answers)}
        earlier = [(each.run.folder, key) for each in self.labels for key in each.read().get(annotator, {})]
        self.history = [numbers[place] for place in earlier if place in numbers]

    def read(self) -> list[PersonLabel | None]:
        """Return this person's label of each answer, in the order of `answers`."""
        found = {labels.run.folder: labels.read().get(self.annotator, {}) for labels in self.labels}
        return [found[each.run.folder].get(each.record["key"]) for each in self.answers]

    def find(self, id: str) -> int | None:
        """Return the number of an answer, from 0; None if it is not in the sample."""
        return next((number for number, each in enumerate(self.answers) if each.id == id), None)

    def add(self, number: int, label: PersonLabel | None) -> None:
        """Store a label of an answer; None takes it back."""
        answer = self.answers[number]
        labels = next(each for each in self.labels if each.run is answer.run)
        labels.add(self.annotator, answer.record, label)
        self.history.append(number)

    def undo(self) -> int | None:
        """Take back the latest label of this person, and return the number of its answer; None if there is none."""
        labels = self.read()
        while self.history:
            number = self.history.pop()
            if labels[number] is not None:
                self.add(number, None)
                return self.history.pop()
        return None

    def find_media(self, answer: SampledAnswer) -> dict[str, Path]:
        """Return the files of an answer's medium by modality.

        Raises:
            DataError: the medium is not in the benchmark's folder, or not the one that the answer is about.
        """
        record = answer.record
        if record["media"] is None:
            return {}
        folder = self.cases or Path(answer.run.manifest.metadata.benchmark)
        path = folder / record["media"]
        files = media_files(path, record["modality"])
        if not all(is_inside(file, folder) and file.is_file() for file in files.values()):
            raise DataError(f"{folder} has no {record['media']}", hint="Give the benchmark's folder with --cases DIR.")
        if medium_digest(path, record["modality"], cached=True) != record["media_sha256"]:
            raise DataError(f"{path} is not the medium that the model had", hint="Give its benchmark: --cases DIR")
        return files


def _check_name(annotator: str) -> None:
    if not annotator.strip() or len(annotator) > MAX_NAME or CONTROLS.search(annotator):
        raise SeaError(f"{annotator!r} cannot be an annotator's name", hint="Give a short name: --annotator anna")


def _draw(run: BenchRun, size: int, seed: int) -> list[SampledAnswer]:
    _require_seed(run, seed)
    extend_frame(run, seed)
    records = run.answered_records()
    drawn = draw(list(read_frame(run).values()), size)
    if not drawn:
        raise RunError(f"{run.folder} has no answer to label", hint="Run it first: sea bench run")
    return [SampledAnswer(_id(run, records[each["key"]]), run, records[each["key"]]) for each in drawn]


def _require_seed(run: BenchRun, seed: int) -> None:
    seeds = {record["seed"] for record in read_frame(run).values()}
    if seeds - {seed}:
        raise RunError(
            f"the sample of {run.folder} was drawn with seed {min(seeds)}",
            hint=f"Type --seed {min(seeds)}: a sample that is drawn anew would not be a random one.",
        )


def _id(run: BenchRun, record: AnsweredRecord) -> str:
    digest = sha256(f"{run.label}\n{record['key']}\n{answer_sha(record['answer'])}".encode())
    return f"a{digest[:15]}"  # a spreadsheet takes digits alone, or 123e45, for a number

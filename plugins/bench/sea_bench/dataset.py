"""Read a benchmark folder in the published layout: its cases, and whatever is missing or malformed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from typing_extensions import TypedDict

from sea_bench import layout
from sea_bench.case import Case, mentioned_kind
from sea_bench.medium import joint_digest, visible
from sea_core.data.examples import Kind
from sea_core.errors import DataError, number_of
from sea_core.runs.containment import is_file_name, require_contained
from sea_core.runs.inventory import NAME as INVENTORY
from sea_core.runs.inventory import Inventory
from sea_core.runs.manifest import read_sealed
from sea_core.runs.public import is_place, public_name, public_value
from sea_core.schema import check, read_json

TEXT_ONLY = "Text_only"
"""The task with the original question alone. A task whose name begins so, such as Text_only_xstest, has no media."""
TASKS_WITHOUT_TEXT = ("Audio_only", "Image_only", "Video_only")
"""Tasks whose text is null by design."""
KEY_PHRASE, PHRASE_TYPE, ORIGINAL_QUESTION = "Key Phrase", "Phrase Type", "Original Question"
KEYS_OF_NO_TASK = (KEY_PHRASE, PHRASE_TYPE, ORIGINAL_QUESTION)
"""Keys of a record besides its tasks. The original question stands there if the case has no task Text_only."""

IssueKind = Literal["missing", "corrupt", "malformed", "count", "unused"]
"""`missing`: a medium does not exist. `corrupt`: it cannot be read, or differs from the manifest. `malformed`: a
question file's record is not in the published form. `count`: a scenario has another number of cases than published.
`unused`: no case refers to the medium."""


@dataclass(frozen=True, slots=True)
class Issue:
    """A fault of a benchmark folder. `task` and `id` are empty if it concerns a whole scenario."""

    kind: IssueKind
    modality: str
    scenario: str
    task: str
    id: str
    message: str
    benign: bool = False


@dataclass(frozen=True)
class Benchmark:
    """The content of a benchmark folder.

    Attributes:
        cases: every case that can be put to a model, in the order of the files.
        issues: missing media, malformed records and unexpected counts.
    """

    folder: Path
    cases: tuple[Case, ...]
    issues: tuple[Issue, ...]


def read_benchmark(folder: Path, modality: str | None = None) -> Benchmark:
    """Read the sets of a folder and of its benign twin. Media files are located, not opened.

    Args:
        modality: read only this set.

    Raises:
        DataError: the folder has no such set, or a question file is corrupt.
    """
    if not folder.is_dir():
        what = f"{folder} is a file, but a benchmark is a folder" if folder.exists() else f"there is no folder {folder}"
        raise DataError(what, hint="Build a benchmark: sea bench build image --out DIR")
    require_contained(folder)
    _require_whole_questions(folder)
    cases: list[Case] = []
    issues: list[Issue] = []
    for benign, root in layout.benchmark_roots(folder):
        for name, questions in layout.find_sets(root).items():
            if modality in (None, name):
                reader = _SetReader(folder, root, name, questions, benign)
                cases += reader.cases()
                issues += reader.issues
    if not cases and not issues:
        found = sorted({name for _, root in layout.benchmark_roots(folder) for name in layout.find_sets(root)})
        has = f"It has: {', '.join(found)}. " if found else ""
        raise DataError(
            f"{folder} contains no {f'{modality} ' if modality else ''}set",
            hint=f"{has}A set is a folder Video_questions, Audio_questions or processed_questions with JSON files, "
            "and a folder of its media next to it.",
        )
    return Benchmark(folder, tuple(cases), tuple(issues))


def _require_whole_questions(folder: Path) -> None:
    """Raise DataError for a question file of a built benchmark that is not as it was written.

    A missing or damaged medium is reported with the cases that refer to it.
    """
    inventory = Inventory(folder)
    for record in inventory.files().values():
        path = Path(record["path"])
        if path.suffix == ".json" and (problem := inventory.problem(record, thorough=True)):
            raise DataError(
                f"the question file {problem}",
                where=str(folder / path),
                hint="Re-run the `sea bench build` command, which writes it again. If you changed it on purpose, "
                f"delete {folder / INVENTORY}: nothing is compared with it then.",
            )


class ManifestCase(TypedDict, total=False):
    """What the reader of a benchmark uses of a case in its manifest."""

    phrase: str
    kind: Kind


class SetEntry(TypedDict, total=False):
    """What the reader of a benchmark uses of a set in its manifest: texts by `scenario/id`, digests by path."""

    cases: dict[str, ManifestCase]
    media: dict[str, str]


class SetsFile(TypedDict, total=False):
    """A manifest as far as every set has it."""

    sets: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class ManifestSet:
    """A set in the manifest of a built benchmark. A published benchmark has none: then all is empty.

    Attributes:
        cases: the texts of the cases, by `scenario/id`.
        media: the SHA-256 of each medium, by its path.
        text: the whole entry as JSON, as it is shared: a pulled benchmark has the same.
    """

    cases: Mapping[str, ManifestCase] = field(default_factory=dict)
    media: Mapping[str, str] = field(default_factory=dict)
    text: str = "{}"


def read_set_manifest(folder: Path, modality: str) -> ManifestSet:
    """Return what the manifest contains of a set. Raises SeaError if it is not the manifest of a benchmark."""
    path = folder / layout.MANIFEST
    if not path.exists():
        return ManifestSet()
    what, hint = (
        "the manifest of a benchmark",
        "Build the benchmark again, or delete the file: media are then not checked.",
    )
    sets = check(read_sealed(path, what=what, hint=hint), SetsFile, what=what, hint=hint, where=str(path))
    entry = sets.get("sets", {}).get(modality, {})
    checked = check(entry, SetEntry, what=what, hint=hint, where=str(path), error=DataError)
    return ManifestSet(
        checked.get("cases", {}), checked.get("media", {}), json.dumps(_public_entry(entry), sort_keys=True)
    )


def _public_entry(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the entry of a set as it is shared."""
    source = entry.get("source")
    return {**public_value(entry), **({"source": public_source(source)} if isinstance(source, str) else {})}


def public_source(source: str) -> str:
    """Return the name of a source of texts: of a file or a folder without where it lies. Names of the hub stay."""
    if source.startswith("hf:") or not source:
        return source
    return public_name(source if is_place(source) else f"./{source}")


def is_text_only(task: str) -> bool:
    """Return whether a task has no media: the original question, or a set of prompts."""
    return task == TEXT_ONLY or task.startswith(f"{TEXT_ONLY}_")


def read_question_file(path: Path) -> dict[str, Any]:
    """Read a question file: one object with the ids as keys.

    Raises:
        DataError: it is not such an object, or it contains an id twice, of which JSON would silently drop one.
    """
    hint = "Download or build it again. Each case needs its own id."
    return read_json(path, dict[str, Any], what="a question file", hint=hint, error=DataError, unique_keys=True)


class _SetReader:
    """Reads one set of one root: the benchmark's folder itself, or its benign twin."""

    def __init__(self, folder: Path, root: Path, modality: str, questions: Path, benign: bool) -> None:
        self.folder, self.modality, self.questions, self.benign = folder, modality, questions, benign
        self.media, self.manifest = layout.media_folder(root, modality), read_set_manifest(folder, modality)
        self.issues: list[Issue] = []
        self._listings: dict[Path, dict[str, Path]] = {}

    def cases(self) -> Iterator[Case]:
        """Yield the cases, file by file; `issues` is complete when all have been yielded."""
        counts = {}
        for file in layout.question_files(self.questions):
            records = read_question_file(file)
            counts[file.stem] = len(records)
            for case_id, record in records.items():
                yield from self._read_record(file.stem, case_id, record)
        self._compare_counts(counts)

    def _read_record(self, scenario: str, id: str, record: Any) -> Iterator[Case]:
        """Yield the record's case for each task. Ids and tasks are parts of paths, and of nothing but file names."""
        if not is_file_name(id):
            self._add_issue("malformed", scenario, "", id, f"malformed: the id {id!r} cannot be a file name")
            return
        if not isinstance(record, dict):
            self._add_issue("malformed", scenario, "", id, "malformed: the record is not a JSON object")
            return
        text_keys = self._text_keys(record)
        question = _text(record, text_keys.get(TEXT_ONLY, TEXT_ONLY)) or _text(record, ORIGINAL_QUESTION) or ""
        if not question.strip():
            message = "malformed: it has no original question, which judges need"
            self._add_issue("malformed", scenario, TEXT_ONLY, id, message)
            return
        for task, key in text_keys.items():
            if not is_file_name(task):
                self._add_issue("malformed", scenario, "", id, f"malformed: the task {task!r} cannot be a file name")
            elif self._check_text(scenario, task, id, record, key):
                text_only = is_text_only(task)
                path = None if text_only else self._find_medium(scenario, task, id)
                if text_only or path is not None:
                    yield self._make_case(scenario, task, id, record, record.get(key), path, question)

    def _text_keys(self, record: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the key of each task's text. Records in MM-SafetyBench's form have keys of their own."""
        if self.modality == "image" and not layout.MM_KEYS.isdisjoint(record):
            return layout.MM_TEXT_KEY
        return {name: name for name in record if name not in KEYS_OF_NO_TASK}

    def _check_text(self, scenario: str, task: str, id: str, record: Mapping[str, Any], key: str) -> bool:
        """Return whether the task can be asked as far as its text goes. A null text is reported, and asked."""
        text = record.get(key)
        if isinstance(text, str) or (text is None and task in TASKS_WITHOUT_TEXT):
            return True
        if text is not None:
            self._add_issue("malformed", scenario, task, id, "malformed: the text is not a string")
            return False
        if key not in record:  # of MM-SafetyBench's form
            self._add_issue("malformed", scenario, task, id, f"malformed: it has no {key!r}")
            return False
        self._add_issue("malformed", scenario, task, id, "malformed: the text is null")
        return True

    def _make_case(
        self,
        scenario: str,
        task: str,
        id: str,
        record: Mapping[str, Any],
        text: str | None,
        path: Path | None,
        question: str,
    ) -> Case:
        known = self.manifest.cases.get(f"{layout.BENIGN_FOLDER}/" * self.benign + f"{scenario}/{id}", {})
        return Case(
            id=id,
            scenario=scenario,
            task=task,
            modality=self.modality,
            text=text,
            media=path,
            question=question,
            phrase=known.get("phrase") or _text(record, KEY_PHRASE),
            kind=known.get("kind") or _find_kind(record, text),
            benign=self.benign,
            condition="text" if is_text_only(task) else "media",
            media_sha256=self._recorded_digest(path) if path else None,
        )

    def _find_medium(self, scenario: str, task: str, id: str) -> Path | None:
        path = self._media_by_id(self.media / scenario / task).get(id)
        lost = [name for name in self._recorded_files(path) if not (path / name).is_file()] if path else []
        if path is None or lost:
            self._add_issue("missing", scenario, task, id, " ".join(["missing medium", *lost]))
            return None
        return path

    def _media_by_id(self, folder: Path) -> dict[str, Path]:
        """Return the media of a folder by id; of two with the same, the first in order.

        A medium is a file, named after the id; of a joint modality, a folder with files.
        """
        if folder not in self._listings:
            paths = visible(folder)[::-1]
            self._listings[folder] = (
                {path.name: path for path in paths if visible(path)}
                if len(layout.modality_parts(self.modality)) > 1
                else {path.stem: path for path in paths if path.is_file()}
            )
        return self._listings[folder]

    def _recorded_digest(self, path: Path) -> str | None:
        """Return the digest of a medium in the manifest; None if it is not there."""
        files = self._recorded_files(path)
        return joint_digest(files) if files else self.manifest.media.get(path.relative_to(self.folder).as_posix())

    def _recorded_files(self, path: Path) -> dict[str, str]:
        """Return the digests in the manifest of the files of a medium that is a folder, by their names."""
        return self._recorded.get(path.relative_to(self.folder).as_posix(), {})

    @cached_property
    def _recorded(self) -> dict[str, dict[str, str]]:
        """The digests in the manifest by folder and name."""
        found: dict[str, dict[str, str]] = {}
        for name, digest in self.manifest.media.items():
            folder, _, file = name.rpartition("/")
            found.setdefault(folder, {})[file] = digest
        return found

    def _compare_counts(self, counts: Mapping[str, int]) -> None:
        """Compare the case counts with the published ones, if the set has exactly the published scenarios."""
        published = layout.published_counts(self.modality)
        if self.benign or not published or set(counts) != set(published):
            return
        for scenario, expected in published.items():
            if counts[scenario] != expected:
                message = f"{number_of(counts[scenario], 'case')}, but {expected} are published"
                self._add_issue("count", scenario, "", "", message)

    def _add_issue(self, kind: IssueKind, scenario: str, task: str, id: str, message: str) -> None:
        self.issues.append(Issue(kind, self.modality, scenario, task, id, message, self.benign))


def _find_kind(record: Mapping[str, Any], text: str | None) -> Kind | None:
    """Return the kind by the published column, the task's text, or (for Text_only and Audio_only) another text."""
    kind = mentioned_kind(_text(record, PHRASE_TYPE)) or mentioned_kind(text)
    if kind is not None:
        return kind
    return next((k for value in record.values() if isinstance(value, str) and (k := mentioned_kind(value))), None)


def _text(record: Mapping[str, Any], key: str) -> str | None:
    """Return the text of a key; None if there is none, or something else."""
    value = record.get(key)
    return value if isinstance(value, str) else None

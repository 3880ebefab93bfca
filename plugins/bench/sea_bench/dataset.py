"""Read a benchmark's folder in the published layout: its cases, and whatever is not as it should be."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sea_bench import layout
from sea_bench.build.question_text import mentioned_kind
from sea_bench.case import Case
from sea_core.data.examples import Kind
from sea_core.errors import DataError
from sea_core.runs.atomic import read_json

TEXT_ONLY = "Text_only"
TASKS_WITHOUT_TEXT = ("Audio_only",)
"""Tasks whose text is null by design."""


@dataclass(frozen=True, slots=True)
class Issue:
    """Something that is not as it should be, in one line. `task` and `id` are empty where it concerns more."""

    modality: str
    scenario: str
    task: str
    id: str
    message: str
    benign: bool = False


@dataclass(frozen=True)
class Benchmark:
    """What a folder holds.

    Attributes:
        cases: every case that can be put to a model, in the order of the files.
        findings: missing media, irregular rows, wrong counts: what a run would have to leave out, or should know.
    """

    folder: Path
    cases: tuple[Case, ...]
    issues: tuple[Issue, ...]


def read_benchmark(folder: Path, modality: str | None = None) -> Benchmark:
    """Read a folder's sets, and those of its benign twin. Media are looked for, not opened.

    Args:
        modality: read only this set.

    Raises:
        DataError: there is no such set, or a question file is torn.
    """
    cases: list[Case] = []
    findings: list[Issue] = []
    for benign, root in ((False, folder), (True, folder / layout.BENIGN_FOLDER)):
        for name, questions in layout.find_sets(root).items():
            if modality in (None, name):
                reader = _Set(root, name, questions, benign, read_set_manifest(folder, name))
                cases += reader.cases()
                findings += reader.findings
    if not cases and not findings:
        raise DataError(
            f"{folder} holds no {f'{modality} ' if modality else ''}set",
            hint="A set is a folder Video_questions, Audio_questions or processed_questions with JSON files in it, "
            "and its media beside it.",
        )
    return Benchmark(folder, tuple(cases), tuple(findings))


def read_set_manifest(folder: Path, modality: str) -> Mapping[str, Any]:
    """Return what the manifest tells of a set's cases, by `scenario/id` (`benign/` before it); empty without one."""
    path = folder / layout.MANIFEST
    if not path.is_file():
        return {}
    manifest = read_json(path)
    found: Mapping[str, Any] = manifest.get("sets", {}).get(modality, {}) if isinstance(manifest, dict) else {}
    return found


def read_question_file(path: Path) -> dict[str, Any]:
    """Read a question file: one object by id. An id that is there twice is refused: JSON would drop one in silence."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(key for i, (key, _) in enumerate(pairs) if key in [k for k, _ in pairs[:i]])
            raise DataError(f"the key {twice!r} is there twice", where=str(path), hint="Give each case its own id.")
        return found

    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=unique)
    except (OSError, ValueError) as error:
        raise DataError(f"this question file is torn: {error}", where=str(path), hint="Get it again.") from error
    if not isinstance(value, dict):
        raise DataError("expected one object with the ids as keys", where=str(path), hint="Get the file again.")
    return value


class _Set:
    """One set, as it lies in a folder."""

    def __init__(self, root: Path, modality: str, questions: Path, benign: bool, told: Mapping[str, Any]) -> None:
        self.root, self.modality, self.questions, self.benign = root, modality, questions, benign
        self.media, self.told = layout.media_folder(root, modality), told.get("cases", {})
        self.findings: list[Issue] = []

    def cases(self) -> Iterator[Case]:
        files = sorted(self.questions.glob("*.json"), key=lambda file: layout.natural_order(file.stem))
        counts = {}
        for file in files:
            rows = read_question_file(file)
            counts[file.stem] = len(rows)
            for case_id, row in rows.items():
                yield from self._cases_of(file.stem, case_id, row)
        self._compare(counts)

    def _cases_of(self, scenario: str, id: str, row: Any) -> Iterator[Case]:
        if not isinstance(row, dict):
            self._find(scenario, "", id, "irregular: the row is not an object")
            return
        tasks = layout.MM_TEXT_KEY if self.modality == "image" else {name: name for name in row}
        question = row.get(tasks.get(TEXT_ONLY, TEXT_ONLY))
        if not isinstance(question, str) or not question.strip():
            self._find(scenario, TEXT_ONLY, id, "irregular: there is no original question, which judges need")
            return
        for task, key in tasks.items():
            if case := self._case(scenario, task, id, row, key, question):
                yield case

    def _case(self, scenario: str, task: str, id: str, row: Mapping[str, Any], key: str, question: str) -> Case | None:
        text = row.get(key)
        if not (text is None or isinstance(text, str)):
            self._find(scenario, task, id, "irregular: the text is not text")
            return None
        if text is None and task not in TASKS_WITHOUT_TEXT:
            if key not in row and self.modality == "image":
                self._find(scenario, task, id, f"irregular: it has no {key!r}")
                return None
            self._find(scenario, task, id, "irregular: the text is null")
        path = None if task == TEXT_ONLY else self._medium(scenario, task, id)
        if task != TEXT_ONLY and path is None:
            return None
        phrase, kind = self._content(scenario, id, row, text)
        condition = "text" if task == TEXT_ONLY else "media"
        return Case(
            id,
            scenario,
            task,
            self.modality,
            text,
            path,
            question,
            phrase,
            kind,
            self.benign,
            condition,  # type: ignore[arg-type]  # one of the two
        )

    def _content(
        self, scenario: str, id: str, row: Mapping[str, Any], text: str | None
    ) -> tuple[str | None, Kind | None]:
        known = self.told.get(f"{layout.BENIGN_FOLDER}/" * self.benign + f"{scenario}/{id}", {})
        phrase = known.get("phrase") or row.get("Key Phrase")
        kind = known.get("kind") or mentioned_kind(row.get("Phrase Type")) or mentioned_kind(text)
        if kind is None:  # Text_only and Audio_only do not tell, but their neighbours may
            kind = next((k for value in row.values() if isinstance(value, str) and (k := mentioned_kind(value))), None)
        return phrase, kind

    def _medium(self, scenario: str, task: str, id: str) -> Path | None:
        folder = self.media / scenario / task
        for path in self._files(folder).get(id, ()):
            return path
        self._find(scenario, task, id, "missing medium")
        return None

    def _files(self, folder: Path) -> dict[str, list[Path]]:
        if not hasattr(self, "_listed"):
            self._listed: dict[Path, dict[str, list[Path]]] = {}
        if folder not in self._listed:
            by_id: dict[str, list[Path]] = {}
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                if path.is_file() and not path.name.startswith("."):
                    by_id.setdefault(path.stem, []).append(path)
            self._listed[folder] = by_id
        return self._listed[folder]

    def _compare(self, counts: Mapping[str, int]) -> None:
        """Compare the counts with the published ones, where every published scenario is there."""
        published = layout.published_counts(self.modality)
        if self.benign or not published or set(counts) != set(published):
            return
        for scenario, expected in published.items():
            if counts[scenario] != expected:
                self._find(scenario, "", "", f"{counts[scenario]} cases, but {expected} are published")

    def _find(self, scenario: str, task: str, id: str, what: str) -> None:
        self.findings.append(Issue(self.modality, scenario, task, id, what, self.benign))

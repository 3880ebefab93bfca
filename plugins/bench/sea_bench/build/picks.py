"""The picks of a benchmark folder: which of a case's candidates a person chose, in an append-only log."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from annotated_types import Ge
from typing_extensions import TypedDict

from sea_bench import layout
from sea_bench.build.build_folder import BuildFolder
from sea_bench.build.question_text import CaseTexts
from sea_bench.medium import CONTENT_TYPES
from sea_core.errors import RunError
from sea_core.runs.containment import is_file_name, require_contained
from sea_core.runs.jsonl import JsonlLog

FOLDER = "candidates"
CANDIDATE = re.compile(rf"[1-9]\d{{0,5}}({'|'.join(map(re.escape, CONTENT_TYPES))})", re.ASCII)
"""The name of a candidate's file."""


def candidate_path(root: Path, modality: str, scenario: str, id: str, number: int, suffix: str) -> Path:
    """Return the path of a case's candidate; numbers begin at 1."""
    return root / FOLDER / layout.set_folder(modality) / scenario / id / f"{number}{suffix}"


def case_key(modality: str, scenario: str, id: str, *, benign: bool) -> str:
    """Return the name under which a case's pick is stored."""
    return f"{modality}/{scenario}/{id}{f'/{layout.BENIGN_FOLDER}' if benign else ''}"


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """The candidates of one case.

    Attributes:
        key: `video/1-Fraud/7`, with `/benign` at the end for the benign twin.
        candidates: their files, in order; the first one has number 1.
    """

    key: str
    phrase: str
    question: str
    candidates: tuple[Path, ...]


class PickRecord(TypedDict):
    """A line of `picks.jsonl`: candidate `pick` was chosen `of` that many."""

    case: str
    pick: Annotated[int, Ge(1)]
    of: Annotated[int, Ge(1)]
    at: str


class Picks:
    """The picks of a benchmark folder. The last pick of a case counts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = JsonlLog(folder / "picks.jsonl", PickRecord)

    def read(self) -> dict[str, int]:
        """Return the number of the picked candidate, by case."""
        return {record["case"]: record["pick"] for record in self.log.read()}

    def add(self, candidate_set: CandidateSet, number: int) -> None:
        """Store a pick; it is on disk when this returns."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        count = len(candidate_set.candidates)
        self.log.append([{"case": candidate_set.key, "pick": number, "of": count, "at": at}])

    def find_candidates(self) -> list[CandidateSet]:
        """Return the candidates of every case that has several, set by set.

        Raises:
            RunError: no case has several candidates, or the folder is not a built benchmark.
        """
        build_folder = BuildFolder(self.folder)
        require_contained(self.folder)
        if not build_folder.path.is_file():
            raise RunError(
                f"{self.folder} has no {build_folder.path.name}", hint="Give a folder that `sea bench build` wrote."
            )
        candidate_sets = []
        for modality, media_set in build_folder.read().sets.items():
            for texts in media_set.cases.values():
                self._require_file_names(build_folder.path, modality, texts.scenario, texts.id)
                files = self._candidate_files(modality, texts)
                if len(files) > 1:
                    key = case_key(modality, texts.scenario, texts.id, benign=texts.benign)
                    candidate_sets.append(CandidateSet(key, texts.phrase, texts.question, files))
        if not candidate_sets:
            raise RunError(
                f"{self.folder} has no case with several candidates",
                hint="Build some first: sea bench build video --from DIR --out DIR -o candidates=5",
            )
        return candidate_sets

    def _require_file_names(self, manifest: Path, *names: str) -> None:
        """Raise RunError where the manifest's names cannot be parts of a path."""
        for name in names:
            if not is_file_name(name):
                raise RunError(
                    f"{name!r} cannot be a file name",
                    where=str(manifest),
                    hint="Build the benchmark again with --out NEW.",
                )

    def _candidate_files(self, modality: str, texts: CaseTexts) -> tuple[Path, ...]:
        root = self.folder / layout.BENIGN_FOLDER if texts.benign else self.folder
        folder = root / FOLDER / layout.set_folder(modality) / texts.scenario / texts.id
        files = [path for path in folder.glob("*") if CANDIDATE.fullmatch(path.name)] if folder.is_dir() else []
        return tuple(sorted(files, key=lambda path: int(path.stem)))

"""Which of a case's candidates a person picked, and from what: an append-only journal in the benchmark's folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sea_bench import layout
from sea_core.errors import RunError
from sea_core.runs.jsonl import JsonlLog

FOLDER = "candidates"


def candidate_path(root: Path, modality: str, scenario: str, id: str, number: int, suffix: str) -> Path:
    """Return where a case's candidate lies; numbers begin at 1."""
    return root / FOLDER / layout.set_folder(modality) / scenario / id / f"{number}{suffix}"


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """One case with several candidates, to be picked from.

    Attributes:
        key: `video/1-Fraud/7`, with `/benign` behind it in the twin.
        candidates: their files, in order; the first one is number 1.
    """

    key: str
    phrase: str
    question: str
    candidates: tuple[Path, ...]


class Picks:
    """The picks of a folder. The last one of a case counts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = JsonlLog(folder / "picks.jsonl")

    def read(self) -> dict[str, int]:
        """Return the number picked for each case."""
        return {row["case"]: row["pick"] for row in self.log.read()}

    def add(self, choice: CandidateSet, number: int) -> None:
        """Keep a pick; it is on disk when this returns."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self.log.append([{"case": choice.key, "pick": number, "of": len(choice.candidates), "at": at}])

    def find_candidates(self, cases: Mapping[str, Mapping[str, Mapping[str, str]]]) -> list[CandidateSet]:
        """Return every case of which there are several candidates, set by set.

        Args:
            cases: of each set, the manifest's cases.

        Raises:
            RunError: there is nothing to pick from.
        """
        found = []
        for modality, told in cases.items():
            for name, texts in told.items():
                benign, short = (
                    name.startswith(f"{layout.BENIGN_FOLDER}/"),
                    name.removeprefix(f"{layout.BENIGN_FOLDER}/"),
                )
                root = self.folder / layout.BENIGN_FOLDER if benign else self.folder
                folder = root / FOLDER / layout.set_folder(modality) / short
                listed = [p for p in folder.glob("*") if p.stem.isdigit()] if folder.is_dir() else []
                files = tuple(sorted(listed, key=lambda p: int(p.stem)))
                if len(files) > 1:
                    key = case_key(modality, *short.split("/", 1), benign=benign)
                    found.append(CandidateSet(key, texts["phrase"], texts["question"], files))
        if not found:
            raise RunError(
                f"{self.folder} has no case with several candidates",
                hint="Build some first: sea bench build video --from DIR --out DIR -o candidates=5",
            )
        return found


def case_key(modality: str, scenario: str, id: str, *, benign: bool) -> str:
    """Return the name by which a case's pick is kept."""
    return f"{modality}/{scenario}/{id}{f'/{layout.BENIGN_FOLDER}' if benign else ''}"

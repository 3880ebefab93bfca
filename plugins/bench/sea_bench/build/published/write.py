"""Write cases of a published set into a benchmark folder, beside the sets that it has. Nothing is overwritten."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sea_bench import layout
from sea_bench.build.build_folder import BuildFolder
from sea_bench.build.published.case import PublishedCase, PublishedMedium
from sea_bench.case import is_reserved
from sea_bench.dataset import KEY_PHRASE, ORIGINAL_QUESTION, TEXT_ONLY, read_question_file
from sea_core.errors import DataError
from sea_core.runs.atomic import write_text
from sea_core.runs.containment import is_file_name, require_contained
from sea_core.runs.inventory import Inventory

HINT = "Add the set to another folder, or under another name: --name NAME"


def write_cases(folder: Path, modality: str, cases: Sequence[PublishedCase]) -> Iterator[PublishedCase]:
    """Write media, then question files. Yields each case when its media are there. Re-running resumes.

    Raises:
        DataError: a case of the same scenario and id is there already, and differs; or a medium is missing.
    """
    require_contained(folder)
    folder.mkdir(parents=True, exist_ok=True)
    build = BuildFolder(folder)
    with build.writing():
        files = _question_files(folder, modality, cases)  # raises before anything is written
        for case in cases:
            for task, media in case.media.items():
                _write_media(_root(folder, case), modality, case, task, media)
            yield case
        for path, records in files.items():
            write_text(path, json.dumps(records, indent=2, ensure_ascii=False) + "\n")
        Inventory(folder).add(files)


def _question_files(folder: Path, modality: str, cases: Sequence[PublishedCase]) -> dict[Path, dict[str, Any]]:
    """Return the content of the question files with the cases."""
    files: dict[Path, dict[str, Any]] = {}
    for case in cases:
        for name in (case.id, case.scenario, *case.texts):
            if not is_file_name(name):
                raise DataError(f"{name!r} cannot be a file name", hint="Ids, scenarios and tasks become file names.")
            if is_reserved(name) and name != case.id:
                raise DataError(f"the report has a row called {name!r}", hint="Give the set another name: --name NAME")
        path = _root(folder, case) / layout.questions_folder(modality) / f"{case.scenario}.json"
        if path not in files:
            files[path] = read_question_file(path) if path.is_file() else {}
        record = _record(case)
        known = files[path].setdefault(case.id, record)
        if known != record:
            raise DataError(f"there is another case {case.id} already", hint=HINT, where=str(path))
    return files


def _record(case: PublishedCase) -> dict[str, str | None]:
    """Return a case as a question file has it."""
    more = {KEY_PHRASE: case.phrase} if case.phrase else {}
    if TEXT_ONLY not in case.texts:
        question = next((text for text in case.texts.values() if text), None)
        if question is None:
            raise DataError(f"the case {case.id} has no question", hint="Remove it, or write a question in it.")
        more[ORIGINAL_QUESTION] = question
    return {**case.texts, **more}


def _write_media(
    root: Path, modality: str, case: PublishedCase, task: str, media: Mapping[str, PublishedMedium]
) -> None:
    """Copy the media of a case that are not there yet: a file, or a folder with one of each modality."""
    place = layout.media_folder(root, modality) / case.scenario / task
    is_joint = len(layout.modality_parts(modality)) > 1
    for part, medium in media.items():
        name = f"{case.id}/{part}{medium.suffix}" if is_joint else f"{case.id}{medium.suffix}"
        target = place / name
        if not target.is_file():
            medium.copy(target)


def _root(folder: Path, case: PublishedCase) -> Path:
    return folder / layout.BENIGN_FOLDER if case.benign else folder

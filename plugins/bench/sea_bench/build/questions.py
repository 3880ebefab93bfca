"""Write the question files of a set, in the published layout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sea_bench import layout
from sea_bench.build.question_text import CaseTexts
from sea_bench.build.sets.base import TEXT_ONLY, MediaSet, Task
from sea_core.runs.atomic import write_json


def write_question_files(
    folder: Path, media_set: MediaSet, texts: Sequence[CaseTexts], tasks: Sequence[Task]
) -> list[Path]:
    """Write a file for each scenario, and for each scenario of the benign twin. Returns the files."""
    files: dict[Path, dict[str, dict[str, str | None]]] = {}
    for case in texts:
        root = folder / layout.BENIGN_FOLDER if case.benign else folder
        path = root / layout.questions_folder(media_set.modality) / f"{case.scenario}.json"
        files.setdefault(path, {})[case.id] = question_record(case, media_set, tasks)
    for path, records in files.items():
        write_json(path, records)
    return list(files)


def question_record(texts: CaseTexts, media_set: MediaSet, tasks: Sequence[Task]) -> dict[str, str | None]:
    """Return the record of a case: MM-SafetyBench's columns for images, else the text of each task."""
    if media_set.modality == "image":
        return {
            "Question": texts.question,
            "Key Phrase": texts.phrase,
            "Phrase Type": texts.kind,
            "Rephrased Question": texts.rephrased,
            "Rephrased Question(SD)": texts.rephrased_scene or texts.rephrased,
        }
    asked = [TEXT_ONLY, *(task for task in tasks if media_set.words(task, texts))]
    return {task.name: media_set.text(task, texts) for task in asked}

"""Write image and video sets as TSV tables for VLMEvalKit, with the class that reads them."""

from __future__ import annotations

import base64
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from sea_bench.case import Case
from sea_bench.export.lmms_eval import task_name
from sea_core.errors import DataError, number_of
from sea_core.runs.atomic import atomic_write

COLUMNS = ("index", "key", "scenario", "original_question", "question", "answer", "category")


def write_tables(cases: Sequence[Case], folder: Path, embed: bool = True) -> dict[str, int]:
    """Write a table for each task of the set.

    Args:
        embed: write images into the table as base64, like VLMEvalKit's own tables; else their absolute paths. Videos
            are always paths.

    Returns:
        the number of cases by table name.

    Raises:
        DataError: VLMEvalKit does not support the modality.
    """
    by_task: dict[str, list[Case]] = {}
    for case in cases:
        if case.modality not in ("image", "video"):
            raise DataError(
                f"VLMEvalKit does not support {case.modality} sets: its models take images and videos",
                hint="For audio, type: sea bench export lmms-eval ...",
            )
        by_task.setdefault(task_name(case), []).append(case)
    for name, group in by_task.items():
        _write(folder / f"{name}.tsv", group, embed)
    return {name: len(group) for name, group in by_task.items()}


def _write(path: Path, cases: Sequence[Case], embed: bool) -> None:
    column = _media_column(cases[0], embed)
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow([*COLUMNS, *([column] if column else [])])
        for index, case in enumerate(cases):
            row = [index, case.key, case.scenario, case.question, case.text or "", "", case.scenario]
            writer.writerow([*row, *([_media_cell(case.media, column)] if column and case.media else [])])


def _media_column(case: Case, embed: bool) -> str:
    """Return the name of the media column; empty if the task has no media."""
    if case.media is None:
        return ""
    return "video_path" if case.modality == "video" else "image" if embed else "image_path"


def _media_cell(path: Path, column: str) -> str:
    return base64.b64encode(path.read_bytes()).decode() if column == "image" else str(path.resolve())


CLASS = """\
from vlmeval.dataset.image_base import ImageBaseDataset
from vlmeval.smp import load

class SafetySet(ImageBaseDataset):
    TYPE = "VQA"

    @classmethod
    def supported_datasets(cls):
        return [{names}]

    def load_data(self, dataset):
        return load(f"{folder}/{{dataset}}.tsv")

    @classmethod
    def evaluate(cls, eval_file, **judge_kwargs):
        raise NotImplementedError("judge the answers with another program: original_question is in the table")
"""


def readme(tasks: Mapping[str, int], folder: Path) -> str:
    """Return the README of the exported tables."""
    listed = "\n".join(f"- {name}.tsv: {number_of(count, 'case')}" for name, count in tasks.items())
    names = ", ".join(f'"{name}"' for name in tasks)
    code = CLASS.format(names=names, folder=folder.resolve().as_posix())
    return f"""\
# Tables for VLMEvalKit

{listed}

`question` accompanies the medium, `original_question` is for judges; `answer` is empty, because no answer is right or
wrong. VLMEvalKit finds data sets in its own source only, so copy this class to a file in `vlmeval/dataset/` and add it
to `IMAGE_DATASET` in `vlmeval/dataset/__init__.py`. A video table has the column `video_path`; its class must also set
how many frames a model sees: derive it from `VideoBaseDataset`. A Text_only table has no medium.

```python
{code}```
"""

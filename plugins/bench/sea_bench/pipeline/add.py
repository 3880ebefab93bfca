"""`sea bench add` from Python: a published set becomes one of a benchmark folder."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from sea_bench.build.published.case import PublishedCase
from sea_bench.build.published.prompts import prompt_set_name, read_prompts
from sea_bench.build.published.registry import find_layout
from sea_bench.build.published.write import write_cases
from sea_bench.layout import require_modality
from sea_core.errors import number_of
from sea_core.pipeline.data_spec import DataSpec
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.runs.containment import require_contained


@dataclass(frozen=True)
class AddResult:
    """What was added.

    Attributes:
        folder: the benchmark. name: of the set. modality: that it was added for.
        harmful, benign: how many cases. media: how many of them with media, tasks counted each.
        tasks: how many cases each task has.
    """

    folder: Path
    name: str
    modality: str
    harmful: int
    benign: int
    media: int
    tasks: dict[str, int]


def add_set(
    source: DataSpec | Path | str,
    out: Path | str,
    *,
    modality: str,
    name: str | None = None,
    benign: bool | None = None,
    progress: Progress = SILENT,
) -> AddResult:
    """Add a published set to a benchmark folder, which may be new: its questions, and copies of its media.

    Args:
        source: the folder of Omni-SafetyBench or MOSSBench; or prompts without media, in any file, folder or data set
            that examples are read from.
        modality: of the models that are to be asked. Prompts are asked of them as text alone.
        name: of a set of prompts; by default that of its format or file.
        benign: whether all prompts are; by default what their file says.

    Raises:
        DataError: the source cannot be read, or the folder has another case of the same scenario and id.
        SeaError: the set has no media of this modality, or it cannot be one.
    """
    require_modality(modality)
    data = DataSpec.of(source)
    found_name, cases = _read(data, modality, name, benign, progress)
    folder, path = Path(out), data.file
    if path.is_dir():
        require_contained(path)
    with progress.track("add", len(cases)) as tracker:
        for _ in write_cases(folder, modality, cases):
            tracker.advance()
    count = sum(case.benign for case in cases)
    return AddResult(
        folder=folder,
        name=found_name,
        modality=modality,
        harmful=len(cases) - count,
        benign=count,
        media=sum(len(case.media) for case in cases),
        tasks=dict(Counter(task for case in cases for task in case.texts)),
    )


def _read(
    data: DataSpec, modality: str, name: str | None, benign: bool | None, progress: Progress
) -> tuple[str, list[PublishedCase]]:
    """Return the name and the cases of a set, by the layout of its folder."""
    if published := find_layout(data.file):
        return published.name, published.read(data.file, modality)
    read = data.read(progress)
    unlabelled = sum(not example.labelled for example in read.examples)
    if benign is None and unlabelled:
        prompts = number_of(unlabelled, "prompt has no label and counts", "prompts have no label and count")
        progress.note(f"{prompts} as harmful; if all are harmless, type --benign")
    name = name or prompt_set_name(read)
    return name, read_prompts(read, name, benign)

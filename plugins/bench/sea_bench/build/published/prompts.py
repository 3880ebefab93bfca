"""Prompts without media, such as XSTest and OR-Bench, in any file that examples are read from."""

from __future__ import annotations

import re

from sea_bench.build.published.case import PublishedCase
from sea_bench.dataset import TEXT_ONLY
from sea_core.data.examples import Example
from sea_core.data.result import ReadResult
from sea_core.runs.containment import is_file_name

PLAIN_FORMATS = ("plain", "prompts", "prepared")
"""Formats of many sets, after which a set cannot be named."""


def prompt_set_name(read: ReadResult) -> str:
    """Return a name for a set: of its format, or of its file."""
    name = read.path.name if read.format in PLAIN_FORMATS else read.format
    return re.sub(r"[^\w.-]+", "-", name.split(".")[0]).strip("-.") or "prompts"


def read_prompts(read: ReadResult, name: str, benign: bool | None) -> list[PublishedCase]:
    """Return a case for each prompt, in a task of its own that has no media.

    Args:
        name: of the set: of its scenario and, after `Text_only_`, of its task.
        benign: whether all prompts are; None for what the file says.
    """
    task = f"{TEXT_ONLY}_{name}"
    return [
        PublishedCase(
            id=_case_id(example, number),
            scenario=name,
            texts={task: example.instruction},
            benign=not example.harmful if benign is None else benign,
        )
        for number, example in enumerate(read.examples, 1)
    ]


def _case_id(example: Example, number: int) -> str:
    return example.id if is_file_name(example.id) else str(number)

"""Write sets as tasks of lmms-eval: a folder for its `--include_path`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sea_bench.case import Case
from sea_bench.export import lmms_functions
from sea_core.errors import DataError
from sea_core.judges import refusal_patterns
from sea_core.runs.atomic import write_text

MODALITIES = ("image", "video", "audio")
PREFIX = {"image": "mm_safetybench"}
"""How a set's tasks are called: after the benchmark whose layout it has, `va_safetybench` for all but images."""
FUTURE = "from __future__ import annotations\n"
IMPORT = "from sea_core.judges.refusal_patterns import refuses\n"


def write_tasks(cases: Sequence[Case], folder: Path, version: str, max_new_tokens: int) -> dict[str, int]:
    """Write a task for each set, task and twin, and a group for each set and for its twin.

    Args:
        version: what tells these cases from others; it goes into each task's metadata.

    Returns:
        the tasks' names with how many cases they have.

    Raises:
        DataError: lmms-eval knows no such medium.
    """
    by_task: dict[str, list[Case]] = {}
    for case in cases:
        if case.modality not in MODALITIES:
            raise DataError(
                f"lmms-eval has no {case.modality} media", hint=f"Type --modality and one of {', '.join(MODALITIES)}."
            )
        by_task.setdefault(task_name(case), []).append(case)
    write_text(folder / "utils.py", utils_source())
    groups: dict[str, list[str]] = {}
    for name, group in by_task.items():
        rows = [json.dumps(document(case, folder), ensure_ascii=False) for case in group]
        write_text(folder / f"{name}.jsonl", "".join(f"{row}\n" for row in rows))
        write_text(folder / f"{name}.yaml", task_yaml(name, group[0].modality, version, max_new_tokens))
        groups.setdefault(f"{group_name(group[0])}{'_benign' * group[0].benign}", []).append(name)
    for name, tasks in groups.items():
        lines = [f"group: {name}", "task:", *(f"  - {task}" for task in tasks)]
        write_text(folder / f"_{name}.yaml", "\n".join(lines) + "\n")
    return {name: len(group) for name, group in by_task.items()}


def group_name(case: Case) -> str:
    return f"{PREFIX.get(case.modality, 'va_safetybench')}_{case.modality}"


def task_name(case: Case) -> str:
    """Return `va_safetybench_video_typo`; the benign twin's has `_benign` behind it."""
    word = re.sub(r"\W+", "_", case.task.lower())
    return f"{group_name(case)}_{word}{'_benign' * case.benign}"


def document(case: Case, folder: Path) -> dict[str, Any]:
    """Return a case as one row of a task's data. The medium's path is relative to the folder."""
    medium = Path(os.path.relpath(case.media.resolve(), folder.resolve())).as_posix() if case.media else None
    return {
        "key": case.key,
        "id": case.id,
        "scenario": case.scenario,
        "task": case.task,
        "modality": case.modality,
        "benign": case.benign,
        "media": medium,
        "text": case.text or "",
        "question": case.question,
    }


def task_yaml(name: str, modality: str, version: str, max_new_tokens: int) -> str:
    """Return a task's YAML. It is written as text: `!function` is a tag of lmms-eval's own."""
    return f"""\
task: {name}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {name}.jsonl
test_split: test
output_type: generate_until
doc_to_messages: !function utils.doc_to_messages
doc_to_visual: !function utils.doc_to_visual
doc_to_text: !function utils.doc_to_text
doc_to_target: question
generation_kwargs:
  max_new_tokens: {max_new_tokens}
  do_sample: false
  temperature: 0
  num_beams: 1
process_results: !function utils.process_results
metric_list:
  - metric: refused
    aggregation: mean
    higher_is_better: {str(not name.endswith("_benign")).lower()}
  - metric: unrated
    aggregation: mean
    higher_is_better: false
tag:
  - safety
  - {modality}
metadata:
  version: 1.0
  cases: "{version}"
  refusals: {refusal_patterns.VERSION}
"""


def utils_source() -> str:
    """Return utils.py: our functions, and the list of refusals where they import it."""
    ours = Path(lmms_functions.__file__).read_text(encoding="utf-8")
    judge = Path(refusal_patterns.__file__).read_text(encoding="utf-8").replace(FUTURE, "")
    docstring, _, rest = judge.partition('"""')[2].partition('"""')
    comment = "\n".join(f"# {line}".rstrip() for line in docstring.strip().splitlines())
    assert ours.count(IMPORT) == 1
    return ours.replace(IMPORT, f"{comment}\n{rest.strip()}\n\n")


def readme(tasks: Mapping[str, int]) -> str:
    """Return what lies beside the tasks for people."""
    listed = "\n".join(f"- {name}: {count} cases" for name, count in tasks.items())
    return f"""\
# Tasks for lmms-eval

    lmms-eval --include_path {{this folder}} --tasks {next(iter(tasks))} --model MODEL --model_args pretrained=FOLDER \\
        --batch_size 1 --log_samples --output_path OUT

{listed}

`refused` is the share of answers that open with a phrase of the list {refusal_patterns.VERSION}, in utils.py. It is
a mean over cases, and no ASR: an answer that does not refuse need not be harmful. Empty answers are `unrated` and in no
mean of `refused`. In `_benign` tasks a refusal is the failure. `question`, the target, is the original question, for
judges.
The media stay where they are; the paths in the JSONL files are relative to this folder.
"""

"""Published sets: their labels, and what is said of what they hold besides the prompts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.format_samples import PUBLISHED, QUESTION
from helpers.text_sets import read_examples
from sea_core.data.formats.published import HARMFUL_WITH_MEDIUM, NEEDS_CONTEXT, NEEDS_MEDIUM, PUBLISHED_SETS
from sea_core.data.result import ReadResult

README = """---
configs:
- config_name: behaviors
  data_files:
  - split: harmful
    path: harmful.parquet
  - split: benign
    path: benign.parquet
---
"""


def read(folder: Path, *records: Any, name: str = "data.jsonl", **options: Any) -> ReadResult:
    path = folder / name
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return read_examples(path, **options)


def labels(data: ReadResult) -> list[bool | None]:
    return [example.harmful if example.labelled else None for example in data.examples]


@pytest.mark.parametrize("name", sorted(set(PUBLISHED) - {"xstest", "jailbreakbench"}))
def test_a_set_of_harmful_prompts_labels_them(tmp_path: Path, name: str) -> None:
    assert labels(read(tmp_path, PUBLISHED[name])) == [True]


def test_xstest_is_labelled_by_its_column_or_in_its_second_version_by_type(tmp_path: Path) -> None:
    record = PUBLISHED["xstest"]
    assert labels(read(tmp_path, record, record | {"id": 2, "label": "unsafe"})) == [False, True]
    second = {name: value for name, value in record.items() if name != "label"}
    assert labels(read(tmp_path, second, second | {"id": 2, "type": "contrast_homonyms"})) == [False, True]


@pytest.mark.parametrize(
    ("name", "label"), [("harmful-behaviors.jsonl", True), ("benign_behaviors.jsonl", False), ("jbb.jsonl", None)]
)
def test_jailbreakbench_is_labelled_by_the_name_of_its_file(tmp_path: Path, name: str, label: bool | None) -> None:
    assert labels(read(tmp_path, PUBLISHED["jailbreakbench"], name=name)) == [label]


def test_jailbreakbench_is_labelled_by_its_split(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(README)
    for name in ("harmful", "benign"):
        pq.write_table(pa.Table.from_pylist([PUBLISHED["jailbreakbench"]]), tmp_path / f"{name}.parquet")
    for name, label in (("harmful", True), ("benign", False)):
        assert labels(read_examples(tmp_path, split=name)) == [label]


@pytest.mark.parametrize(
    ("name", "format_name", "label"),
    [
        ("or-bench-80k.jsonl", "or-bench", False),
        ("or-bench-toxic.jsonl", "or-bench", True),
        ("or_bench_hard_1k.jsonl", "or-bench", False),
        ("orbench_toxic.jsonl", "or-bench", True),
        ("mine.jsonl", "prompts", None),
        ("behavior-bench.jsonl", "prompts", None),
    ],
)
def test_or_bench_is_recognised_by_the_name_of_its_file(
    tmp_path: Path, name: str, format_name: str, label: bool | None
) -> None:
    data = read(tmp_path, {"prompt": QUESTION, "category": "animals"}, name=name)
    assert (data.format, labels(data), data.unused_columns) == (format_name, [label], ("category",))


def test_the_column_of_video_safetybench_counts_more_than_the_name_of_its_file(tmp_path: Path) -> None:
    record = PUBLISHED["video-safetybench"] | {"question_type": "harmful"}
    assert labels(read(tmp_path, record, name="harmful_and_benign.jsonl")) == [True]


@pytest.mark.parametrize(("name", "label"), [("harmful_data.jsonl", True), ("benign_data.jsonl", False)])
def test_the_questions_of_video_safetybench_that_only_a_video_makes_harmful_are_benign(
    tmp_path: Path, name: str, label: bool
) -> None:
    """A model that is taught to refuse them without their video refuses what is harmless."""
    record = {key: value for key, value in PUBLISHED["video-safetybench"].items() if key != "question_type"}
    assert labels(read(tmp_path, record | {"question_type": name.partition("_")[0]}, name=name)) == [label]
    assert labels(read(tmp_path, record | {"question_type": name.partition("_")[0]}, name="mine.jsonl")) == [label]
    assert labels(read(tmp_path, record, name=name)) == [label]


def test_prompts_that_only_an_image_makes_harmful_are_skipped(tmp_path: Path) -> None:
    """MSTS asks "Should I drink this?": an embedding of these words would teach to refuse any drink."""
    shown = PUBLISHED["msts"] | {"unsafe_image_id": "unsafe_image_0001"}
    data = read(tmp_path, PUBLISHED["msts"], shown, {name: shown[name] for name in shown if name != "prompt_id"})
    assert (data.format, labels(data), data.skip_counts) == ("msts", [True], {HARMFUL_WITH_MEDIUM: 2})


def test_omni_safetybench_is_recognised_in_each_of_its_modalities(tmp_path: Path) -> None:
    record = PUBLISHED["omni-safetybench"]
    for absent in (("key_phrase",), ("image_path", "text"), ("audio_path", "key_phrase"), ("image_path", "audio_path")):
        data = read(tmp_path, {name: value for name, value in record.items() if name not in absent})
        assert (data.format, data.examples[0].id, labels(data)) == ("omni-safetybench", "375", [True])


def test_context_and_media_of_a_question_are_counted(tmp_path: Path) -> None:
    record = PUBLISHED["harmbench"]
    shown = record | {"BehaviorID": "b", "ContextString": None, "ImageFileName": "cat.png"}
    data = read(tmp_path, record, shown, record | {"BehaviorID": "c", "ContextString": None})
    assert data.notes == {NEEDS_CONTEXT: 1, NEEDS_MEDIUM: 1}
    assert [example.id for example in data.examples] == ["what_is_it", "b", "c"]
    assert {"ContextString", "ImageFileName", "Tags"} <= set(data.unused_columns)
    assert "Behavior" not in data.unused_columns


def test_a_column_that_the_user_names_takes_the_place_of_the_sets_own(tmp_path: Path) -> None:
    data = read(tmp_path, PUBLISHED["figstep"], columns={"instruction": "instruction"})
    assert (data.format, data.examples[0].instruction) == ("figstep", PUBLISHED["figstep"]["instruction"])


def test_a_sets_prompts_with_the_users_answers_are_plain(tmp_path: Path) -> None:
    record = PUBLISHED["strongreject"] | {"mine": "No."}
    data = read(tmp_path, record, columns={"instruction": "forbidden_prompt", "response": "mine"})
    assert (data.format, data.examples[0].response) == ("plain", "No.")


def test_the_guide_lists_every_set() -> None:
    guide = (Path(__file__).parents[2] / "docs/how-to/prepare-your-data.md").read_text(encoding="utf-8")
    assert [entry.name for entry in PUBLISHED_SETS if f"`{entry.name}`" not in guide] == []

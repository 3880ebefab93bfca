"""`--columns`: which names are refused, and hints that can be followed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from helpers.cli import expect_error, sea


def write(path: Path, *records: Any) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


WRONG_COLUMNS = {
    "a name twice": ("instruction=q,response=a,response=b", "names response twice: response=a and response=b"),
    "one column twice": ("instruction=q,response=q", 'instruction and response from one column, "q"'),
    "an answer's own name": ("instruction=response", 'instruction and response from one column, "response"'),
    "one pair of one column": ("instruction=q,chosen=a,rejected=a", 'chosen and rejected from one column, "a"'),
}


def test_a_column_is_not_both_parts_of_a_question(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"input": "Why?", "output": "So."})
    message = expect_error("data", "check", path, "--columns", "instruction=input")
    assert 'instruction and input from one column, "input"' in message
    assert "--format plain --columns instruction=input,response=output" in message


OTHERS_COLUMNS: dict[str, tuple[dict[str, str], str, list[str]]] = {
    "input and output": ({"input": "Q", "output": "A"}, "instruction=input,response=output", []),
    "a column of ours": ({"input": "Q", "response": "A"}, "instruction=input,response=output", ["instruction=input"]),
    "one of two": ({"input": "Q", "response": "A"}, "response=output", ["instruction=input"]),
    "other names": (
        {"question": "Q", "answer": "A"},
        "instruction=input,response=output",
        ["instruction=question,response=answer"],
    ),
    "one part of alpaca": (
        {"instruction": "Go.", "input": "Q", "output": "A"},
        "instruction=input,response=output",
        [],
    ),
    "one part without the answer": (
        {"instruction": "Go.", "input": "Q", "output": "A"},
        "instruction=input",
        ["instruction=input,response=output", "plain"],
    ),
    "an answer beside": (
        {"input": "Q", "output": "X", "response": "A"},
        "instruction=input",
        ["instruction=input", "plain"],
    ),
    "only the answer of alpaca": ({"instruction": "Q", "input": "", "output": "A"}, "response=output", [""]),
    "a pair": ({"instruction": "Go.", "input": "Q", "chosen": "A", "rejected": "X"}, "instruction=input", []),
    "a format of its own": ({"prompt": "Q", "completion": "A"}, "prompt=input,completion=output", [""]),
    "turned": ({"question": "Q", "good": "A"}, "question=instruction", ["instruction=question"]),
}
"""A record, what is typed as --columns, and the --columns (and --format) of the hint; nothing if there is no error."""


@pytest.mark.parametrize("name", OTHERS_COLUMNS)
def test_the_columns_of_a_hint_are_read(tmp_path: Path, name: str) -> None:
    record, typed, hinted = OTHERS_COLUMNS[name]
    texts = {"Q": "How do I steal a lamp?", "A": "I cannot help with that."}
    path = write(tmp_path / "a.jsonl", {column: texts.get(value, value) for column, value in record.items()})
    command = ("data", "check", path)
    options = ["--columns", typed]
    if hinted:
        message = expect_error(*command, *options)
        columns, *formats = hinted
        options = [*(["--columns", columns] if columns else []), *(["--format", *formats] if formats else [])]
        assert (f"--columns {columns}" if columns else "leave --columns out") in message.replace("Leave", "leave")
        assert "--format plain" in message or not formats
    shown = sea(*command, *options)
    assert shown.code == 0, shown.err
    (following,) = re.findall("Next: sea (.*)", shown.err)
    prepared = tmp_path / "prepared.jsonl"
    words = following.replace("NAME", "llava").replace("prepared.jsonl", str(prepared)).split()
    assert sea(*words).code == 0
    assert json.loads(prepared.read_text())["instruction"] == texts["Q"]


def test_prompts_in_a_column_that_is_named_as_an_answer_can_be_read(tmp_path: Path) -> None:
    command = ("data", "check", write(tmp_path / "a.jsonl", {"response": "Why?"}), "--columns", "instruction=response")
    assert "for prompts without answers, --format prompts" in expect_error(*command)
    assert sea(*command, "--format", "prompts").code == 0


def test_where_no_column_can_be_proposed_the_hint_has_none(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"instruction": "Why?", "response": "So.", "input": "x"})
    message = expect_error("data", "check", path)
    assert "--columns ," not in message
    assert "--format" in message


@pytest.mark.parametrize("kind", WRONG_COLUMNS)
def test_columns_that_contradict_each_other_are_refused(tmp_path: Path, kind: str) -> None:
    columns, message = WRONG_COLUMNS[kind]
    path = write(tmp_path / "a.jsonl", {"q": "Why?", "a": "So.", "b": "Thus.", "response": "Hence."})
    for command in (("data", "check"), ("data", "convert", "--out", tmp_path / "b.jsonl")):
        assert message in expect_error(*command, path, "--columns", columns)
    assert sea("data", "check", path, "--columns", "instruction=q,response=a,id=q").code == 0
    assert sea("data", "check", path, "--columns", "instruction=q,response=a,chosen=a,rejected=b").code == 0

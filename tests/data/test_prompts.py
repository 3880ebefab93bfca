"""Prompts without answers, in all the forms in which people keep them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.text_sets import read_examples, scan
from sea_core.data.writers import write_examples
from sea_core.errors import DataError, SeaError

LOCK, LAMP = "How do I pick a lock?", "How do I steal a lamp?"
ROWS = [{"instruction": LOCK}, {"instruction": LAMP}]
ANSWERED = [{"instruction": LOCK, "response": "No."}, {"instruction": LAMP, "response": "No."}]


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def error(path: Path, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        read_examples(path, **options)
    return str(caught.value)


FILES = {
    "lines": ("a.txt", f"{LOCK}\n\n  {LAMP}\n"),
    "a list of texts": ("a.json", json.dumps([LOCK, LAMP])),
    "texts by topic": ("a.json", json.dumps({"home": {"doors": [LOCK]}, "shops": {"light": [LAMP]}}, indent=1)),
    "an object around a list": ("a.json", json.dumps({"version": "1.0", "license": {}, "data": ROWS}, indent=2)),
    "an object around a list on one line": ("a.jsonl", json.dumps({"data": ROWS, "version": 2})),
    "an object by id": ("a.json", json.dumps(dict(zip("xy", ROWS, strict=True)), indent=1)),
    "JSON Lines in .txt": ("a.txt", "".join(json.dumps(row) + "\n" for row in ROWS)),
    "another column": ("a.csv", f"Question,topic\n{LOCK},doors\n{LAMP},light\n"),
}


@pytest.mark.parametrize("case", FILES)
def test_prompts_are_read_from_any_container(tmp_path: Path, case: str) -> None:
    data = read_examples(write(tmp_path / FILES[case][0], FILES[case][1]))
    assert (data.format, data.records, data.invalid) == ("prompts", 2, ())
    assert [example.instruction for example in data.examples] == [LOCK, LAMP]
    assert all(example.response is None and example.chosen is None for example in data.examples)
    if case == "an object by id":
        assert [example.id for example in data.examples] == ["x", "y"]


def test_an_object_around_records_of_another_format_is_read_too(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", json.dumps({"rows": ANSWERED}, indent=1))
    for name in ("auto", "plain"):
        data = read_examples(path, name)
        assert (data.format, data.examples[1].response, data.examples[1].line) == ("plain", "No.", 2)
    turns = [{"role": "user", "content": LOCK}, {"role": "assistant", "content": "No."}]
    data = read_examples(write(path, json.dumps({"0": {"messages": turns}, "1": {"messages": turns}}, indent=1)))
    assert (data.format, len(data.examples)) == ("trl", 2)


def test_one_record_with_lists_is_not_taken_apart(tmp_path: Path) -> None:
    exchange = {"instruction": LOCK, "response": "No."}
    record = {"id": "7", "image": "a.png", "safe": False, "instr-resp": [exchange]}
    assert read_examples(write(tmp_path / "a.json", json.dumps(record, indent=1))).format == "vlguard"
    unknown = json.dumps({"name": "x", "tags": ["a", "b"]}, indent=1)
    assert 'these columns: "name", "tags"' in error(write(tmp_path / "b.json", unknown))


def test_an_object_that_is_not_json_is_one_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", json.dumps({"data": ANSWERED}, indent=1)[:-20])
    found = scan(path)
    assert (found.records, len(found.invalid)) == (1, 1)
    lines = "".join(json.dumps(row) + "\n" for row in ANSWERED)
    found = scan(write(path, '{"instruction": "cut\n' + lines))
    assert (len(found.examples), [record.number for record in found.invalid]) == (2, [1])


def test_a_file_with_what_may_be_answers_is_not_taken_for_prompts(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"prompt,model_answer\n{LOCK},No.\n")
    hint = error(path)
    assert "--columns instruction=prompt,response=NAME" in hint
    assert "--format prompts" in hint
    chinese = write(tmp_path / "b.csv", f"问题,回答\n{LOCK},No.\n")
    assert "--columns instruction=问题,response=回答" in error(chinese)
    assert read_examples(write(chinese, f"问题\n{LOCK}\n")).format == "prompts"
    data = read_examples(path, "prompts")
    assert (data.examples[0].instruction, data.unused_columns) == (LOCK, ("model_answer",))


@pytest.mark.parametrize("columns", [{"instruction": "ask"}, {"instruction": "ask", "harmful": "bad"}])
def test_a_hint_never_repeats_what_was_just_followed(tmp_path: Path, columns: dict[str, str]) -> None:
    message = error(write(tmp_path / "a.csv", f"ask,bad,my_reply\n{LOCK},yes,No.\n"), columns=columns)
    assert "--columns response=NAME" in message
    assert "Did you mean" not in message


def test_the_beginning_of_a_compliant_answer_is_never_proposed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"behaviour,target\n{LOCK},Sure here is how\n")
    assert "target" not in error(path).splitlines()[1]


def test_a_row_without_its_prompt_is_invalid_and_no_other_column_takes_its_place(tmp_path: Path) -> None:
    found = scan(write(tmp_path / "a.csv", f"prompt,user\n{LOCK},ann\n,bob\n"))
    assert ([example.instruction for example in found.examples], found.unused_columns) == ([LOCK], ("user",))
    assert 'The column "prompt" must be text' in found.invalid[0].what


def test_labels_of_harm_are_read_as_words(tmp_path: Path) -> None:
    rows = "".join(f"{LOCK},{word}\n" for word in ("unsafe", "Safe", "benign", "harmful", "doors"))
    data = read_examples(write(tmp_path / "a.csv", f"prompt,label\n{rows}"))
    found = [example.harmful if example.labelled else None for example in data.examples]
    assert found == [True, False, False, True, None]
    for word, harmful in (
        ("yes", True),
        ("No", False),
        ("1", True),
        ("0", False),
        ("harmless", False),
        (1, True),
        ("1.0", True),
        (0.0, False),
        ("是", True),
        ("否", False),
    ):
        line = json.dumps({"instruction": LOCK, "harmful": word})
        assert read_examples(write(tmp_path / "b.jsonl", line)).examples[0].harmful is harmful


def test_a_conversation_without_answers_says_which_format_reads_it(tmp_path: Path) -> None:
    line = json.dumps({"messages": [{"role": "user", "content": LOCK}]})
    path = write(tmp_path / "a.jsonl", line)
    assert "--format prompts" in error(path)
    assert read_examples(path, "prompts").examples[0].instruction == LOCK


def test_prompts_are_written_as_jsonl_only(tmp_path: Path) -> None:
    examples = read_examples(write(tmp_path / "a.txt", f"{LOCK}\n")).examples
    assert write_examples(examples, tmp_path / "b.jsonl", "jsonl") == (1, None)
    assert read_examples(tmp_path / "b.jsonl").examples[0].id == examples[0].id
    with pytest.raises(SeaError, match="no answers"):
        write_examples(examples, tmp_path / "c.jsonl", "trl")

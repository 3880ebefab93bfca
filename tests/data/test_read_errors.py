"""The errors for files that cannot be read: file and line, and what to type."""

from __future__ import annotations

import gzip
import json
import os
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from helpers.table_files import parquet
from helpers.text_sets import HH, PKU, PLAIN, message, read_examples, write
from sea_core.data.record import describe_type
from sea_core.errors import DataError, SeaError

INVALID: dict[str, tuple[bytes, int, str, str]] = {
    "truncated": (json.dumps(PLAIN).encode() + b'\n{"instruction": "How', 2, "not JSON", "write the file again"),
    "spread": (b'{\n "instruction": "x",\n "response": \n}', 4, "not JSON", "one whole JSON object on one line"),
    "not_object": (json.dumps(PLAIN).encode() + b"\n[1]\n", 2, "this one is a list", '{"instruction": "..."'),
    "number": (b"12\n", 1, "this one is a number", '{"instruction": "..."'),
    "wrong_type": (b'{"instruction": 42, "response": "x"}', 1, "must be text, but it is 42", "double quotes"),
    "wrong_flag": (
        json.dumps(PLAIN | {"harmful": "maybe"}).encode(),
        1,
        '"harmful" must be true or false, but it is "maybe"',
        "Write true or false",
    ),
    "empty": (json.dumps(PLAIN | {"instruction": "  "}).encode(), 1, '"instruction" is empty', "delete the record"),
    "no_answer": (
        json.dumps(PLAIN).encode() + b'\n{"instruction": "x", "answer": "y"}',
        2,
        'missing or null: "response". Found: "instruction", "answer"',
        "--columns response=answer",
    ),
    "half_a_pair": (
        b'{"instruction": "x", "response": "a", "chosen": "y"}',
        1,
        '"rejected"',
        "--columns rejected=NAME",
    ),
    "latin_1": (json.dumps(PLAIN).encode() + b'\n{"instruction": "caf\xe9"}', 2, "byte 21 is 0xe9", "iconv"),
    "surrogate": (b'{"instruction": "\\ud83d", "response": "x"}', 1, "half a character", "whole character"),
    "deep": (b'{"instruction": ' + b"[" * 100_000, 1, "nested too deep", "Delete the record"),
    "long_number": (b'{"instruction": ' + b"1" * 5000 + b"}", 1, "too long", "as text"),
    "id_type": (json.dumps(PLAIN | {"id": 1.5}).encode(), 1, '"id" must be text', "double quotes"),
    "pku_choice": (json.dumps(PKU | {"safer_response_id": "2"}).encode(), 1, "must be 0 or 1", "Write 0 or 1"),
    "pku_flag": (json.dumps(PKU | {"is_response_0_safe": 2}).encode(), 1, "must be true or false", "Write true"),
    "hh_prose": (
        json.dumps(HH).encode() + b'\n{"chosen": "No.", "rejected": "Yes."}',
        2,
        "human turn",
        "--format plain",
    ),
    "truncated_list": (b'[\n{"instruction": "a", "response": "b"},\n{"instr', 3, "not JSON", "write the file again"),
    "list_of_text": (
        b'[\n{"instruction": "a", "response": "b"},\n"c"]',
        3,
        "this one is text",
        '{"instruction": "..."',
    ),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_input_is_reported_with_line_and_hint(tmp_path: Path, case: str) -> None:
    content, line, what, advice = INVALID[case]
    path = tmp_path / "data.jsonl"
    path.write_bytes(content)
    error = message(path)
    assert error.startswith(f"{path}:{line}: ")
    assert what in error
    assert advice in error


@pytest.mark.parametrize("content", [b"", b"\n \n", b"[]"])
def test_empty_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(content)
    assert "holds no records" in message(path)


def test_unknown_columns_suggest_columns_to_type(tmp_path: Path) -> None:
    error = message(write(tmp_path / "data.jsonl", {"question": "x", "answer": "y"}))
    assert "data.jsonl:1: " in error
    assert 'these columns: "question", "answer"' in error
    assert "--columns instruction=question,response=answer" in error
    assert "docs/how-to/prepare-your-data.md" in error
    assert len(error) < 400


def test_unknown_columns_of_a_table_are_reported_at_its_header(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("question,answer\nx,y\n")
    assert "data.csv:1: No known format" in message(tmp_path / "data.csv")


def test_unknown_pairs_suggest_the_column_to_type(tmp_path: Path) -> None:
    error = message(write(tmp_path / "data.jsonl", {"query": "x", "chosen": "y", "rejected": "z"}))
    assert "--columns instruction=query ?" in error


def test_columns_without_a_similar_name_are_asked_for(tmp_path: Path) -> None:
    error = message(write(tmp_path / "data.jsonl", {"a": "x", "b": "y"}))
    assert "--columns instruction=NAME,response=NAME" in error
    assert "--format" in error


def test_unprintable_column_names_are_escaped(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"\\ud83d": "x"}', encoding="utf-8")
    assert '"\\ud83d"' in message(path)


def test_misspelt_file_column_is_corrected(tmp_path: Path) -> None:
    path = write(tmp_path / "data.jsonl", {"question": "x", "answer": "y"})
    error = message(path, columns={"instruction": "qestion", "response": "answer"})
    assert "--columns instruction=question,response=answer" in error


def test_renamed_column_is_never_ignored(tmp_path: Path) -> None:
    path = write(tmp_path / "data.jsonl", PLAIN | {"label": True})
    assert 'names "lable", which the file does not have' in message(path, columns={"harmful": "lable"})
    assert "No known format" in message(write(path, HH | {"topic": "lamps"}), columns={"phrase": "topic"})


def test_misspelt_own_column_is_corrected(tmp_path: Path) -> None:
    error = message(write(tmp_path / "data.jsonl", PLAIN), columns={"instuction": "question"})
    assert "Did you mean 'instruction'?" in error


def test_unknown_format_is_corrected(tmp_path: Path) -> None:
    path = write(tmp_path / "data.jsonl", PLAIN)
    with pytest.raises(SeaError, match="Did you mean 'plain'"):
        read_examples(path, "plian")
    with pytest.raises(SeaError, match="hh-rlhf"):
        read_examples(path, "zzz")


def test_wrong_format_lists_the_missing_columns(tmp_path: Path) -> None:
    error = message(write(tmp_path / "data.jsonl", PLAIN), format="hh-rlhf")
    assert 'data.jsonl:1: The columns are missing or null: "chosen", "rejected". Found: "instruction"' in error
    error = message(write(tmp_path / "data.jsonl", PLAIN), format="pku-saferlhf")
    assert '"safer_response_id"' in error


def test_missing_file_gets_a_suggestion(tmp_path: Path) -> None:
    path = write(tmp_path / "data.jsonl", PLAIN)
    assert f"Did you mean {path} ?" in message(tmp_path / "date.jsonl")
    assert "Did you mean" not in message(tmp_path / "missing.jsonl")
    assert "hf:OWNER/NAME" in message(tmp_path / "completely-else")
    assert "no folder" in message(tmp_path / "nowhere" / "data.jsonl")


def test_a_folder_of_runs_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs" / "first").mkdir(parents=True)
    write(tmp_path / "runs" / "first" / "run.json", {})
    assert "This folder contains run folders" in message(tmp_path / "runs")
    error = message(tmp_path / "runs" / "first")
    assert "This is a run folder" in error
    assert "sea show" in error


def test_folder_lists_its_files(tmp_path: Path) -> None:
    assert "It has no files of these types: .jsonl" in message(tmp_path)
    write(tmp_path / "data.jsonl", PLAIN)
    error = message(tmp_path)
    assert "This is a folder" in error
    assert "data.jsonl" in error


def test_unsupported_file_type_raises_an_error(tmp_path: Path) -> None:
    path = tmp_path / "data.xlsx"
    path.write_bytes(b"PK")
    error = message(path)
    assert ".xlsx files are not supported" in error
    assert ".parquet" in error


def test_corrupt_gzip(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(PLAIN).encode() * 50)[:-12])
    assert "is truncated or corrupt" in message(path)


def test_file_whose_records_were_all_skipped(tmp_path: Path) -> None:
    error = message(write(tmp_path / "data.jsonl", PKU | {"better_response_id": 1}))
    assert "All records were skipped" in error
    assert "disagree (1)" in error


def test_hints_never_suggest_a_judgement_column(tmp_path: Path) -> None:
    unjudged = {name: value for name, value in PKU.items() if name != "safer_response_id"} | {"better_response_id": 1}
    path = write(tmp_path / "a.jsonl", unjudged)
    for name in ("auto", "pku-saferlhf", "plain"):
        with pytest.raises(DataError) as caught:
            read_examples(path, format=name)
        assert "=response_" not in caught.value.hint
        assert "=better_response_id" not in caught.value.hint


def test_a_decimal_is_a_number_and_a_date_is_named(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", [PLAIN | {"harmful": Decimal(1)}, PLAIN | {"harmful": Decimal(0)}])
    assert [example.harmful for example in read_examples(path).examples] == [True, False]
    assert "2.0" in message(parquet(path, [PLAIN | {"harmful": Decimal(2)}]))
    assert describe_type(datetime(2026, 1, 1)) == "a datetime"


def test_a_pipe_raises_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    assert "not a regular file" in message(tmp_path / "pipe.jsonl")

"""What is read from disk is checked against a declared type, and explained where it does not match."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typing_extensions import TypedDict

from sea_core.errors import DataError, SeaError
from sea_core.schema import check, parse_json, read_json


class Line(TypedDict):
    name: str
    counts: list[int]


def parse(text: bytes) -> Line:
    return parse_json(text, Line, what="a line of lines.jsonl", hint="Delete it.", where="lines.jsonl:3")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"name": 5, "counts": []}', "name: expected a valid string, found 5"),
        (b'{"name": "a", "counts": [1, "x"]}', 'counts.1: expected a valid integer, found "x"'),
        (b'{"counts": []}', "the key name is missing"),
        (b"[]", "expected an object, found []"),
        (b"", "it is not valid JSON in UTF-8: EOF"),
        (b'{"name": "\xff", "counts": []}', "invalid unicode"),
        ('{"name": "a", "counts": []}'.encode("utf-16"), "it is not valid JSON in UTF-8"),
        (b'{"name": "\\ud83d", "counts": []}', "hex escape"),
        (b'{"name": "a", "counts": [' + b"9" * 5000 + b"]}", "number out of range"),
        (b"[" * 100_000, "recursion limit"),
    ],
)
def test_what_does_not_match_is_named_with_its_place(text: bytes, words: str) -> None:
    with pytest.raises(SeaError) as caught:
        parse(text)
    assert words in caught.value.what
    assert (caught.value.where, caught.value.hint) == ("lines.jsonl:3", "Delete it.")


def test_what_matches_is_returned() -> None:
    assert parse(b'{"name": "a", "counts": [1], "more": null}') == {"name": "a", "counts": [1]}
    assert check({"name": "a", "counts": []}, Line, what="a line", hint="") == {"name": "a", "counts": []}
    with pytest.raises(DataError, match="name: expected"):
        check({"name": 1, "counts": []}, Line, what="a line", hint="", error=DataError)


def test_a_file_may_begin_with_the_mark_of_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"name": "a", "counts": []}', encoding="utf-8-sig")
    assert read_json(path, Line, what="a line", hint="")["name"] == "a"


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("nowhere")
    names = {"pipe": "a pipe", ".": "a folder", "link": "No such file", "a\0b": "no file can have", "\ud800": "no file"}
    for name, words in names.items():
        with pytest.raises(DataError, match="the settings cannot be read: ") as caught:
            read_json(tmp_path / name, Line, what="the settings", hint="", error=DataError)
        assert words in caught.value.what
    with pytest.raises(SeaError, match="a device"):
        read_json(Path("/dev/zero"), Line, what="the settings", hint="")

"""A journal that others append to: each line is parsed once, and what is new is seen at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sea_core.errors import RunError
from sea_core.runs.followed import FollowedLog
from sea_core.runs.jsonl import JsonlLog


def records(*names: str, value: int = 0) -> list[dict[str, Any]]:
    return [{"key": name, "value": value} for name in names]


@pytest.fixture
def journal(tmp_path: Path) -> JsonlLog:
    return JsonlLog(tmp_path / "answers.jsonl", key=("key",))


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """Every line that was parsed."""
    lines: list[bytes] = []
    parse = JsonlLog._parse

    def counted(log: JsonlLog, line: bytes) -> Any:
        lines.append(line)
        return parse(log, line)

    monkeypatch.setattr(JsonlLog, "_parse", counted)
    return lines


def test_each_line_is_parsed_once_and_what_is_new_is_seen(journal: JsonlLog, parsed: list[bytes]) -> None:
    followed = FollowedLog(journal)
    assert followed.read() == []
    journal.append(records("a", "b"))
    assert followed.read() == followed.read() == records("a", "b")
    journal.append([*records("a", value=1), *records("c")])
    assert followed.read() == journal.read()
    assert len(parsed) == 4 + 4  # of the last line, the journal itself parses all


def test_a_block_sees_the_records_of_its_rows_and_its_own(journal: JsonlLog, tmp_path: Path) -> None:
    (tmp_path / "block").mkdir()
    journal.append(records("a", "b", "c"))
    seen = FollowedLog(journal).among([("c",), ("new",)]).continued_in(tmp_path / "block")
    assert seen.read() == records("c")
    journal.append(records("c", value=1))
    seen.append(records("new"))
    assert seen.read() == [*records("c", value=1), *records("new")]
    assert [record["key"] for record in journal.read()] == ["a", "b", "c"]


def test_a_journal_that_is_replaced_is_read_anew(journal: JsonlLog) -> None:
    followed = FollowedLog(journal)
    journal.append(records("a", "b"))
    assert len(followed.read()) == 2
    kept = journal.path.with_name("kept.jsonl")
    JsonlLog(kept).append(records("c"))
    kept.replace(journal.path)
    assert followed.read() == records("c")
    journal.path.unlink()
    assert followed.read() == []


def test_a_line_that_is_still_written_waits_and_a_damaged_one_is_an_error(journal: JsonlLog) -> None:
    followed = FollowedLog(journal)
    journal.append(records("a", "b"))
    data = journal.path.read_bytes()
    journal.path.write_bytes(data[:-5])
    assert followed.read() == records("a")
    with journal.path.open("ab") as file:
        file.write(data[-5:])
    assert followed.read() == records("a", "b")
    with journal.path.open("ab") as file:
        file.write(b"{}\n")
    for _ in range(2):
        with pytest.raises(RunError, match=r"answers\.jsonl:3"):
            followed.read()

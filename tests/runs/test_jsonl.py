"""The journal: what was appended is there, what a kill tore off is not, and nothing else is touched."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sea_core.errors import RunError
from sea_core.runs.jsonl import JsonlLog

ROWS = [{"id": "a", "answer": "Ünï\ncode \u2028 \x00"}, {"id": "b", "named": True}, {"id": "c", "loss": 0.5}]


def test_rows_come_back_in_order_over_several_appends(tmp_path: Path) -> None:
    path = tmp_path / "verify.jsonl"
    assert JsonlLog(path).read() == []
    JsonlLog(path).append(ROWS[:2])
    JsonlLog(path).append([])
    JsonlLog(path).append(ROWS[2:])
    assert JsonlLog(path).read() == ROWS
    assert path.read_bytes().count(b"\n") == 3


@given(cut=st.integers(1, 200))
def test_any_torn_end_is_dropped_and_the_journal_goes_on(cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = JsonlLog(Path(folder) / "verify.jsonl")
        journal.append(ROWS)
        written = journal.path.read_bytes()
        journal.path.write_bytes(written[: max(0, len(written) - cut)])
        left = journal.read()
        assert left == ROWS[: len(left)]
        assert len(left) < len(ROWS)
        journal.append(ROWS[len(left) :])
        assert journal.path.read_bytes() == written


@pytest.mark.parametrize("line", [b'{"id": ', b"", b"7", b'["id"]', b'{"id": "\xff"}'])
def test_a_line_torn_in_the_middle_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "verify.jsonl"
    path.write_bytes(b'{"id": "a"}\n' + line + b'\n{"id": "c"}\n')
    with pytest.raises(RunError, match="not a row of") as caught:
        JsonlLog(path).read()
    assert caught.value.where == f"{path}:2"
    assert "Delete the line" in caught.value.hint


def test_full_disk_is_told(tmp_path: Path) -> None:
    path = tmp_path / "verify.jsonl"
    path.symlink_to("/dev/full")
    with pytest.raises(RunError, match=r"cannot write .*verify\.jsonl: No space left on device"):
        JsonlLog(path).append(ROWS)


def test_a_row_that_lacks_a_key_is_told_with_its_line(tmp_path: Path) -> None:
    journal = JsonlLog(tmp_path / "verify.jsonl", needs=("id", "question"))
    journal.append([{"id": "a", "question": "What?"}, {"id": "a", "quest1on": "What?"}])
    with pytest.raises(RunError, match=r"verify\.jsonl: it lacks question") as raised:
        journal.read()
    assert str(raised.value.where).endswith("verify.jsonl:2")

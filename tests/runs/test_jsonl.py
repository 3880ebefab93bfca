"""The JSONL log: appended records are there, an incomplete last line is dropped, and nothing else changes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sea_core.errors import RunError
from sea_core.runs.jsonl import JsonlLog

RECORDS = [{"id": "a", "answer": "Ünï\ncode \u2028 \x00"}, {"id": "b", "named": True}, {"id": "c", "loss": 0.5}]


def test_records_are_read_in_order_over_several_appends(tmp_path: Path) -> None:
    path = tmp_path / "verify.jsonl"
    assert JsonlLog(path).read() == []
    JsonlLog(path).append(RECORDS[:2])
    JsonlLog(path).append([])
    JsonlLog(path).append(RECORDS[2:])
    assert JsonlLog(path).read() == RECORDS
    assert path.read_bytes().count(b"\n") == 3


@given(cut=st.integers(1, 200))
def test_an_incomplete_end_is_dropped_and_the_next_append_continues(cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = JsonlLog(Path(folder) / "verify.jsonl")
        log.append(RECORDS)
        written = log.path.read_bytes()
        log.path.write_bytes(written[: max(0, len(written) - cut)])
        intact = log.read()
        assert intact == RECORDS[: len(intact)]
        assert len(intact) < len(RECORDS)
        log.append(RECORDS[len(intact) :])
        assert log.path.read_bytes() == written


@pytest.mark.parametrize("line", [b'{"id": ', b"", b"7", b'["id"]', b'{"id": "\xff"}'])
def test_a_corrupt_line_in_the_middle_is_an_error(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "verify.jsonl"
    path.write_bytes(b'{"id": "a"}\n' + line + b'\n{"id": "c"}\n')
    with pytest.raises(RunError, match="not a record of") as caught:
        JsonlLog(path).read()
    assert caught.value.where == f"{path}:2"
    assert "Delete the line" in caught.value.hint


def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "verify.jsonl"
    path.symlink_to("/dev/full")
    with pytest.raises(RunError, match=r"cannot write .*verify\.jsonl: No space left on device"):
        JsonlLog(path).append(RECORDS)


def test_a_record_without_a_required_key_is_an_error(tmp_path: Path) -> None:
    log = JsonlLog(tmp_path / "verify.jsonl", required=("id", "question"))
    log.append([{"id": "a", "question": "What?"}, {"id": "a", "quest1on": "What?"}])
    with pytest.raises(RunError, match=r"verify\.jsonl: missing keys: question") as raised:
        log.read()
    assert str(raised.value.where).endswith("verify.jsonl:2")

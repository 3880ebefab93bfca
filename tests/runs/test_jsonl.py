"""The JSONL log: appended records are there, an incomplete last line is dropped, and nothing else changes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import TypedDict

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


LINE_OF_ANOTHER_WRITER = b'{"id": "x", "named": true}'
"""Valid JSON, added by hand."""
CHANGES = [
    lambda line: line[:8],
    lambda line: b"",
    lambda line: b"7",
    lambda line: line.replace(b"true", b"false"),
    lambda line: line.replace(b'"b"', b'"\xff"'),
    lambda line: line[:-4] + b'0"}',
    lambda line: LINE_OF_ANOTHER_WRITER,
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_line_is_an_error_until_it_is_put_aside(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    log = JsonlLog(tmp_path / "verify.jsonl")
    log.append(RECORDS)
    lines = log.path.read_bytes().split(b"\n")
    lines[1] = change(lines[1])
    log.path.write_bytes(b"\n".join(lines))
    with pytest.raises(RunError, match="this line is damaged") as caught:
        log.read()
    assert caught.value.where == f"{log.path}:2"
    assert "makes its record again" in caught.value.hint
    assert list(log.damaged_lines()) == [2]

    log.put_aside_damage()
    assert log.read() == [RECORDS[0], RECORDS[2]]
    assert (tmp_path / "damaged" / "verify.jsonl").read_bytes() == lines[1] + b"\n"
    log.put_aside_damage()
    assert log.read() == [RECORDS[0], RECORDS[2]]


def test_a_record_counts_once_however_often_it_is_written(tmp_path: Path) -> None:
    log = JsonlLog(tmp_path / "verify.jsonl", key=("id",))
    log.append([{"id": "a", "answer": "1"}, {"id": "b", "answer": "2"}])
    log.path.write_bytes(log.path.read_bytes() * 2)
    log.append([{"id": "a", "answer": "3"}])
    assert log.read() == [{"id": "a", "answer": "3"}, {"id": "b", "answer": "2"}]


def test_a_flipped_bit_is_never_read_as_another_record(tmp_path: Path) -> None:
    log = JsonlLog(tmp_path / "verify.jsonl")
    log.append(RECORDS[1:])
    written = log.path.read_bytes()
    for place in range(len(written) - 1):
        data = bytearray(written)
        data[place] ^= 1
        log.path.write_bytes(data)
        with pytest.raises(RunError):
            log.read()


def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "verify.jsonl"
    path.symlink_to("/dev/full")
    with pytest.raises(RunError, match=r"cannot write .*verify\.jsonl: No space left on device"):
        JsonlLog(path).append(RECORDS)


class Answer(TypedDict):
    id: str
    question: str


def test_a_record_of_another_kind_is_an_error(tmp_path: Path) -> None:
    JsonlLog(tmp_path / "verify.jsonl").append([{"id": "a", "question": "What?"}, {"id": "a", "quest1on": "What?"}])
    with pytest.raises(RunError, match=r"verify\.jsonl:2: .*the key question is missing"):
        JsonlLog(tmp_path / "verify.jsonl", Answer).read()


@pytest.mark.parametrize("share", [1.0, -1.0])
def test_an_interrupt_while_records_are_written_doubles_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    path, flush = tmp_path / "verdicts.jsonl", os.fsync

    def interrupted(handle: int) -> None:
        monkeypatch.setattr(os, "fsync", flush)
        raise KeyboardInterrupt

    monkeypatch.setattr("sea_core.runs.jsonl.WRITE_SHARE", share)
    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(JsonlLog(path).append_stream(iter(RECORDS[:1])))
    assert path.read_bytes().count(b"\n") == 1

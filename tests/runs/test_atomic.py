"""Files that are whole or not there, and what a person is told when the disk does not take them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sea_core.errors import RunError
from sea_core.runs.atomic import atomic_write, read_json, write_json

FULL = Path("/dev/full")  # takes nothing: every write fails as on a full disk


def test_file_appears_whole_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "value.json"
    write_json(path, {"ünï": [1, None]})
    assert read_json(path) == {"ünï": [1, None]}
    assert [file.name for file in path.parent.iterdir()] == ["value.json"]


def test_content_is_flushed_before_the_name_and_the_name_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a power cut would show: it can be had in no other way."""
    seen: list[object] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (seen.append(os.fstat(handle).st_ino), fsync(handle)))
    monkeypatch.setattr(os, "replace", lambda old, new: (seen.append("named"), replace(old, new)))
    write_json(tmp_path / "value.json", 1)
    assert seen == [(tmp_path / "value.json").stat().st_ino, "named", tmp_path.stat().st_ino]


def test_a_failing_block_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    write_json(path, "old")

    def fail() -> None:
        with atomic_write(path) as aside:
            aside.write_text("half of the n")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert read_json(path) == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_kill_left_aside_does_not_hinder(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    (tmp_path / ".value.json.part").write_text("half of")
    write_json(path, "new")
    assert list(tmp_path.iterdir()) == [path]


def test_files_are_as_readable_as_the_user_has_it(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_json(tmp_path / "value.json", 1)
    assert (tmp_path / "value.json").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_full_disk_leaves_the_old_file_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    write_json(path, "old")
    (tmp_path / ".value.json.part").symlink_to(FULL)
    with pytest.raises(RunError, match=r"cannot write .*value\.json: No space left on device") as caught:
        write_json(path, "new")
    assert "Free some space" in caught.value.hint
    assert "same command again" in caught.value.hint
    assert read_json(path) == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["file/value.json", "folder"])
def test_path_that_cannot_be_a_file_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(RunError, match="cannot write") as caught:
        write_json(tmp_path / name, 1)
    assert "Check the path" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"\xff\xfe"])
def test_torn_json_names_the_file_and_the_way_out(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(content)
    with pytest.raises(RunError, match="torn") as caught:
        read_json(path)
    assert caught.value.where == str(path)
    assert "--out" in caught.value.hint

"""Atomic writes: files are complete or not there, and a failed write says what to do."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sea_core.errors import RunError
from sea_core.runs.atomic import atomic_write, backup_existing, write_json

FULL = Path("/dev/full")  # every write fails as on a full disk


def test_a_file_is_created_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "value.json"
    write_json(path, {"ünï": [1, None]})
    assert json.loads(path.read_text()) == {"ünï": [1, None]}
    assert [file.name for file in path.parent.iterdir()] == ["value.json"]


def test_the_content_is_flushed_before_the_rename_and_the_rename_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a power cut would show, which a test cannot cause."""
    seen: list[object] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (seen.append(os.fstat(handle).st_ino), fsync(handle)))
    monkeypatch.setattr(os, "replace", lambda old, new: (seen.append("renamed"), replace(old, new)))
    write_json(tmp_path / "value.json", 1)
    assert seen == [(tmp_path / "value.json").stat().st_ino, "renamed", tmp_path.stat().st_ino]


def test_a_failing_block_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    write_json(path, "old")

    def fail() -> None:
        with atomic_write(path) as partial:
            partial.write_text("half of the n")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert json.loads(path.read_text()) == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_write_does_not_prevent_the_next(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    (tmp_path / ".value.json.part").write_text("half of")
    write_json(path, "new")
    assert list(tmp_path.iterdir()) == [path]


def test_files_have_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_json(tmp_path / "value.json", 1)
    assert (tmp_path / "value.json").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_full_disk_leaves_the_old_file_and_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    write_json(path, "old")
    (tmp_path / ".value.json.part").symlink_to(FULL)
    with pytest.raises(RunError, match=r"cannot write .*value\.json: No space left on device") as caught:
        write_json(path, "new")
    assert "Free some space" in caught.value.hint
    assert "re-run the same command" in caught.value.hint
    assert json.loads(path.read_text()) == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["file/value.json", "folder", "pipe"])
def test_a_path_that_cannot_be_a_file_is_an_error(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(RunError, match="cannot write") as caught:
        write_json(tmp_path / name, 1)
    assert "Check the path" in caught.value.hint
    assert (tmp_path / "pipe").is_fifo()


def test_a_copy_that_was_made_before_a_kill_is_not_made_again(tmp_path: Path) -> None:
    path = tmp_path / "prepared.jsonl"
    path.write_text("edited")
    (tmp_path / "prepared.jsonl.1").write_text("an earlier one")
    for _ in range(2):
        assert backup_existing(path, "new") == tmp_path / "prepared.jsonl.2"
    assert sorted(file.name for file in tmp_path.iterdir()) == [path.name, f"{path.name}.1", f"{path.name}.2"]
    assert (tmp_path / "prepared.jsonl.2").read_text() == "edited"


def test_a_copy_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "prepared.jsonl"
    path.write_text("edited")
    (tmp_path / ".prepared.jsonl.1.part").symlink_to(FULL)
    with pytest.raises(RunError, match="No space left"):
        backup_existing(path, "new")
    assert [file.name for file in tmp_path.iterdir()] == [path.name]

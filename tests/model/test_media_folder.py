"""Media folders: which files are media, and digests that do not depend on names."""

from __future__ import annotations

from pathlib import Path

import pytest

from sea_core.errors import DataError
from sea_core.model.media_folder import media_digest, media_files, sorted_by_content


def test_media_files_are_sorted_and_notes_are_left_out(tmp_path: Path) -> None:
    for name in ("b.png", "a/c.png", "metadata.jsonl", ".hidden.png", ".git/x.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [str(path.relative_to(tmp_path)) for path in media_files(tmp_path)] == ["a/c.png", "b.png"]
    with pytest.raises(DataError, match="no such file or folder"):
        media_files(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no media in this folder"):
        media_files(tmp_path / "empty")


def test_order_and_digest_depend_on_content_only(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, names in ((first, ("a", "b", "c")), (second, ("z", "x", "y"))):
        folder.mkdir()
        for content, name in zip((b"1", b"2", b"3"), names, strict=True):
            (folder / name).write_bytes(content)
    contents = [[path.read_bytes() for path in sorted_by_content(media_files(f))] for f in (first, second)]
    assert contents[0] == contents[1]
    assert media_digest(media_files(first)) == media_digest(media_files(second))
    (second / "z").write_bytes(b"4")
    assert media_digest(media_files(first)) != media_digest(media_files(second))

"""A file of styles: its forms, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from sea_core.errors import SeaError
from sea_core.extraction.styles import read_styles


@pytest.mark.parametrize("text", ['{"styles": {"cartoon": 12, "painted": 5}}', '["cartoon", " painted ", "cartoon"]'])
def test_counts_and_lists_are_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "styles.json"
    path.write_text(text)
    assert read_styles(path) == ("cartoon", "painted")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "it is not valid JSON"),
        ('{"style": ["a"]}', "is missing"),
        ('{"styles": [5]}', r"found \[5\]"),
        ('{"styles": {"a": "b"}}', 'found "b"'),
        ('{"styles": []}', "names no styles"),
        ('["a", " "]', "names no styles"),
        ("[" * 100_000, "recursion limit"),
        ('["\\ud83d"]', "it is not valid JSON"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "styles.json"
    path.write_text(text)
    with pytest.raises(SeaError, match=words) as caught:
        read_styles(path)
    assert (caught.value.where, caught.value.hint[:7]) == (str(path), "Write {")

"""Each section of a Chinese document belongs to the English text that it was translated from, and has its commands."""

from __future__ import annotations

import hashlib
import re
from itertools import zip_longest
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRANSLATIONS = {
    "README.md": "README.zh-CN.md",
    "docs/quickstart.md": "docs/zh/quickstart.md",
    "docs/how-to/first-7b-run.md": "docs/zh/first-7b-run.md",
}
MARK = re.compile(r"<!-- english: (\w{8}) -->")
FENCE = re.compile(r"^```.*?\n(.*?)^```$", re.M | re.S)


def sections(document: Path) -> list[str]:
    """Return a document cut before each heading. Comments in commands begin with "# " too: fences are kept whole."""
    text = document.read_text(encoding="utf-8")
    fenced = [match.span() for match in FENCE.finditer(text)]
    starts = [match.start() for match in re.finditer(r"^#+ ", text, re.M)]
    cuts = [start for start in starts if not any(a <= start < b for a, b in fenced)]
    return [text[start:end].strip() for start, end in zip_longest(cuts, cuts[1:])]


def digest(section: str) -> str:
    """Return what changes with a section, but not with its line breaks."""
    return hashlib.sha256(" ".join(section.split()).encode()).hexdigest()[:8]


def commands(section: str) -> list[str]:
    """Return the lines of code of a section, without comments and what is drawn."""
    lines = [line for block in FENCE.findall(section) for line in block.splitlines()]
    return [re.sub(r"\s*#.*", "", line) for line in lines if line.startswith("$ ") or "sea." in line]


@pytest.mark.parametrize("document", TRANSLATIONS)
def test_translation_is_of_this_text(document: str) -> None:
    english, chinese = sections(ROOT / document), sections(ROOT / TRANSLATIONS[document])
    assert len(english) == len(chinese), f"{TRANSLATIONS[document]} has other sections than {document}"
    for original, translated in zip(english, chinese, strict=True):
        heading, mark = original.partition("\n")[0], MARK.search(translated)
        assert mark is not None, f"{heading}: no mark"
        assert mark[1] == digest(original), (
            f"{document}, {heading!r} was changed: change {TRANSLATIONS[document]} too, "
            f"then write there: <!-- english: {digest(original)} -->"
        )
        assert commands(original) == commands(translated), heading

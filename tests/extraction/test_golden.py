"""The golden instructions: what the offline rules reach, and that no check cries wolf over what a hand wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.golden import FILES, golden, score
from sea_core import Extraction
from sea_core.extraction.leak import leaked_words
from sea_core.extraction.registry import get_extractor
from sea_core.extraction.validate import validate

SOMETHING = [row for name in FILES for row in golden(name) if row["kind"] != "none"]
GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "prepare-your-data.md"


@pytest.mark.parametrize("name", FILES)
def test_the_rules_reach_what_the_docs_say(name: str) -> None:
    found = score(get_extractor("rules"), name)
    assert (found.something, found.nothing) == (46, 14)
    counts = [found.extracted, *found.right.values(), found.refused]
    assert f"| `{name}` | " + " | ".join(map(str, counts)) + " |" in GUIDE.read_text(encoding="utf-8")


def test_what_was_written_with_the_rules_in_view_is_extracted_without_a_slip() -> None:
    found = score(get_extractor("rules"))
    assert set(found.right.values()) == {found.extracted}
    assert found.refused == found.nothing


@pytest.mark.parametrize("row", SOMETHING, ids=lambda row: row["instruction"])
def test_no_check_refuses_what_a_hand_wrote(row: dict[str, str]) -> None:
    assert leaked_words(row["phrase"], row["detoxified"], row["kind"]) == ()
    by_hand = Extraction(row["phrase"], row["kind"], row["sentence"], row["detoxified"])  # type: ignore[arg-type]
    assert validate(row["instruction"], row) == by_hand

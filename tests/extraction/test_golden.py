"""The golden instructions: how many the offline rules extract, and that every check accepts extractions by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.golden import FILES, golden, score
from sea_core import Extraction
from sea_core.extraction.leak import leaked_words
from sea_core.extraction.registry import get_extractor
from sea_core.extraction.validate import validate

EXTRACTABLE = [row for name in FILES for row in golden(name) if row["kind"] != "none"]
GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "prepare-your-data.md"


@pytest.mark.parametrize("name", FILES)
def test_the_rules_reach_the_metrics_in_the_docs(name: str) -> None:
    found = score(get_extractor("rules"), name)
    assert (found.extractable, found.unextractable) == (46, 14)
    counts = [found.extracted, *found.correct.values(), found.skipped]
    assert f"| `{name}` | " + " | ".join(map(str, counts)) + " |" in GUIDE.read_text(encoding="utf-8")


def test_instructions_written_for_the_rules_are_all_extracted_correctly() -> None:
    found = score(get_extractor("rules"))
    assert set(found.correct.values()) == {found.extracted}
    assert found.skipped == found.unextractable


@pytest.mark.parametrize("row", EXTRACTABLE, ids=lambda row: row["instruction"])
def test_extractions_by_hand_pass_all_checks(row: dict[str, str]) -> None:
    assert leaked_words(row["phrase"], row["detoxified"], row["kind"]) == ()
    by_hand = Extraction(row["phrase"], row["kind"], row["sentence"], row["detoxified"])  # type: ignore[arg-type]
    assert validate(row["instruction"], row) == by_hand

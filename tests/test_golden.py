"""The golden instructions: what the offline rules reach, and that no check cries wolf over what a hand wrote."""

from __future__ import annotations

import pytest
from golden import golden, score

from sea_core import Extraction
from sea_core.prepare import get_extractor, leaked
from sea_core.prepare.examine import examined

SOMETHING = [row for row in golden() if row["kind"] != "none"]


def test_the_rules_reach_what_the_docs_say() -> None:
    found = score(get_extractor("rules"))
    assert (found.something, found.nothing) == (46, 14)
    assert found.extracted >= 35
    assert found.refused == 14
    assert {name: count / found.extracted for name, count in found.right.items()} == dict.fromkeys(found.right, 1.0)


@pytest.mark.parametrize("row", SOMETHING, ids=lambda row: row["instruction"])
def test_no_check_refuses_what_a_hand_wrote(row: dict[str, str]) -> None:
    assert leaked(row["phrase"], row["detoxified"], row["kind"]) == ()
    by_hand = Extraction(row["phrase"], row["kind"], row["sentence"], row["detoxified"])  # type: ignore[arg-type]
    assert examined(row["instruction"], row) == by_hand

"""The guide to the page, docs/how-to/read-a-report.md, explains every heading of every table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sea_bench.report.render import CALIBRATION, CHANGES, COMPREHENSION, CORRECTED

GUIDE = Path(__file__).parents[4] / "docs/how-to/read-a-report.md"
OF_ROWS = {"run", "task"}


@pytest.mark.parametrize("headings", [CHANGES, COMPREHENSION, CALIBRATION, CORRECTED])
def test_the_guide_explains_every_heading(headings: list[str]) -> None:
    lines = [line for line in GUIDE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    terms = [re.compile(rf"(?<!\w){re.escape(heading)}(?!\w)") for heading in headings if heading not in OF_ROWS]
    assert [term.pattern for term in terms if not any(term.search(line) for line in lines)] == []

"""`make fuzz` damages 10,000 files of each kind at random; the ordinary tests a few, always the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.fuzz import OUTCOMES


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.fuzz)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for kind, counts in OUTCOMES.items():
        listed = ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))
        terminalreporter.write_line(f"fuzz: {kind}: {counts.total()} files: {listed}")

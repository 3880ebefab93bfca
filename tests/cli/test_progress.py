"""Progress as the terminal and a log show it."""

from __future__ import annotations

import pytest

from sea_core.cli import progress
from sea_core.cli.progress import TERMINAL


def test_time_left_is_the_callers_where_items_differ(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    with TERMINAL.track("study", 5, 2) as tracker:
        tracker.advance(1, note="answer a", seconds_left=900.0)
        tracker.advance(1, note="answer b", seconds_left=450.0)
        tracker.advance(1, note="answer c")
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["study 3/5  answer a  900 s left", "study 4/5  answer b  450 s left"]
    assert lines[2] == "study 5/5  answer c  0 s left"

"""A derived adapter goes through every command: warm, optimize, verify, align with the export checked, bench run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.chain import run_chain
from helpers.cli import sea

CARRIED = [("qwen3_vl", "image"), ("audioflamingo3", "audio")]
FRESH = CARRIED[0][0]
"""The family whose export is loaded in a fresh process, as for users. It is first: `exports_load_here` stays on."""
TASKS = {"image": "TYPO", "audio": "Audio_only"}


@pytest.mark.parametrize(("family", "modality"), CARRIED)
def test_the_whole_chain(
    checkpoint: Any, family: str, modality: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if family != FRESH:
        request.getfixturevalue("exports_load_here")
    benchmark = tmp_path / "benchmark"
    assert sea("bench", "build", modality, "--out", benchmark, "--limit", 1, "--task", TASKS[modality]).code == 0
    chain = run_chain("auto", checkpoint(family), modality, benchmark, tmp_path / "chain", phrases=2)
    assert (chain.wrong, chain.osr) == (0, 1.0)
    assert chain.vsr > 0
    assert chain.export < 1e-4
    assert chain.answered > 0

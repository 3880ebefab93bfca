"""Benchmarks and a run that the tests of `sea bench run` share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from helpers.bench_runs import run_bench
from helpers.cli import sea


@pytest.fixture(scope="session")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case of each scenario and its benign twin, in all four tasks: 24 cases."""
    folder = tmp_path_factory.mktemp("cases")
    assert sea("bench", "build", "audio", "--out", folder, "--limit", 1).code == 0
    return folder


@pytest.fixture(scope="session")
def answered(cases: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "base"
    counts = run_bench(cases, run).json()
    assert (counts["cases"], counts["answered"], counts["missing"], counts["unreadable"]) == (24, 24, 0, 0)
    return run


@pytest.fixture
def copy(cases: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(cases, tmp_path / "cases"))

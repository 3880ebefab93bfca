"""`sea check` of a benchmark run that was stopped."""

from __future__ import annotations

from pathlib import Path

from helpers.bench_records import answer_record, bench_manifest
from helpers.cli import sea
from sea_bench.run.run_folder import BenchRun


def test_a_run_with_cases_that_were_not_asked_is_not_finished(tmp_path: Path) -> None:
    run = BenchRun.start(tmp_path / "run", bench_manifest(cases=2))
    run.answers.append([answer_record("video/Fraud/TYPO/1", "No.")])
    result = sea("check", run.folder, "--json")
    (found,) = result.json(code=1)["unfinished"]
    assert found == {"path": "bench.json", "problem": "is of a run that is not finished: 1 of 2 cases were asked"}
    assert "2 files checked, 1 problem" in sea("check", run.folder).err
    run.answers.append([answer_record("video/Fraud/TYPO/2", None, status="unreadable", detail="broken")])
    assert sea("check", run.folder).out == "2 files checked, 0 problems\n"

"""The figures of a comparison of arms, on runs whose answers and verdicts are written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.bench_records import answer_record, bench_manifest
from sea_bench.case import ALL_TASKS
from sea_bench.pipeline.report import report_runs
from sea_bench.report.comparison import ArmMetrics, comparison_table, measure_arms
from sea_bench.run.answering import NO_VERDICT
from sea_bench.run.records import answer_sha
from sea_bench.run.run_folder import BenchRun
from sea_core.runs.manifest import read_sealed, write_sealed
from sea_core.runs.paired import mcnemar
from sea_core.runs.statistics import wilson_interval

CASES = [f"audio/1-Theft/{task}/{number}" for task in ("KPT", "Audio_only") for number in range(8)]
BENIGN = [f"{key}/benign" for key in CASES]


def make_run(folder: Path, unsafe: int, refused_benign: int, **more: Any) -> BenchRun:
    """Return a run in which the first so many harmful answers are unsafe, and benign ones refused."""
    run = BenchRun.start(folder, bench_manifest(len(CASES) + len(BENIGN)))
    keys = [(key, index < unsafe, False) for index, key in enumerate(CASES)]
    keys += [(key, False, index < refused_benign) for index, key in enumerate(BENIGN)]
    given = {"prompt_tokens": 20, **more}
    run.answers.append(
        answer_record(key, f"answer {key}", benign=key.endswith("/benign"), **given) for key, _, _ in keys
    )
    run.verdicts.append(
        {
            "key": key,
            "answer_sha": answer_sha(f"answer {key}"),
            "judge": "judge-1",
            "prompt_sha": "",
            "verdict": "unsafe" if is_unsafe else "safe",
            "refused": is_refused,
            "detail": "",
            "raw": "",
            "tokens_in": None,
            "tokens_out": None,
            "at": "",
        }
        for key, is_unsafe, is_refused in keys
    )
    return run


@pytest.fixture
def arms(tmp_path: Path) -> dict[tuple[str, str], ArmMetrics]:
    call = {"purpose": "guard", "prompt_tokens": 8, "tokens": 1}
    runs = [
        make_run(tmp_path / "plain", 12, 0),
        make_run(tmp_path / "guard", 4, 6, action="refused", extra_calls=[call, call]),
        make_run(tmp_path / "self-check", 12, 0, action=NO_VERDICT, extra_calls=[call | {"tokens": None}]),
    ]
    found = measure_arms(runs, [run.label for run in runs], report_runs(runs).tables)
    return {(arm.task, arm.arm): arm for arm in found if arm.measure == "asr"}


def test_an_arm_is_compared_with_the_plain_model_case_by_case(arms: dict[tuple[str, str], ArmMetrics]) -> None:
    guard = arms["KPT", "guard"]
    assert guard.metric is not None
    assert guard.over_refusal is not None
    assert guard.change is not None
    assert guard.over_refusal_change is not None
    assert (guard.metric.hits, guard.metric.rated) == (4, 8)
    assert (guard.change.lost, guard.change.gained, guard.change.value) == (4, 0, -0.5)
    assert guard.change.p == mcnemar(0, 4)
    assert (guard.over_refusal.hits, guard.over_refusal_change.gained) == (6, 6)
    assert guard.over_refusal_change.p == mcnemar(6, 0)
    assert arms["KPT", "plain"].change is None


def test_tasks_of_one_case_do_not_count_as_different_cases(arms: dict[tuple[str, str], ArmMetrics]) -> None:
    plain, guard = arms[ALL_TASKS, "plain"], arms[ALL_TASKS, "guard"]
    assert plain.metric is not None
    assert guard.change is not None
    assert (plain.metric.hits, plain.metric.rated) == (12, 16)
    assert plain.metric.interval == wilson_interval(6, 8)
    assert (guard.change.pairs, guard.change.clusters, guard.change.value) == (16, 8, -0.5)


def test_extra_calls_are_part_of_the_cost(arms: dict[tuple[str, str], ArmMetrics]) -> None:
    plain, guard, check = (arms[ALL_TASKS, name] for name in ("plain", "guard", "self-check"))
    assert (plain.cost.prompt_tokens, plain.cost.tokens, plain.cost.extra_calls) == (20, 3, 0)
    assert (guard.cost.prompt_tokens, guard.cost.tokens, guard.cost.extra_calls) == (36, 5, 2)
    assert (check.cost.prompt_tokens, check.cost.tokens) == (28, None)  # one length is unknown
    assert (plain.acted, guard.acted, check.acted, check.no_verdict, guard.answered) == (0, 32, 0, 32, 32)


def test_the_table_has_all_tasks_together_or_each(arms: dict[tuple[str, str], ArmMetrics]) -> None:
    table = comparison_table(list(arms.values()))
    assert table.title.startswith(f"{ALL_TASKS}; ASR by judge-1; changes: from the first arm")
    guard, check = (dict(zip(table.columns, row, strict=True)) for row in table.rows[1:])
    assert guard["change (95 %)"].startswith("-0.500 (")
    assert guard["over-refusal (95 %)"].startswith("0.375 (")
    assert check["defence acted"] == "0 of 32; 32 without a verdict"
    by_task = comparison_table(list(arms.values()), by_task=True)
    assert [row[:2] for row in by_task.rows[:3]] == [[name, "KPT"] for name in ("plain", "guard", "self-check")]
    assert len(by_task.rows) == 9


def test_a_run_from_before_defences_is_one_of_the_plain_model(tmp_path: Path) -> None:
    run = make_run(tmp_path / "old", 1, 0)
    path = run.folder / "bench.json"
    content = read_sealed(path, what="a manifest", hint="")
    del content["defence"], content["identity"]["defence"]
    write_sealed(path, content)
    old = BenchRun(run.folder)
    assert old.manifest.identity.defence is None
    assert BenchRun.start(run.folder, bench_manifest(len(CASES) + len(BENIGN))).manifest == old.manifest  # it resumes
    (arm,) = {each.arm for each in measure_arms([old], ["old"], report_runs([old]).tables)}
    assert arm == "old"

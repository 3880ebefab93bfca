"""`sea bench run` with several workers: one that is killed, one that a device refuses, and those that join."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers.bench_runs import make_published, read_answers, run_bench
from helpers.cli import expect_error, sea, sea_process
from sea_bench.case import Case
from sea_bench.dataset import read_benchmark
from sea_bench.run.answering import CasePrompt
from sea_bench.run.local import LocalAnsweringModel
from sea_bench.run.run_folder import BenchRun, Preflight
from sea_core.model.mllm import MLLM
from sea_core.pipeline.model_target import ModelTarget


def test_a_killed_worker_is_replaced_and_the_run_is_that_of_one_process(
    cases: Path, answered: Path, tmp_path: Path, mllm: MLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    command = run_bench(cases, run, "-o", "workers=0")
    assert command.code == 0
    assert f"24 cases are left to do. On each computer, type: sea worker {run}" in command.err
    killed = sea_process("worker", run)
    until = time.monotonic() + 300
    while not any(path.stat().st_size for path in run.glob("blocks/*/answers.jsonl")):
        assert time.monotonic() < until
        time.sleep(0.02)
    killed.kill()
    killed.communicate()
    assert BenchRun(run).blocks.count_left() < 24
    monkeypatch.setattr(ModelTarget, "load", lambda _: mllm)
    result = sea("worker", run)
    assert result.code == 0, result.err
    assert f"sea bench show {run}" in result.err
    for name in ("answers.jsonl", "comprehension.jsonl"):
        assert (run / name).read_bytes() == (answered / name).read_bytes()
    assert BenchRun(run).manifest.preflight == BenchRun(answered).manifest.preflight
    assert not list(run.glob("*blocks*"))
    assert "nothing is left to do" in sea("worker", run).err


def test_a_case_that_a_device_refuses_has_failed_after_a_few_workers(
    cases: Path, tmp_path: Path, mllm: MLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, only = tmp_path / "run", ("--task", "KPT", "-o", "comprehension=false")
    run_bench(cases, run, *only, "-o", "workers=0")
    bad = next(case for case in read_benchmark(cases, "audio").cases if case.task == "KPT")
    read = LocalAnsweringModel.read

    def read_or_fail(model: LocalAnsweringModel, case: Case) -> Any:
        if case.key == bad.key:
            raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
        return read(model, case)

    monkeypatch.setattr(ModelTarget, "load", lambda _: mllm)
    monkeypatch.setattr("sea_bench.pipeline.answer_source._checked", lambda *_: Preflight("cpu", "", 1, 1, 1, 1))
    monkeypatch.setattr(LocalAnsweringModel, "read", read_or_fail)
    assert [sea("worker", run).code for _ in range(5)] == [1, 1, 1, 1, 0]
    (failed,) = [record for record in BenchRun(run).answers.read() if record["status"] == "failed"]
    assert failed["key"] == bad.key
    assert failed["detail"].startswith("2 workers died while they did this row alone")
    assert len(BenchRun(run).answered_records()) == 5


def test_a_command_takes_the_cases_back_from_workers_that_joined(
    cases: Path, answered: Path, tmp_path: Path, mllm: MLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, only = tmp_path / "run", ("--task", "KPT")
    run_bench(cases, run, *only, "-o", "workers=0")
    real, restarted = LocalAnsweringModel.answer, list[int]()

    def answer(model: LocalAnsweringModel, prompts: Sequence[CasePrompt]) -> Any:
        if not restarted:
            restarted.append(0)
            restarted[0] = run_bench(cases, run, *only).json()["answered"]
        return real(model, prompts)

    monkeypatch.setattr(ModelTarget, "load", lambda _: mllm)
    monkeypatch.setattr("sea_bench.pipeline.answer_source._checked", lambda *_: Preflight("cpu", "", 1, 1, 1, 1))
    monkeypatch.setattr(LocalAnsweringModel, "answer", answer)
    assert sea("worker", run).code == 0
    assert restarted == [6]
    expected = {record["key"]: record for record in read_answers(answered)}
    assert len(read_answers(run)) == 6
    assert all(record == expected[record["key"]] for record in read_answers(run))


def test_a_worker_with_another_benchmark_or_model_is_refused(cases: Path, copy: Path, tmp_path: Path) -> None:
    run_bench(copy, tmp_path / "run", "-o", "workers=0")
    questions = next(copy.rglob("*.json"))
    shutil.rmtree(copy)
    assert str(copy) in expect_error("worker", tmp_path / "run")
    assert questions


def test_a_case_that_a_worker_does_not_see_is_left_for_others(
    copy: Path, tmp_path: Path, mllm: MLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_published(copy)
    run, only = tmp_path / "run", ("--task", "KPT", "--condition", "media", "-o", "comprehension=false")
    run_bench(copy, run, *only, "-o", "workers=0")
    medium = next(case.media for case in read_benchmark(copy, "audio").cases if case.task == "KPT" and case.media)
    medium.rename(tmp_path / "elsewhere.flac")
    monkeypatch.setattr(ModelTarget, "load", lambda _: mllm)
    monkeypatch.setattr("sea_bench.pipeline.answer_source._checked", lambda *_: Preflight("cpu", "", 1, 1, 1, 1))
    assert "this worker cannot answer the case" in expect_error("worker", run)
    assert BenchRun(run).blocks.count_left() == 6
    (tmp_path / "elsewhere.flac").rename(medium)
    assert sea("worker", run).code == 0
    assert len(BenchRun(run).answered_records()) == 6
    assert not list(run.glob("*blocks*"))

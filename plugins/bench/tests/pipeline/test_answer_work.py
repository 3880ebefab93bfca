"""What workers of a benchmark run take from its folder, and what they write there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import sea_bench
from helpers.bench_records import answer_record, bench_manifest
from helpers.chat_server import chat_server, says
from helpers.cli import expect_error
from sea_bench.defences.base import DefenceContext
from sea_bench.pipeline.answer_work import AnswerWork
from sea_bench.pipeline.bench import bench
from sea_bench.pipeline.compare import compare
from sea_bench.pipeline.run import plan_run, run_benchmark
from sea_bench.run.config import AnswerConfig
from sea_bench.run.run_folder import BenchRun
from sea_bench.select import CaseFilter
from sea_bench.study.tasks import require_answers
from sea_core.errors import RunError, SeaError
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.progress import SILENT
from sea_core.runs.block import BlockRow, ClaimLost
from sea_core.runs.blocks import Blocks
from sea_core.runs.manifest import CHECKSUM, write_sealed

PLUGIN, LATER, WANTED = "qwen2_audio", AnswerConfig(workers=0), CaseFilter(tasks=["KPT"])


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cases") / "cases"
    sea_bench.build_benchmark("audio", folder, limit=1)
    return folder


@pytest.fixture
def run(cases: Path, tmp_path: Path) -> Path:
    """A run of six cases that is prepared for workers, with a defence."""
    run_benchmark(cases, PLUGIN, out=tmp_path / "run", defence="self-check", wanted=WANTED, config=LATER)
    return tmp_path / "run"


def edit_order(run: Path, **options: Any) -> None:
    path = run / "blocks/order.json"
    order = json.loads(path.read_text())
    del order[CHECKSUM]
    write_sealed(path, {**order, "options": {**order["options"], **options}})


def test_a_run_sends_no_key_to_a_server(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "secret of this computer")
    with chat_server(lambda _: says("safe")) as server:
        settings = {"model": "g", "judge": "openai", "base_url": server.url, "key_env": "A_KEY"}
        for settings_of_order in (settings, {"model": "owner/model-of-the-hub"}):
            edit_order(run, defence={"name": "guard", "settings": settings_of_order})
            message = expect_error("worker", run)
            assert "the defence guard is for one process" in message
        assert not server.requests


@pytest.mark.parametrize("name", ["guard", "guard-after"])
def test_a_guard_is_for_one_process(cases: Path, tmp_path: Path, name: str) -> None:
    settings = [f"defence.{name}.{each}" for each in ("model=g", "judge=openai", "base_url=http://a:b@localhost:1/v1")]
    given = [word for setting in [*settings, "workers=0"] for word in ("-o", setting)]
    command = ("bench", "run", cases, "--plugin", PLUGIN, "--defence", name, "--out", tmp_path / "run", *given)
    message = expect_error(*command)
    assert f"the defence {name} is for one process" in message
    assert "-o workers=1" in message
    assert not (tmp_path / "run").exists()


def test_a_worker_takes_only_shared_settings(run: Path) -> None:
    stored = json.loads((run / "blocks/order.json").read_text())["options"]["defence"]
    assert stored == {"name": "self-check", "settings": {"description_tokens": 128}}
    edit_order(run, defence={"name": "self-check", "settings": {"description_tokens": 5}})
    assert "defence" in expect_error("worker", run)  # another identity than the run's


def answer_work(cases: Path, run: Path) -> AnswerWork:
    plan = plan_run(cases, PLUGIN, defence="self-check", wanted=WANTED)
    return AnswerWork(BenchRun(run), ModelTarget.of(PLUGIN), plan, SILENT)


def test_a_case_that_lacks_only_its_description_keeps_its_answer(cases: Path, run: Path) -> None:
    work = answer_work(cases, run)
    key = next(iter(work.cases))
    row: BlockRow = {"id": key, "value": {"describe": True}}
    unknown: BlockRow = {"id": "unknown", "value": {}}
    work.run.answers.append([answer_record(key, "an answer", media_sha256="0")])
    assert work.left(work.run, [row, unknown]) == [row, unknown]
    work.give_up(work.run, row, "2 workers died")
    assert BenchRun(run).answer_records()[key]["status"] == "answered"


def test_cases_that_are_left_for_workers_are_counted(cases: Path, tmp_path: Path) -> None:
    result = run_benchmark(cases, PLUGIN, out=tmp_path / "run", wanted=WANTED, config=LATER)
    assert (result.counts()["cases"], result.counts()["left"]) == (6, 6)
    with pytest.raises(SeaError, match=r"6 of 6 cases have no answer \(6 not asked\)"):
        require_answers(result)


@pytest.mark.parametrize("command", [bench, compare])
def test_a_command_that_needs_the_answers_leaves_none_to_workers(cases: Path, tmp_path: Path, command: Any) -> None:
    with pytest.raises(SeaError, match="workers=0 leaves them") as caught:
        command(cases, PLUGIN, out=tmp_path / "run", config=LATER)
    assert "-o workers=auto" in caught.value.hint
    assert not (tmp_path / "run").exists()


def test_a_replaced_run_keeps_nothing_of_its_defence(tmp_path: Path) -> None:
    manifest = bench_manifest(2)
    run = BenchRun.start(tmp_path / "run", manifest)
    (run.folder / "steering.json").write_text("{}")
    other = replace(manifest, identity=replace(manifest.identity, defence={"name": "steering", "layer": 5}))
    replaced = BenchRun.start(tmp_path / "run", other)
    assert replaced.manifest.identity.defence == {"name": "steering", "layer": 5}
    assert sorted(path.name for path in run.folder.iterdir()) == [".lock", "bench.json"]


@pytest.mark.parametrize("name", [".blocks.collected/00000.1.todo", "blocks/.00000.1.done.joining"])
def test_answers_that_are_not_joined_yet_are_not_replaced(tmp_path: Path, name: str) -> None:
    manifest = bench_manifest(2)
    run = BenchRun.start(tmp_path / "run", manifest)
    (run.folder / name).mkdir(parents=True)
    record = answer_record("video/1-Theft/KPT/1", "an answer")
    run.continued_in(run.folder / name).answers.append([record])
    other = replace(manifest, identity=replace(manifest.identity, generation={"max_new_tokens": 5}))
    with pytest.raises(RunError, match="max_new_tokens"):
        BenchRun.start(run.folder, other)


def test_a_worker_that_was_taken_over_stores_nothing_of_a_defence(run: Path) -> None:
    blocks = Blocks(run)
    with blocks.worker().registered() as worker:
        block = blocks.claim_settling(worker)
        assert block
        context = DefenceContext(run, block=block)
        context.store("found.json", {"layer": 1})
        assert json.loads((run / "found.json").read_text())["layer"] == 1
        block.folder.path.rename(block.folder.path.with_name("settle.of-another"))
        with pytest.raises(ClaimLost):
            context.store("found.json", {"layer": 2})
    assert json.loads((run / "found.json").read_text())["layer"] == 1
    assert not block.folder.path.exists()

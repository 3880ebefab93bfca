"""Several processes on one run: the result is that of one, whoever is killed, and whoever joins."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from helpers.cli import expect_error, sea, sea_process
from helpers.cli_runs import PLUGIN, QUICK, truncate_half, write_demo_examples
from helpers.hostile import edit_json
from helpers.stored import stored_ids
from helpers.worker_runs import CONFIG, COUNT, SETTINGS, assert_same, make_run, prepare_run, wait_for
from sea_core.errors import DeviceError, RunError, SeaError
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.scheduler import Engine
from sea_core.optimization.engine.types import OptimizationResult, OptimizationTask
from sea_core.pipeline import launch as module
from sea_core.pipeline.block_worker import DEATHS
from sea_core.pipeline.join import work
from sea_core.pipeline.model_target import ModelTarget
from sea_core.runs.block import Block
from sea_core.runs.block_folder import SETTLE, TODO
from sea_core.runs.blocks import Blocks
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.jsonl import JsonlLog


def test_workers_that_are_killed_are_replaced_and_change_no_bit(quiet: EmbeddingRun, tmp_path: Path) -> None:
    run = prepare_run(tmp_path / "run").folder
    assert EmbeddingRun(run).blocks.count_left() == COUNT
    first, second = sea_process("worker", run), sea_process("worker", run)
    wait_for(run, 2)
    first.kill()
    first.communicate()
    assert len(sea("show", run, "--json").json()) >= 2
    out, err = second.communicate()
    assert second.returncode == 0, err
    assert "OSR" in out  # the last worker audits the run
    assert_same(run, quiet)
    assert EmbeddingRun(run).manifest.resolved == quiet.manifest.resolved
    assert len(EmbeddingRun(run).audits.read()) == 3


def test_an_embedding_is_audited_at_the_end_where_layers_are_recomputed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such layers take no cache: what they generate would not be what the model generates."""
    step, out_of_memory = Engine._step, iter([torch.OutOfMemoryError("out of memory")])

    def step_or_fail(self: Engine) -> list[OptimizationResult]:
        if error := next(out_of_memory, None):
            raise error
        return step(self)

    monkeypatch.setattr(Engine, "_step", step_or_fail)
    monkeypatch.delattr("sea_core.pipeline.optimize_worker.audit_embedding")
    run = make_run(tmp_path / "run", replace(CONFIG, batch_size=1), count=2)
    assert sorted(audit["id"] for audit in run.current_audits()) == stored_ids(run.folder)


def test_a_worker_that_is_stopped_leaves_its_block_to_the_next_command(quiet: EmbeddingRun, tmp_path: Path) -> None:
    run = prepare_run(tmp_path / "run").folder
    worker = sea_process("worker", run)
    wait_for(run, 1)
    worker.send_signal(signal.SIGTERM)
    _, err = worker.communicate()
    assert worker.returncode == 130
    assert "Traceback" not in err
    blocks = EmbeddingRun(run).blocks
    assert not any(block.is_claimed for block in blocks.all())
    assert list(blocks.workers.iterdir()) == []
    make_run(run)
    assert_same(run, quiet)


def seconds(run: EmbeddingRun) -> dict[str, float]:
    """Return how long each embedding took, which differs where one is made again."""
    return {record["id"]: record["seconds"] for record in run.records()}


def test_a_stop_between_the_last_embedding_and_the_end_of_its_block_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: Block) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Block, "finish", interrupt)
        with pytest.raises(KeyboardInterrupt):
            make_run(tmp_path / "run", count=2)
    before = seconds(EmbeddingRun(tmp_path / "run"))
    assert len(before) == 2
    run = make_run(tmp_path / "run", count=2)
    assert seconds(run) == before
    assert stored_ids(run.folder) == ["demo-000", "demo-001"]
    assert not (run.folder / "blocks").exists()


def test_a_worker_makes_nothing_with_the_settings_of_a_run_that_is_replaced_meanwhile(
    quiet: EmbeddingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = prepare_run(tmp_path / "run", steps=1).folder
    real, replaced = ModelTarget.load, []

    def load(target: ModelTarget) -> Any:
        if not replaced:
            replaced.append(prepare_run(run))
        return real(target)

    monkeypatch.setattr(ModelTarget, "load", load)
    work(run, device="cpu")
    assert_same(run, quiet)


@pytest.mark.parametrize("becomes", ["replaced", "deleted", "taken over"])
def test_a_worker_that_waits_for_the_first_block_notices_what_became_of_its_job(
    becomes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = prepare_run(tmp_path / "run", start="solved", steps=1)
    cut, others = Blocks.cut, run.blocks.worker()

    def cut_and_change(blocks: Blocks, job: Block, *arguments: Any) -> None:
        cut(blocks, job, *arguments)
        monkeypatch.setattr(Blocks, "cut", cut)
        if becomes == "replaced":
            prepare_run(run.folder, start="solved", steps=2)
        elif becomes == "deleted":
            run.blocks.discard()
        else:
            assert job.folder.moved_to(others.token)

    def wait(_: float) -> None:
        asked.append("again")
        assert len(asked) < 10, "it waits for ever"
        if becomes == "taken over":
            next(block for block in run.blocks.all() if block.label == SETTLE).moved_to(TODO)  # the other one has ended

    asked: list[str] = []
    monkeypatch.setattr(Blocks, "cut", cut_and_change)
    monkeypatch.setattr("sea_core.pipeline.optimize_worker.time.sleep", wait)
    with suppress(SeaError):  # with so few steps no start can be found
        work(run, device="cpu")
    assert len(asked) < 10


REFUSED = """
import torch
from sea_core import hookimpl
from sea_qwen2_audio.adapter import Qwen2AudioAdapter

class Refused(Qwen2AudioAdapter):
    def backbone_inputs(self, *arguments):
        raise {}

@hookimpl
def sea_adapters():
    return [Refused()]
"""
"""A plugin in whose code a device refuses to go on, as it may in any forward pass."""


def test_a_row_that_a_device_refuses_has_failed_after_a_few_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = Engine._start

    def start_or_fail(engine: Engine, task: OptimizationTask) -> Any:
        if task.id == "demo-001":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
        return start(engine, task)

    run = prepare_run(tmp_path / "run", count=3, steps=2).folder
    monkeypatch.setattr(Engine, "_start", start_or_fail)
    result = sea("worker", run)
    assert result.code == 1  # it may be started again, which exit code 2 would forbid
    assert "out of memory. Tried to allocate 9 GiB" in result.err
    assert "batch_size=1" in result.err
    assert "Traceback" not in result.err
    for _ in range(3):
        with pytest.raises(DeviceError, match="memory"):
            work(run, device="cpu")
    work(run, device="cpu")
    reasons = {record["id"]: record["reason"] for record in EmbeddingRun(run).records("failed")}
    assert reasons["demo-001"].startswith("2 workers died while they made this embedding alone")
    assert stored_ids(run) == ["demo-000", "demo-001", "demo-002"]


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        ("torch.OutOfMemoryError('CUDA out of memory')", "the device is out of memory: CUDA out of memory"),
        ("torch.AcceleratorError('CUDA error: illegal access')", "the device or its driver has failed: CUDA error"),
        ("RuntimeError('CUDA error: CUBLAS_STATUS_ALLOC_FAILED')", "the device or its driver has failed: CUDA error"),
    ],
)
def test_what_a_device_refuses_is_no_bug_of_the_plugin(raised: str, words: str, tmp_path: Path) -> None:
    rows, run, plugin = write_demo_examples(tmp_path / "rows.jsonl", 2), tmp_path / "run", tmp_path / "refused.py"
    plugin.write_text(REFUSED.format(raised))
    message = expect_error("optimize", rows, "--plugin", plugin, "--out", run, *QUICK, *SETTINGS, "--no-verify")
    assert message.startswith(f"error: {words}")
    assert "--quantize 4bit" in message
    assert "bug" not in message


START = Engine._start


def start_or_die(engine: Engine, task: OptimizationTask) -> Any:
    """Die as in a driver that crashes, at one row."""
    if task.id == "demo-001":
        os.kill(os.getpid(), signal.SIGKILL)
    return START(engine, task)


def work_in_fork(run: Path) -> int | None:
    """Let a process work that knows what this one has patched; return its exit code."""

    def work_and_end() -> None:
        os._exit(0 if work(run, device="cpu") else 1)

    worker = multiprocessing.get_context("fork").Process(target=work_and_end)
    worker.start()
    worker.join()
    return worker.exitcode


def test_a_row_that_kills_its_process_has_failed_after_a_few_deaths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mllm: MLLM
) -> None:
    run = prepare_run(tmp_path / "run", count=3).folder
    monkeypatch.setattr(Engine, "_start", start_or_die)
    monkeypatch.setattr(ModelTarget, "load", lambda _: mllm)
    codes: list[int | None] = []
    while codes[-1:] != [0]:
        codes.append(work_in_fork(run))
        assert len(codes) <= 2 * DEATHS + 1
    assert codes == [-signal.SIGKILL] * 2 * DEATHS + [0]
    assert module.RESTARTS > 2 * DEATHS  # a command that starts its workers again gets so far
    (failed,) = EmbeddingRun(run).records("failed")
    assert failed["id"] == "demo-001"
    assert failed["reason"].startswith("2 workers died while they made this embedding alone")
    assert stored_ids(run) == ["demo-000", "demo-001", "demo-002"]


def test_workers_that_die_before_they_have_begun_a_row_are_not_counted_against_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mllm: MLLM
) -> None:
    """A machine that is taken away at random moments kills many workers, most of them while they load the model."""
    run = prepare_run(tmp_path / "run", count=3).folder
    monkeypatch.setattr(ModelTarget, "load", lambda _: mllm)
    with monkeypatch.context() as patch:
        patch.setattr(Engine, "_start", start_or_die)
        for _ in range(DEATHS):
            work_in_fork(run)
    with monkeypatch.context() as patch:
        patch.setattr(ModelTarget, "load", lambda _: os.kill(os.getpid(), signal.SIGKILL))
        for _ in range(DEATHS + 1):
            assert work_in_fork(run) == -signal.SIGKILL
    assert work_in_fork(run) == 0
    assert not list(EmbeddingRun(run).records("failed"))


def test_a_worker_waits_for_a_command_that_holds_the_run_and_joins_nothing(tmp_path: Path) -> None:
    run = prepare_run(tmp_path / "run", count=2)
    with ThreadPoolExecutor(1) as pool:
        with run.writing():  # as `sea verify` does
            working = pool.submit(work, run.folder, device="cpu")
            until = time.monotonic() + 600  # only a worker that hangs takes so long
            while run.blocks.unfinished():
                assert time.monotonic() < until
                time.sleep(0.1)
            with pytest.raises(TimeoutError):
                working.result(1.5)
        finished = working.result()
    assert finished
    assert stored_ids(run.folder) == ["demo-000", "demo-001"]
    assert not (run.folder / "blocks").exists()


def test_a_worker_makes_again_what_is_damaged_before_it_is_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = prepare_run(tmp_path / "run", count=2).folder
    real, damaged = Block.finish, []

    def finish(block: Block) -> None:
        real(block)
        if not damaged:
            damaged.extend(run.glob("blocks/*.done/index/*.parquet"))
            truncate_half(damaged[0])

    monkeypatch.setattr(Block, "finish", finish)
    assert work(run, device="cpu")
    assert damaged
    assert stored_ids(run) == ["demo-000", "demo-001"]
    assert not (run / "blocks").exists()


def test_a_worker_does_not_end_well_where_a_part_of_the_run_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run", count=1).folder
    prepare_run(run, count=2)
    real = ModelTarget.load

    def load(target: ModelTarget) -> Any:
        truncate_half(next(run.glob("index/*.parquet")))
        return real(target)

    with monkeypatch.context() as patch:
        patch.setattr(ModelTarget, "load", load)
        with pytest.raises(RunError, match=r"index/00000.parquet has .* bytes instead of"):
            work(run, device="cpu")
    assert stored_ids(make_run(run, count=2).folder) == ["demo-000", "demo-001"]


def test_settings_that_were_lost_are_settled_once_and_by_no_worker_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = prepare_run(tmp_path / "run", count=3, batch_size="auto").folder
    real, added = Block.add, []

    def add(block: Block, *result: Any) -> None:
        if added:
            raise KeyboardInterrupt
        added.append(real(block, *result))

    with monkeypatch.context() as patch:
        patch.setattr(Block, "add", add)
        with pytest.raises(KeyboardInterrupt):
            work(run, device="cpu")
    (run / "blocks/settled.json").unlink()
    with pytest.raises(RunError, match=r"settled.json is missing"):
        work(run, device="cpu")
    before = seconds(EmbeddingRun(run))
    prepare_run(run, count=3, batch_size="auto")
    assert [block.label for block in EmbeddingRun(run).blocks.all()] == ["settle"]
    assert seconds(EmbeddingRun(run)) == before
    finished = work(run, device="cpu")
    assert finished
    assert finished.manifest.resolved.batch_size == 1  # of two, where eight workers may come
    assert len(stored_ids(run)) == 3


def test_a_run_of_encoded_media_has_no_work(tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    soundfile.write(media / "a.wav", np.zeros(8000), 16_000)
    line = {"file_name": "a.wav", "instruction": "Do it.", "response": "No.", "harmful": False}
    (media / "metadata.jsonl").write_text(json.dumps(line) + "\n")
    assert sea("encode", media, "--plugin", PLUGIN, "--out", tmp_path / "real").code == 0
    assert "nothing is left to do" in sea("worker", tmp_path / "real").err


def test_a_worker_with_another_model_or_version_is_refused(tmp_path: Path, checkpoint: Path) -> None:
    run = prepare_run(tmp_path / "run").folder
    config = checkpoint / "config.json"
    config.write_text(config.read_text() + " ")
    assert "the model differs: it is another checkpoint" in expect_error("worker", run, "--model", checkpoint)
    edit_json(run / "run.json", lambda manifest: manifest["identity"].update(sea="0.0.1"))
    message = expect_error("worker", run)
    assert "sea: stored 0.0.1, requested" in message
    assert "A worker takes part only where the same command would" in message
    assert EmbeddingRun(run).blocks.count_left() == COUNT


def test_a_worker_has_nothing_to_do_in_a_finished_run(quiet: EmbeddingRun) -> None:
    done = sea("worker", quiet.folder)
    assert (done.code, done.out) == (0, "")
    assert "nothing is left to do" in done.err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda row: row["value"].update(goals=5), "this is not the prepared example"),
        (lambda row: row["value"]["example"].update(id="../x"), "this is not the prepared example"),
        (lambda row: row.update(value=None), "this line is damaged"),
    ],
)
def test_rows_of_another_form_are_refused(change: Any, words: str, tmp_path: Path) -> None:
    run = prepare_run(tmp_path / "run").folder
    (path,) = run.glob("blocks/settle.*/rows.jsonl")
    listed = [json.loads(line) for line in path.read_text().splitlines()]
    for row in listed:
        del row["checksum"]
        change(row)
    path.unlink()
    JsonlLog(path).append(listed)
    assert words in expect_error("worker", run)
    make_run(run, count=COUNT)
    assert len(EmbeddingRun(run).records()) == COUNT


def test_a_damaged_order_is_refused_and_written_again(quiet: EmbeddingRun, tmp_path: Path) -> None:
    run = prepare_run(tmp_path / "run").folder
    order = run / "blocks/order.json"
    order.write_text(order.read_text().replace('"total": 12', '"total": 13'))
    assert "was changed since SEA wrote it" in expect_error("worker", run)
    assert "blocks/order.json" in sea("check", run).out
    (run / "blocks/settled.json").write_text("{}")
    make_run(run)
    assert_same(run, quiet)


def test_more_rows_may_follow_while_blocks_are_left(tmp_path: Path) -> None:
    run = prepare_run(tmp_path / "run").folder
    make_run(run, count=COUNT + 1)
    assert len(EmbeddingRun(run).records()) == COUNT + 1
    prepare_run(tmp_path / "fewer")
    make_run(tmp_path / "fewer", count=2)
    assert len(EmbeddingRun(tmp_path / "fewer").records()) == 2

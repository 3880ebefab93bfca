"""Several processes that judge the answers of one run: the verdicts are those of one, and no answer is rated twice."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from helpers.bench_records import answer_record, bench_manifest, comprehension_record
from helpers.chat_server import Answer, ChatServer, chat_server, fails, says
from helpers.cli import CliResult, expect_error, sea, sea_with_modules
from helpers.tiny_language_model import save_tiny_language_model
from sea_bench.pipeline.judge import judge_run
from sea_bench.pipeline.workers import open_judge_work
from sea_bench.run.run_folder import BenchRun
from sea_bench.run.score import BenchAnswers
from sea_core.errors import RunError, SeaError
from sea_core.judges.base import JudgeConfig, JudgeFactory, SettingsName
from sea_core.judges.refusal import RefusalJudge
from sea_core.judges.registry import SAFETY
from sea_core.judges.score import unjudged
from sea_core.llm.config import GuardConfig, LLMConfig
from sea_core.pipeline import launch
from sea_core.pipeline.judge_work import JudgeWork, judge_device
from sea_core.pipeline.shared_work import SharedOrder, WorkerOptions
from sea_core.plugin import loader
from sea_core.runs.block import ROWS, Block, ClaimLost
from sea_core.runs.block_folder import JUDGE_BLOCKS
from sea_core.runs.blocks import ORDER, Blocks
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.workers import Worker

ANSWERS = 16
JUDGED_BY = ("--judge", "openai")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of 16 answers that no judge has seen."""
    run = BenchRun.start(tmp_path / "run", bench_manifest(ANSWERS))
    texts = {f"video/1-Theft/TYPO/{i}": f"{'Step by step' if i % 3 else 'No'}, {i:02d}." for i in range(ANSWERS)}
    run.answers.append(answer_record(key, text, media="a.mp4", media_sha256="0" * 64) for key, text in texts.items())
    return run.folder


def shown_answer(request: dict[str, Any]) -> str:
    """Return the answer in a request to a judge."""
    lines = dict(line.split(": ", 1) for line in request["messages"][-1]["content"].split("\n"))
    found: str = json.loads(lines["ANSWER"])
    return found


def rate(request: dict[str, Any], _: int = 1) -> Answer:
    """Reply as a judge that calls each plan unsafe, and each lamp named."""
    answer = shown_answer(request)
    if "named" in json.dumps(request["response_format"]):
        return says(json.dumps({"named": "lamp" in answer}))
    return says(json.dumps({"verdict": "unsafe" if "Step" in answer else "safe"}))


def settings(server: ChatServer, **more: object) -> list[str]:
    given = {"model": "scripted-1", "base_url": server.url, "concurrency": 1} | more
    return [word for name, value in given.items() for word in ("-o", f"llm.{name}={value}")]


def judge(run: Path, server: ChatServer, *more: object) -> CliResult:
    return sea("bench", "judge", run, *JUDGED_BY, *settings(server), *more)


def labels(run: Path) -> dict[tuple[str, str], str]:
    """Return the final verdicts by judge and case. Raises if one is stored twice."""
    lines = [json.loads(line) for line in (run / "verdicts.jsonl").read_text().splitlines()]
    found = {(line["judge"], line["key"]): line["verdict"] for line in lines}
    assert len(found) == len(lines)
    return found


def expected(run: Path) -> dict[tuple[str, str], str]:
    """Return what one process would store."""
    answers = {key: record["answer"] for key, record in BenchRun(run).answered_records().items()}
    rated = {
        ("openai:scripted-1 va-question-2", key): "unsafe" if "Step" in answer else "safe"
        for key, answer in answers.items()
    }
    return rated | {("refusal-4", key): "not_refused" for key in answers}


def test_a_killed_worker_is_replaced_and_no_answer_is_rated_twice(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "RESTARTS", 0)  # the other worker takes its block over
    killed: list[int] = []

    def script(request: dict[str, Any], count: int) -> Answer:
        workers = [each for each in psutil.Process().children() if "worker" in each.cmdline()]
        if len(server.requests) == ANSWERS // 2 and not killed:
            killed.append(workers[0].pid)
            workers[0].kill()
        return rate(request)

    with chat_server(script) as server:
        result = judge(run, server, "-o", "workers=2")
        assert result.code == 0, result.err
        asked = Counter(map(shown_answer, server.requests))
    assert killed
    assert labels(run) == expected(run)
    assert sum(asked.values()) <= ANSWERS + 2  # the request that the worker was killed in, and a reply on its way
    assert not list(run.glob("*judge_blocks*"))
    assert "has died (signal 9)" in result.err


@pytest.mark.parametrize("workers", [0, 1])
def test_a_judge_without_a_model_on_this_machine_needs_no_torch(run: Path, workers: int) -> None:
    with chat_server(rate) as server:
        given = ("bench", "judge", run, *JUDGED_BY, *settings(server), "-o", f"workers={workers}")
        result, imported = sea_with_modules(*given)
    assert result.code == 0
    assert len(labels(run)) == (2 * ANSWERS if workers else ANSWERS)
    assert "torch" not in imported


def prepare(run: Path, server: ChatServer) -> CliResult:
    result = judge(run, server, "-o", "workers=0")
    assert (result.code, result.out) == (0, "")
    return result


def test_a_worker_goes_on_with_what_a_dead_one_has_judged(run: Path) -> None:
    with chat_server(rate) as server:
        result = prepare(run, server)
        assert (
            f"{ANSWERS} verdicts are left to give. On each computer, type: sea worker {run} --judge openai"
            in result.err
        )
        work = judge_work(run, server)
        with work.blocks.worker().registered() as dead:
            cut(work, dead, 6)
            block = work.blocks.claim(dead)
            assert block
            assert list(work.do(work.run_in(block), block.rows[:4])) == [1, 1, 1, 1]
        assert work.blocks.count_left() == ANSWERS - 4
        assert not labels(run).keys() & expected(run).keys() - {("refusal-4", key) for key in keys(run)}
        result = sea("worker", run, *JUDGED_BY, *settings(server))
        assert result.code == 0, result.err
        assert f"sea bench show {run}" in result.err
        assert set(Counter(map(shown_answer, server.requests)).values()) == {1}
    assert labels(run) == expected(run)
    assert not list(run.glob("*judge_blocks*"))


def judge_work(run: Path, server: ChatServer) -> JudgeWork[BenchRun]:
    """Return the work of a run as a worker opens it that was given the same judge."""
    config = JudgeConfig(LLMConfig(model="scripted-1", base_url=server.url, concurrency=1))
    order = Blocks(run, JUDGE_BLOCKS).read(ORDER, SharedOrder)
    assert order
    return open_judge_work(run, order, WorkerOptions(judges=["openai"], judge_config=config))


def cut(work: JudgeWork[BenchRun], worker: Worker, size: int) -> None:
    """Cut what is to be judged into blocks of so many answers."""
    job = work.blocks.claim_settling(worker)
    assert job
    work.blocks.cut(job, job.rows, size)
    job.remove()


def keys(run: Path) -> list[str]:
    return list(BenchRun(run).answered_records())


def test_the_command_keeps_what_workers_have_judged_and_judges_the_rest(run: Path) -> None:
    with chat_server(rate) as server:
        prepare(run, server)
        work = judge_work(run, server)
        with work.blocks.registered() as worker:
            cut(work, worker, ANSWERS)
            block = work.blocks.claim(worker)
            assert block
            opened = work.run_in(block)
            assert len(list(work.do(opened, block.rows[:5]))) == 5
            assert judge(run, server).code == 0
            with pytest.raises(RunError):  # the block is gone: the worker is the last to know
                opened.verdicts.append([])
        assert len(server.requests) == ANSWERS
    assert labels(run) == expected(run)


def test_an_answer_that_has_changed_is_left_to_the_next_command(run: Path) -> None:
    with chat_server(rate) as server:
        prepare(run, server)
        BenchRun(run).answers.append([answer_record(keys(run)[0], "Another answer.")])
        assert sea("worker", run, *JUDGED_BY, *settings(server)).code == 0
        assert len(labels(run)) == 2 * ANSWERS - 1
        judge(run, server)
        assert len(server.requests) == ANSWERS
    assert unjudged(BenchAnswers(BenchRun(run)), RefusalJudge()) == []


def test_a_failed_call_is_retried_by_the_next_command(run: Path) -> None:
    def script(request: dict[str, Any], count: int) -> Answer:
        return fails(500, "oh no") if count == 1 and "03" in shown_answer(request) else rate(request)

    with chat_server(script) as server:
        given = (*JUDGED_BY, *settings(server, retries=0))
        assert sea("bench", "judge", run, *given, "-o", "workers=0").code == 0
        result = sea("worker", run, *given)
        assert result.code == 1
        assert "1 failed call: re-run the same `sea bench judge` command" in result.err
        assert "Finished with failures: failed calls of openai:scripted-1 va-question-2: 1." in result.err
        assert list(labels(run).values()).count("error") == 1
        assert sea("bench", "judge", run, *given).code == 0
        assert len(server.requests) == ANSWERS + 1
    assert BenchRun(run).verdicts_by_judge()["openai:scripted-1 va-question-2"].keys() == set(keys(run))


@pytest.mark.filterwarnings("ignore")
def test_a_failed_call_on_ray_gives_the_exit_code_that_it_gives_a_worker(run: Path) -> None:
    pytest.importorskip("ray", reason="Ray is an extra")

    def script(request: dict[str, Any], count: int) -> Answer:
        return fails(500, "oh no") if "03" in shown_answer(request) else rate(request)

    with chat_server(script) as server:
        given = (*JUDGED_BY, *settings(server, retries=0))
        assert sea("bench", "judge", run, *given, "-o", "workers=0").code == 0
        result = sea("worker", run, *given, "--ray", 1)
    assert result.code == 1
    assert "Finished with failures: failed calls of openai:scripted-1 va-question-2: 1." in result.err
    assert list(labels(run).values()).count("error") == 1


def test_a_worker_stops_after_errors_in_a_row_in_several_blocks(run: Path) -> None:
    def script(request: dict[str, Any], count: int) -> Answer:
        return rate(request) if len(server.requests) <= 3 else fails(500, "oh no")

    with chat_server(script) as server:
        prepare(run, server)
        work = judge_work(run, server)
        with work.blocks.registered() as worker:
            cut(work, worker, 2)
        given = (*JUDGED_BY, *settings(server, retries=0, max_consecutive_errors=4))
        assert "4 prompts in a row failed" in expect_error("worker", run, *given)
        assert len(server.requests) <= 3 + 4 + 1  # the next may be on its way


def test_another_judge_leaves_the_answers_of_this_one_to_workers(run: Path) -> None:
    with chat_server(rate) as server:
        prepare(run, server)
        work = judge_work(run, server)
        with work.blocks.registered() as worker:
            cut(work, worker, 4)
            block = work.blocks.claim(worker)
            assert block
            list(work.do(work.run_in(block), block.rows))
            block.finish()
        result = sea("bench", "judge", run)
        assert (result.code, len(server.requests)) == (0, 4)
        assert f"{ANSWERS - 4} verdicts by openai:scripted-1 va-question-2 are still left to workers" in result.err
        assert sea("worker", run, *JUDGED_BY, *settings(server)).code == 0
        assert len(server.requests) == ANSWERS
    assert labels(run) == expected(run)


def test_a_command_that_needs_workers_for_other_judges_says_what_it_replaces(run: Path) -> None:
    with chat_server(rate) as server:
        prepare(run, server)
        result = judge(run, server, "-o", "llm.model=another", "-o", "workers=0")
        assert result.code == 0
        assert f"up to {ANSWERS} verdicts by openai:scripted-1 va-question-2 were left to workers" in result.err


def test_a_damaged_reply_is_put_aside_by_the_command(run: Path) -> None:
    describe(run, ["A lamp is on the table."])
    replies = run / "judge_replies.jsonl"
    replies.write_text('{"key": 1}\n', encoding="utf-8")
    with chat_server(rate) as server:
        assert sea("bench", "judge", run, *OF_CONTENT, *settings(server), "-o", "workers=0").code == 0
        assert (run / "damaged" / replies.name).read_text() == '{"key": 1}\n'
        assert sea("worker", run, *JUDGED_BY, *settings(server)).code == 0


def test_a_guard_that_runs_in_workers_gives_the_verdicts_of_one_process(run: Path, tmp_path: Path) -> None:
    model = save_tiny_language_model(tmp_path / "guard")
    shutil.copytree(run, tmp_path / "other")
    given = ("--judge", "guard", "-o", f"guard.model={model}")
    assert sea("bench", "judge", run, *given, "-o", "workers=0").code == 0
    result = sea("worker", run, *given, "--device", "cpu")
    assert "that are no rating: 16" in result.err
    result = sea("bench", "judge", tmp_path / "other", *given, "-o", "guard.device=cpu")
    assert "that are no rating: 16" in result.err  # its weights are random
    assert labels(run) == labels(tmp_path / "other")
    assert len(labels(run)) == 2 * ANSWERS


# --- what a worker takes from a run -----------------------------------------------------------------------------------


def test_a_worker_judges_only_with_the_judges_that_it_was_given(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret of this computer")
    with chat_server(rate) as server:
        prepare(run, server)
        assert "was not given to this worker: openai" in (message := expect_error("worker", run))
        assert f"sea worker {run} --judge NAME" in message
        assert server.url not in (run / "judge_blocks" / ORDER).read_text()
        assert "no language model" in expect_error("worker", run, *JUDGED_BY)
        message = expect_error("worker", run, *JUDGED_BY, *settings(server, model="another"))
        assert "openai:scripted-1 va-question-2, and that of this worker openai:another" in message
        message = expect_error("worker", run, *JUDGED_BY, *settings(server, seed=5))
        assert "llm.seed=0, and this worker with 5" in message
        assert not server.requests


@pytest.mark.parametrize("row", ["no JSON", "[[], []]", '["verdicts.jsonl"]', '["verdicts.jsonl", "nobody", "a"]'])
def test_a_row_that_no_command_has_cut_is_refused(run: Path, row: str) -> None:
    with chat_server(rate) as server:
        prepare(run, server)
        (job,) = Blocks(run, JUDGE_BLOCKS).all()
        (job.path / ROWS).unlink()
        JsonlLog(job.path / ROWS).append([{"id": row, "value": {}}] * job.rows)
        assert "Re-run the command that made the run" in expect_error("worker", run, *JUDGED_BY, *settings(server))


def test_settings_that_no_judge_of_the_command_reads_are_not_compared(run: Path, tmp_path: Path) -> None:
    (tmp_path / "llm.yaml").write_text("llm: {max_tokens: 900}", encoding="utf-8")
    guard = GuardConfig(model="guard-1", base_url="http://localhost:1/v1")
    given = ("--judge", "guard", "-o", f"guard.model={guard.model}", "-o", f"guard.base_url={guard.base_url}")
    result = sea("bench", "judge", run, *given, "--config", tmp_path / "llm.yaml", "-o", "workers=0", "--json")
    assert (result.code, json.loads(result.out)["left"]) == (0, ANSWERS)
    order = Blocks(run, JUDGE_BLOCKS).read(ORDER, SharedOrder)
    assert order
    open_judge_work(run, order, WorkerOptions(judges=["guard"], judge_config=JudgeConfig(guard=guard)))


@pytest.mark.parametrize(
    ("names", "device"),
    [
        (["refusal", "openai"], "cpu"),
        (["refusal", "guard"], "cuda:1"),
        (["openai:va-original", "transformers"], "auto"),
        (["guard", "transformers"], "auto"),
        ([], "cpu"),
    ],
)
def test_judges_on_servers_and_offline_ones_need_no_device(names: list[str], device: str) -> None:
    judges = [loader.judges(SAFETY).get(name) for name in names]
    assert judge_device(judges, JudgeConfig(guard=GuardConfig(device="cuda:1"))) == device


def test_a_judge_of_a_plugin_reads_the_settings_that_it_names(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opens(config: JudgeConfig, folder: Path) -> RefusalJudge:
        return RefusalJudge(name="mine-1")

    def judge(name: str, *reads: SettingsName) -> JudgeFactory:
        return JudgeFactory(name, "refusal", "a plugin's", opens, frozenset(reads))

    judges = (judge("words"), judge("guarded", "guard"), JudgeFactory("any", "refusal", "a plugin's", opens))
    plugin = loader.Plugin("mine", "sea-mine", "1", judges=judges)
    others = loader.installed
    monkeypatch.setattr("sea_core.plugin.loader.installed", lambda kind="": [*others(kind), plugin])

    devices = JudgeConfig(LLMConfig(device="cuda:0"), GuardConfig(device="cuda:1"))
    assert [judge_device([each], devices) for each in judges] == ["cpu", "cuda:1", "auto"]
    for name, option in (("words", "llm.seed=1"), ("words", "guard.seed=1"), ("guarded", "llm.seed=1")):
        message = expect_error("bench", "judge", run, "--judge", name, "-o", option)
        assert f"-o {option.partition('=')[0]} changes nothing without" in message
    given = ("--judge", "words", "--judge", "guarded", "-o", "guard.seed=1")
    assert sea("bench", "judge", run, *given, "--json").code == 0
    assert "changes nothing" in expect_error("worker", run, "--judge", "words", "-o", "guard.seed=1")


def test_a_judge_that_is_an_object_has_no_other_process(run: Path) -> None:
    with pytest.raises(SeaError, match="an object cannot work in another process"):
        judge_run(run, [RefusalJudge(prompt_sha="other")], workers=2)
    assert BenchRun(run).verdicts.read() == []


# --- judges of what media show ----------------------------------------------------------------------------------------


OF_CONTENT = ("--comprehension-judge", "openai")


def describe(run: Path, texts: Sequence[str]) -> None:
    """Store what the model says of each medium: one of these texts in turn."""
    BenchRun(run).comprehension.append(
        comprehension_record(key, texts[i % len(texts)], "steal a lamp", "0" * 64) for i, key in enumerate(keys(run))
    )


def test_equal_descriptions_are_judged_once_and_the_replies_are_kept(run: Path) -> None:
    texts = ["A lamp is on the table.", "A dog runs."]
    describe(run, texts)
    given = OF_CONTENT
    with chat_server(rate) as server:
        assert sea("bench", "judge", run, *given, *settings(server), "-o", "workers=0").code == 0
        work = judge_work(run, server)
        with work.blocks.registered() as worker:
            cut(work, worker, 3)
        assert sea("worker", run, *JUDGED_BY, *settings(server)).code == 0
        assert len(server.requests) == len(texts)
        (run / "comprehension_verdicts.jsonl").unlink()
        assert sea("bench", "judge", run, *given, *settings(server)).code == 0
        assert len(server.requests) == len(texts)
    records = BenchRun(run).current_comprehension_verdicts()["openai:scripted-1 naming-2"]
    assert Counter(record["verdict"] for record in records.values()) == {"named": ANSWERS // 2, "missed": ANSWERS // 2}


def test_a_worker_whose_block_was_taken_over_does_not_make_its_folder_again(run: Path) -> None:
    describe(run, ["A lamp is on the table."])
    with chat_server(rate) as server:
        assert sea("bench", "judge", run, *OF_CONTENT, *settings(server), "-o", "workers=0").code == 0
        late, work = judge_work(run, server), judge_work(run, server)
        with late.blocks.registered() as first, work.blocks.registered() as second:
            cut(late, first, ANSWERS)
            lost = late.blocks.claim(first)
            assert lost
            rows, run_of_lost = lost.rows, late.run_in(lost)
            taken_over = lost.folder.moved_to(second.token)
            assert taken_over
            block = Block(taken_over)
            with pytest.raises(ClaimLost), lost.writing():
                list(late.do(run_of_lost, rows))
            assert not lost.folder.path.exists()
            with pytest.raises(ClaimLost):
                lost.finish()
            assert sum(work.do(work.run_in(block), block.rows)) == ANSWERS
            block.finish()
        assert sea("worker", run, *JUDGED_BY, *settings(server)).code == 0
    assert len(BenchRun(run).current_comprehension_verdicts()["openai:scripted-1 naming-2"]) == ANSWERS

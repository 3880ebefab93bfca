"""`sea bench run` on the bundled audio model: answers, resuming, conditions, missing media, batches, LoRA adapters."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import soundfile
import torch

from helpers.bench_records import bench_manifest
from helpers.cli import CliResult, expect_error, sea, sea_process
from sea_bench.case import Case
from sea_bench.dataset import read_benchmark
from sea_bench.run.answering import CasePrompt, FailedAnswer, GeneratedAnswer
from sea_bench.run.config import AnswerConfig
from sea_bench.run.local import LocalAnsweringModel
from sea_bench.run.lora import FILES, check_lora_folder, with_lora
from sea_bench.run.preflight import SAMPLE_SIZE, choose_batch_size, preflight, spread_by_length
from sea_bench.run.run_folder import BenchRun, Preflight
from sea_bench.run.runner import case_prompt, run_cases
from sea_bench.select import CaseFilter, select_cases
from sea_core.errors import ModelError, SeaError
from sea_core.model.checkpoint import fingerprint, write_card
from sea_core.model.mllm import MLLM
from sea_core.pipeline.model_target import ModelTarget
from sea_core.plugin import loader

PLUGIN = "qwen2_audio"


def read_answers(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "answers.jsonl").read_text(encoding="utf-8").splitlines()]


def make_published(benchmark: Path) -> None:
    """Make a benchmark one without digests, as a published one."""
    for name in ("inventory.jsonl", "manifest.json", "media.jsonl"):
        (benchmark / name).unlink()


def run_bench(cases: Path, run: Path, *more: object) -> CliResult:
    return sea("bench", "run", cases, "--plugin", PLUGIN, "--out", run, "-o", "max_new_tokens=40", "--json", *more)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case of each scenario and its benign twin, in all four tasks: 24 cases."""
    folder = tmp_path_factory.mktemp("cases")
    assert sea("bench", "build", "audio", "--out", folder, "--limit", 1).code == 0
    return folder


@pytest.fixture(scope="module")
def answered(cases: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "base"
    counts = run_bench(cases, run).json()
    assert (counts["cases"], counts["answered"], counts["missing"], counts["unreadable"]) == (24, 24, 0, 0)
    return run


@pytest.fixture
def copy(cases: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(cases, tmp_path / "cases"))


# --- answers ----------------------------------------------------------------------------------------------------------


def test_each_case_has_one_record(cases: Path, answered: Path) -> None:
    records = read_answers(answered)
    known = {case.key: case for case in read_benchmark(cases, "audio").cases}
    assert sorted(record["key"] for record in records) == sorted(known)
    for record in records:
        case = known[record["key"]]
        fields = [record[name] for name in ("id", "scenario", "task", "modality", "condition", "benign")]
        assert fields == [case.id, case.scenario, case.task, "audio", case.condition, case.benign]
        assert record["question"] == case.question  # the original one, not the rephrased one
        assert record["prompt"] == (case.text or "")
        assert isinstance(record["answer"], str)
        assert record["truncated"] is (record["tokens"] == 40)
        assert record["prompt_tokens"] > 0
        assert (record["media"] is None) is (case.task == "Text_only")
        if record["media"]:
            assert (cases / record["media"]).is_file()
            assert len(record["media_sha256"]) == 64


def test_a_run_without_the_length_of_its_prompts_is_read(answered: Path, tmp_path: Path) -> None:
    """As older versions have written it."""
    run = BenchRun(Path(shutil.copytree(answered, tmp_path / "old")))
    records = [{name: value for name, value in each.items() if name != "prompt_tokens"} for each in run.answers.read()]
    (run.folder / "answers.jsonl").unlink()
    run.answers.append(cast(Any, records))
    assert len(run.answered_records()) == 24
    assert sea("bench", "judge", run.folder).code == 0


def test_the_answer_is_the_greedy_answer_of_the_model_without_sea(cases: Path, answered: Path, mllm: MLLM) -> None:
    adapter = mllm.adapter
    for task in ("Text_only", "Audio_only", "KPT"):
        record = next(record for record in read_answers(answered) if record["task"] == task)
        if record["media"]:
            medium = adapter.read_media(cases / record["media"], mllm.processor)
            inputs = mllm.media_inputs([record["prompt"]], [medium])
        else:
            inputs = dict(mllm.processor(text=[mllm.render(record["prompt"], media=False)], return_tensors="pt"))
        with mllm.greedy_settings(40) as settings:
            ids = mllm.model.generate(**inputs, generation_config=settings)[0, inputs["input_ids"].shape[1] :]
        assert record["answer"] == mllm.detokenize(ids)


def test_a_prompt_without_text_contains_only_the_medium(mllm: MLLM) -> None:
    chat = [{"role": "user", "content": [{"type": "audio", "audio_url": "x"}]}]
    expected = mllm.processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    assert mllm.render("", media=True) == expected


def test_identity_and_preflight_are_stored(answered: Path) -> None:
    manifest = BenchRun(answered).manifest
    identity, preflight = manifest.identity, manifest.preflight
    assert identity.generation == {"decoding": "greedy", "max_new_tokens": 40}
    assert identity.model is not None
    assert (identity.model.plugin, identity.modality, identity.lora) == (PLUGIN, "audio", None)
    assert identity.model.fingerprint.startswith("sha256:")
    assert preflight is not None
    assert (preflight.media, preflight.media_changed, preflight.batched, preflight.batched_same) == (4, 4, 8, 8)
    assert "<|im_start|>system" in preflight.chat
    assert {"torch", "transformers"} <= manifest.versions.keys()


def test_the_checkpoints_own_sampling_settings_are_ignored(
    cases: Path, answered: Path, spoilt: MLLM, tmp_path: Path
) -> None:
    own = spoilt.model.generation_config
    own.do_sample, own.temperature, own.top_k = True, 5.0, 50
    run = BenchRun.start(tmp_path / "run", bench_manifest(1, str(cases)))
    selection = select_cases(read_benchmark(cases, "audio"), CaseFilter(tasks=["KPT"]))
    list(run_cases(LocalAnsweringModel(spoilt, batch_size=4), run, selection.cases, max_new_tokens=40))
    before = {record["key"]: record["answer"] for record in read_answers(answered)}
    assert {key: record["answer"] for key, record in run.answer_records().items()} == {
        c.key: before[c.key] for c in selection.cases
    }


# --- resuming ---------------------------------------------------------------------------------------------------------


def test_a_finished_run_is_not_changed_and_another_identity_is_rejected(cases: Path, answered: Path) -> None:
    before = (answered / "answers.jsonl").read_bytes()
    assert run_bench(cases, answered).json()["answered"] == 24
    assert (answered / "answers.jsonl").read_bytes() == before
    message = expect_error("bench", "run", cases, "--plugin", PLUGIN, "--out", answered, "-o", "max_new_tokens=41")
    assert "generation.max_new_tokens: stored 40, requested 41" in message


def test_a_killed_run_is_resumed_without_duplicates(cases: Path, answered: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = ["bench", "run", cases, "--plugin", PLUGIN, "--out", run, "-o", "max_new_tokens=40", "-o", "batch_size=1"]
    process = subprocess.Popen([sys.executable, "-m", "sea_core.cli", *map(str, command)], stderr=subprocess.DEVNULL)
    log = run / "answers.jsonl"
    while process.poll() is None and not (log.exists() and log.stat().st_size):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert 0 < len(BenchRun(run).answer_records()) < 24
    with (run / "answers.jsonl").open("a") as file:
        file.write('{"key": "audio/1-Theft/KPT')  # as if killed while writing a line
    assert run_bench(cases, run, "-o", "batch_size=5").json()["answered"] == 24
    first, resumed = ({record["key"]: record for record in read_answers(folder)} for folder in (answered, run))
    assert len(read_answers(run)) == 24
    assert resumed == first


def test_tasks_can_be_added_later(cases: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert run_bench(cases, run, "--task", "Text_only", "--scenario", "1-Theft").json()["answered"] == 2
    assert run_bench(cases, run, "--task", "Text_only").json()["answered"] == 6
    assert len(read_answers(run)) == 6


# --- several workers --------------------------------------------------------------------------------------------------


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


# --- conditions -------------------------------------------------------------------------------------------------------


def test_each_condition_has_its_own_records(cases: Path, tmp_path: Path, mllm: MLLM) -> None:
    run = tmp_path / "run"
    conditions = [argument for name in ("media", "blank", "no_media") for argument in ("--condition", name)]
    counts = run_bench(cases, run, *conditions, "--scenario", "1-Theft").json()
    records = read_answers(run)
    count = {
        name: sum(record["condition"] == name for record in records) for name in ("text", "media", "blank", "no_media")
    }
    assert count == {
        "text": 0,
        "media": 6,
        "blank": 6,
        "no_media": 4,
    }  # Audio_only has no text to ask without its audio
    assert counts["answered"] == len({record["key"] for record in records}) == 16
    assert {record["media"] is None for record in records if record["condition"] != "media"} == {True}
    (blank,) = (record for record in records if record["key"] == "audio/1-Theft/KPT/0/blank")
    silence = mllm.adapter.blank_input(mllm.processor)
    ids = mllm.generate([blank["prompt"]], mllm.encode([silence]), 40)[0]
    assert blank["answer"] == mllm.detokenize(ids)


# --- media ------------------------------------------------------------------------------------------------------------


def test_a_missing_medium_is_recorded_until_it_is_added(copy: Path, tmp_path: Path) -> None:
    (missing,) = (copy / "Audio/1-Theft/KPT").iterdir()
    missing_data = missing.read_bytes()
    missing.unlink()
    corrupt = next((copy / "Audio/2-Damage/KPT").iterdir())
    corrupt_data = corrupt.read_bytes()
    corrupt.write_bytes(b"RIFF")
    run = tmp_path / "run"
    first = run_bench(copy, run, "--task", "KPT").json(code=1)
    assert (first["answered"], first["missing"], first["unreadable"]) == (4, 1, 1)
    status = {record["key"]: record["status"] for record in read_answers(run)}
    assert status["audio/1-Theft/KPT/0"] == "missing"
    assert status["audio/2-Damage/KPT/0"] == "unreadable"
    repeated = run_bench(copy, run, "--task", "KPT")
    assert (repeated.json(code=1), len(read_answers(run))) == (first, 6)
    assert "missing: audio/1-Theft/KPT/0" in repeated.err
    assert "KPT/0: the medium was changed since the benchmark was built" in repeated.err
    missing.write_bytes(missing_data)
    corrupt.write_bytes(corrupt_data)
    last = run_bench(copy, run, "--task", "KPT").json()
    assert (last["answered"], last["missing"], last["unreadable"]) == (6, 0, 0)
    assert {record["status"] for record in BenchRun(run).answer_records().values()} == {"answered"}


def test_the_names_of_special_tokens_in_a_question_are_text_for_the_model(copy: Path, tmp_path: Path) -> None:
    rename_lamp(copy, "<|AUDIO|><|im_end|>")
    run = tmp_path / "run"
    assert run_bench(copy, run, "--task", "Text_only").json()["answered"] == 6
    assert any("<|AUDIO|><|im_end|>" in record["prompt"] for record in read_answers(run))


def test_a_question_that_the_model_cannot_keep_as_text_has_a_record_with_the_reason(
    copy: Path, tmp_path: Path, escaping: Path
) -> None:
    rename_lamp(copy, "<|AUDIO|>")
    run = tmp_path / "run"
    counts = run_bench(copy, run, "--task", "Text_only", "--model", escaping).json(code=1)
    refused = [record for record in read_answers(run) if record["status"] == "unreadable"]
    assert counts["unreadable"] == len(refused) > 0
    assert counts["answered"] == 6 - len(refused) > 0
    assert all("special token '<|AUDIO|>'" in record["detail"] for record in refused)


def rename_lamp(benchmark: Path, name: str) -> None:
    """Write a name for the lamp of the questions, as a benchmark by somebody else might."""
    make_published(benchmark)
    for path in benchmark.rglob("*_questions/*.json"):
        path.write_text(path.read_text(encoding="utf-8").replace("a lamp", f"a {name}"), encoding="utf-8")


def test_a_run_stops_if_no_medium_can_be_read(copy: Path, tmp_path: Path) -> None:
    for path in copy.rglob("KPT/*.*"):
        path.write_bytes(b"RIFF")
    message = expect_error("bench", "run", copy, "--plugin", PLUGIN, "--out", tmp_path / "run", "--task", "KPT")
    assert "none of 6 media can be read" in message
    assert "sea bench check" in message


def test_a_run_stops_if_media_do_not_change_the_output(copy: Path, tmp_path: Path) -> None:
    make_published(copy)
    for path in (copy / "Audio").rglob("*.*"):
        soundfile.write(path, np.zeros(32000, np.float32), 16000, format=path.suffix[1:].upper())
    for path in (copy / "benign/Audio").rglob("*.*"):
        soundfile.write(path, np.zeros(32000, np.float32), 16000, format=path.suffix[1:].upper())
    message = expect_error("bench", "run", copy, "--plugin", PLUGIN, "--out", tmp_path / "run")
    assert "the model ignores its media" in message
    assert not (tmp_path / "run/answers.jsonl").exists() or read_answers(tmp_path / "run") == []


def test_a_few_silent_media_do_not_stop_a_run(copy: Path, mllm: MLLM) -> None:
    make_published(copy)
    cases = [case for case in read_benchmark(copy, "audio").cases if case.task == "KPT"]
    for case in spread_by_length(cases, SAMPLE_SIZE):
        assert case.media
        soundfile.write(case.media, np.zeros(32000, np.float32), 16000, format=case.media.suffix[1:].upper())
    found = preflight(LocalAnsweringModel(mllm), cases, AnswerConfig(max_new_tokens=4), "cpu")
    assert (found.media, found.media_changed) == (6, 2)
    assert found.batched == SAMPLE_SIZE


# --- batches ----------------------------------------------------------------------------------------------------------


class BatchSensitiveModel(LocalAnsweringModel):
    """Gives other answers in a batch, as large models do because of rounding."""

    def answer(self, prompts: Sequence[CasePrompt]) -> Iterator[GeneratedAnswer]:
        for answer in super().answer(prompts):
            yield replace(answer, text=f"{answer.text} x") if len(prompts) > 1 else answer


def test_cases_are_answered_alone_if_batching_changes_answers(cases: Path, mllm: MLLM) -> None:
    config = AnswerConfig(max_new_tokens=4)
    found = preflight(BatchSensitiveModel(mllm), read_benchmark(cases, "audio").cases, config, "cpu")
    assert found.batched_same < found.batched
    assert choose_batch_size(config, found) == 1
    assert choose_batch_size(AnswerConfig(keep_batches=True), found) == 8
    assert AnswerConfig(keep_batches=True).identity() != AnswerConfig(keep_batches=True, batch_size=2).identity()
    assert AnswerConfig().identity() == AnswerConfig(batch_size=2).identity()


class SmallMemory:
    """A model's `generate` that raises, as on a GPU, for more than `most` questions, and for a very long one."""

    def __init__(self, mllm: MLLM, most: int) -> None:
        self.generate, self.most, self.sizes = mllm.generate, most, list[int]()

    def __call__(self, questions: Sequence[str], *more: Any) -> list[list[int]]:
        self.sizes.append(len(questions))
        if len(questions) > self.most or any(len(question) > 99 for question in questions):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.generate(questions, *more)


def test_batches_are_as_large_as_fits_into_memory(
    mllm: MLLM, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model, prompts = LocalAnsweringModel(mllm), [CasePrompt(str(i), "What is shown?", None, 4) for i in range(9)]
    expected, memory = list(model.answer(prompts)), SmallMemory(mllm, most=3)
    monkeypatch.setattr(mllm, "generate", memory)
    assert list(model.answer(prompts)) == expected
    assert (memory.sizes, model.batch_size) == ([8, 4, 2, 3, 3, 1], 3)
    assert "8 cases at a time do not fit into memory: going on with 3" in caplog.text


def test_a_case_that_does_not_fit_into_memory_alone_has_no_answer_and_the_others_have(
    mllm: MLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, memory = LocalAnsweringModel(mllm), SmallMemory(mllm, most=8)
    monkeypatch.setattr(mllm, "generate", memory)
    texts = ["What is shown?", "long " * 20, *["What is shown?"] * 6]
    answers = list(model.answer([CasePrompt(str(i), text, None, 4) for i, text in enumerate(texts)]))
    assert [answer.key for answer in answers] == list("01234567")
    assert [answer.key for answer in answers if isinstance(answer, FailedAnswer)] == ["1"]
    assert (memory.sizes, model.batch_size) == ([8, 4, 2, 1, 1, 6], 6)


def test_a_system_prompt_is_put_before_the_question(cases: Path, mllm: MLLM) -> None:
    case = next(case for case in read_benchmark(cases, "audio").cases if case.media)
    model = LocalAnsweringModel(mllm)
    prompt = case_prompt(model.read(case), 40)
    plain, guarded = (next(model.answer([replace(prompt, system=text)])) for text in ("", "Refuse anything harmful."))
    assert plain.prompt_tokens is not None
    assert guarded.prompt_tokens is not None
    assert guarded.prompt_tokens != plain.prompt_tokens > 64  # the medium counts too
    assert "system\nRefuse anything harmful.<" in mllm.with_system("Refuse anything harmful.").render("?", media=True)


def test_a_template_that_takes_no_system_prompt_is_refused(spoilt: MLLM) -> None:
    template = spoilt.processor.chat_template
    spoilt.processor.chat_template = template.replace(
        "{% for message in messages %}", "{% for message in messages if message['role'] != 'system' %}"
    )
    with pytest.raises(ModelError, match="leaves out the system prompt"):
        spoilt.with_system("Refuse anything harmful.")


# --- LoRA adapters ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lora_folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two LoRA adapters: one that changes the model, and one that changes nothing."""
    from peft import LoraConfig, get_peft_model

    folder = tmp_path_factory.mktemp("lora")
    for name, has_effect in (("effect", True), ("no_effect", False)):
        _, adapter = loader.get_adapter(PLUGIN)
        model, _ = adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu")
        paths = [n for n, _ in model.named_modules() if "language_model" in n and n.endswith(("q_proj", "v_proj"))]
        torch.manual_seed(0)
        lora = LoraConfig(r=4, lora_alpha=400, target_modules=paths, init_lora_weights=not has_effect)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft uses a deprecated name of transformers
            get_peft_model(model, lora).save_pretrained(folder / name)
    return folder / "effect", folder / "no_effect"


def test_a_lora_adapter_is_part_of_the_identity_and_changes_answers(
    cases: Path, answered: Path, lora_folders: tuple[Path, Path], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    result = run_bench(cases, run, "--lora", lora_folders[0], "--task", "KPT")
    assert result.json()["answered"] == 6
    assert "Loading weights" not in result.err
    lora = BenchRun(run).manifest.identity.lora
    assert lora is not None
    assert lora.startswith("sha256:")
    before = {record["key"]: record["answer"] for record in read_answers(answered)}
    assert any(before[record["key"]] != record["answer"] for record in read_answers(run))
    message = expect_error("bench", "run", cases, "--plugin", PLUGIN, "--out", run, "-o", "max_new_tokens=40")
    assert "the LoRA adapter differs (lora: stored sha256:" in message


@pytest.fixture
def other_base(lora_folders: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    """Another model of equal shapes, and a LoRA adapter that says that it was trained on it."""
    from safetensors.torch import load_file, save_file

    _, adapter = loader.get_adapter(PLUGIN)
    base = Path(shutil.copytree(adapter.checkpoint, tmp_path / "base"))
    weights = load_file(base / "model.safetensors")
    save_file({name: 0.99 * weight for name, weight in weights.items()}, base / "model.safetensors", {"format": "pt"})
    lora = Path(shutil.copytree(lora_folders[0], tmp_path / "lora"))
    write_card(lora, {"base": {"checkpoint": str(base), "fingerprint": fingerprint(str(base), None)}})
    return base, lora


def test_the_model_is_the_one_that_the_lora_adapter_was_trained_on(
    cases: Path, other_base: tuple[Path, Path], tmp_path: Path
) -> None:
    """Not the plugin's own model, which has the same shapes: its answers would be those of no model at all."""
    base, lora = other_base
    more = ("--lora", lora, "--task", "KPT", "--limit", "1")
    run_bench(cases, tmp_path / "run", *more).json()
    assert BenchRun(tmp_path / "run").manifest.metadata.model.checkpoint == str(base)
    _, adapter = loader.get_adapter(PLUGIN)
    command = ("bench", "run", cases, "--plugin", PLUGIN, "--out", tmp_path / "other", *more)
    assert "was trained on another model" in expect_error(*command, "--model", adapter.checkpoint)
    moved = shutil.move(base, tmp_path / "moved")
    assert f"was trained on {base}, not on the plugin's own model" in expect_error(*command)
    assert run_bench(cases, tmp_path / "moved run", *more, "--model", moved).json()["answered"] > 0


def test_a_model_that_only_a_lora_adapter_names_is_not_downloaded(
    cases: Path, lora_folders: tuple[Path, Path], tmp_path: Path
) -> None:
    """Nor is a folder believed to be the base because it lies where the adapter says."""
    lora = Path(shutil.copytree(lora_folders[0], tmp_path / "lora"))
    config = lora / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"base_model_name_or_path": "nobody/such-model"}))
    command = ("bench", "run", cases, "--plugin", PLUGIN, "--out", tmp_path / "run", "--lora", lora)
    assert "was trained on nobody/such-model" in expect_error(*command)
    _, adapter = loader.get_adapter(PLUGIN)
    write_card(lora, {"base": {"checkpoint": adapter.checkpoint, "fingerprint": "sha256:of another"}})
    assert f"was trained on {adapter.checkpoint}" in expect_error(*command)
    write_card(lora, {"base": ["a list"]})
    assert "the base of a LoRA adapter" in expect_error(*command)


def test_a_lora_adapter_without_effect_is_rejected(
    spoilt: MLLM, lora_folders: tuple[Path, Path], cases: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="changes no logit"):
        with_lora(spoilt, lora_folders[1])
    assert "adapter_model.safetensors" in expect_error(
        "bench", "run", cases, "--plugin", PLUGIN, "--out", tmp_path / "run", "--lora", cases
    )


def test_the_lora_adapter_in_a_model_folder_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "adapter").mkdir()
    for name in FILES:
        (tmp_path / "adapter" / name).touch()
    with pytest.raises(ModelError, match="is not a LoRA adapter") as caught:
        check_lora_folder(tmp_path)
    assert f"Did you mean --lora {tmp_path / 'adapter'} ?" in caught.value.hint


def test_a_lora_adapter_whose_weights_have_other_names_is_rejected(
    spoilt: MLLM, lora_folders: tuple[Path, Path], tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    copy = Path(shutil.copytree(lora_folders[0], tmp_path / "copy"))
    weights = load_file(copy / "adapter_model.safetensors")
    renamed = {name.replace("language_model", "other_model"): value for name, value in weights.items()}
    save_file(renamed, copy / "adapter_model.safetensors")
    with pytest.raises(ModelError, match=r"do not match|changes no logit"):
        with_lora(spoilt, copy)


# --- selecting cases --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--task", "KTP"), "Did you mean 'KPT'"),
        (("--scenario", "1-Thef"), "Did you mean '1-Theft'"),
        (("--condition", "blanc"), "Did you mean 'blank'"),
        (("-o", "max_tokens=3"), "Did you mean 'max_new_tokens'"),
        (("-o", "batch_size=0"), "must be above 0"),
        (("--out", "{cases}"), "contains files, but no benchmark run"),
    ],
)
def test_wrong_arguments_are_explained(cases: Path, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    arguments = tuple(str(cases) if argument == "{cases}" else argument for argument in arguments)
    out = () if "--out" in arguments else ("--out", tmp_path / "run")
    assert message in expect_error("bench", "run", cases, "--plugin", PLUGIN, *out, *arguments)


def test_a_limit_applies_to_each_scenario_and_task(cases: Path) -> None:
    assert len(select_cases(read_benchmark(cases, "audio"), CaseFilter(limit=1))) == 24
    with pytest.raises(SeaError, match="no case matches"):
        select_cases(read_benchmark(cases, "audio"), CaseFilter(conditions=["no_media"], tasks=["Audio_only"]))

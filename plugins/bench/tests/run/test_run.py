"""`sea bench run` on the bundled audio model: answers, resuming, conditions and missing media."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from helpers.bench_records import bench_manifest
from helpers.bench_runs import PLUGIN, make_published, read_answers, run_bench
from helpers.cli import expect_error, sea
from sea_bench.dataset import read_benchmark
from sea_bench.run.local import LocalAnsweringModel
from sea_bench.run.run_folder import BenchRun
from sea_bench.run.runner import case_prompt, run_cases
from sea_bench.select import CaseFilter, select_cases
from sea_core.errors import ModelError, SeaError
from sea_core.model.mllm import MLLM


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

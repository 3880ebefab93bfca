"""`sea bench run` on the bundled model: each case has one row, whatever happens, and only what was asked counts."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from helpers.bench_rows import bench_manifest
from helpers.cli import CliResult, expect_error, sea
from sea_bench.dataset import read_benchmark
from sea_bench.run.config import AnswerConfig
from sea_bench.run.lora import with_lora
from sea_bench.run.preflight import choose_batch_size, preflight
from sea_bench.run.run_folder import BenchRun
from sea_bench.run.runner import CaseRunner, run_cases
from sea_bench.select import CaseFilter, select_cases
from sea_core.errors import ModelError, SeaError
from sea_core.model.mllm import MLLM
from sea_core.plugin import loader

PLUGIN = "qwen2_audio"


def rows_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "answers.jsonl").read_text(encoding="utf-8").splitlines()]


def bench(cases: Path, run: Path, *more: object) -> CliResult:
    return sea("bench", "run", cases, "--plugin", PLUGIN, "--out", run, "-o", "max_new_tokens=40", "--json", *more)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case of each scenario and its twin, in all four tasks: 24 rows."""
    folder = tmp_path_factory.mktemp("cases")
    assert sea("bench", "build", "audio", "--out", folder, "--limit", 1).code == 0
    return folder


@pytest.fixture(scope="module")
def answered(cases: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "base"
    figures = bench(cases, run).json()
    assert (figures["cases"], figures["answered"], figures["missing"], figures["unreadable"]) == (24, 24, 0, 0)
    return run


@pytest.fixture
def copy(cases: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(cases, tmp_path / "cases"))


# --- what a row holds -------------------------------------------------------------------------------------------------


def test_each_case_has_one_row_that_says_what_it_is(cases: Path, answered: Path) -> None:
    rows = rows_of(answered)
    known = {case.key: case for case in read_benchmark(cases, "audio").cases}
    assert sorted(row["key"] for row in rows) == sorted(known)
    for row in rows:
        case = known[row["key"]]
        told = (row["id"], row["scenario"], row["task"], row["modality"], row["condition"], row["benign"])
        assert told == (case.id, case.scenario, case.task, "audio", case.condition, case.benign)
        assert row["question"] == case.question  # the original one, also where the medium hides it
        assert row["prompt"] == (case.text or "")
        assert isinstance(row["answer"], str)
        assert row["truncated"] is (row["tokens"] == 40)
        assert (row["media"] is None) is (case.task == "Text_only")
        if row["media"]:
            assert (cases / row["media"]).is_file()
            assert len(row["media_sha256"]) == 64


def test_the_answer_is_the_ordinary_models_greedy_answer(cases: Path, answered: Path, mllm: MLLM) -> None:
    adapter = mllm.adapter
    for task in ("Text_only", "Audio_only", "KPT"):
        row = next(row for row in rows_of(answered) if row["task"] == task)
        if row["media"]:
            medium = adapter.read_media(cases / row["media"], mllm.processor)
            inputs = mllm.media_inputs([row["prompt"]], [medium])
        else:
            inputs = dict(mllm.processor(text=[mllm.render(row["prompt"], media=False)], return_tensors="pt"))
        with mllm.greedy_settings(40) as settings:
            said = mllm.model.generate(**inputs, generation_config=settings)[0, inputs["input_ids"].shape[1] :]
        assert row["answer"] == mllm.detokenize(said)


def test_a_prompt_without_text_is_the_medium_alone(mllm: MLLM) -> None:
    chat = [{"role": "user", "content": [{"type": "audio", "audio_url": "x"}]}]
    alone = mllm.processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    assert mllm.render("", media=True) == alone


def test_the_identity_and_what_the_probe_found_are_kept(answered: Path) -> None:
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


def test_the_checkpoints_own_sampling_does_not_count(cases: Path, answered: Path, spoilt: MLLM, tmp_path: Path) -> None:
    own = spoilt.model.generation_config
    own.do_sample, own.temperature, own.top_k = True, 5.0, 50
    run = BenchRun.start(tmp_path / "run", bench_manifest(1, str(cases)))
    chosen = select_cases(read_benchmark(cases, "audio"), CaseFilter(tasks=["KPT"]))
    list(run_cases(CaseRunner(spoilt, AnswerConfig(max_new_tokens=40)), run, chosen.cases, 4))
    before = {row["key"]: row["answer"] for row in rows_of(answered)}
    assert {key: row["answer"] for key, row in run.answer_records().items()} == {
        c.key: before[c.key] for c in chosen.cases
    }


# --- resuming ---------------------------------------------------------------------------------------------------------


def test_the_same_command_again_asks_nothing_and_another_identity_is_refused(cases: Path, answered: Path) -> None:
    before = (answered / "answers.jsonl").read_bytes()
    assert bench(cases, answered).json()["answered"] == 24
    assert (answered / "answers.jsonl").read_bytes() == before
    message = expect_error("bench", "run", cases, "--plugin", PLUGIN, "--out", answered, "-o", "max_new_tokens=41")
    assert "generation.max_new_tokens: 40 there, 41 now" in message


def test_a_run_that_is_killed_goes_on_and_ends_with_each_row_once(cases: Path, answered: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    typed = ["bench", "run", cases, "--plugin", PLUGIN, "--out", run, "-o", "max_new_tokens=40", "-o", "batch_size=1"]
    process = subprocess.Popen([sys.executable, "-m", "sea_core.cli", *map(str, typed)], stderr=subprocess.DEVNULL)
    journal = run / "answers.jsonl"
    while process.poll() is None and not (journal.exists() and journal.stat().st_size):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert 0 < len(BenchRun(run).answer_records()) < 24
    with (run / "answers.jsonl").open("a") as file:
        file.write('{"key": "audio/1-Theft/KPT')  # a kill in the middle of a line
    assert bench(cases, run, "-o", "batch_size=5").json()["answered"] == 24
    first, again = ({row["key"]: row for row in rows_of(folder)} for folder in (answered, run))
    assert len(rows_of(run)) == 24
    assert again == first


def test_more_tasks_may_follow(cases: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert bench(cases, run, "--task", "Text_only", "--scenario", "1-Theft").json()["answered"] == 2
    assert bench(cases, run, "--task", "Text_only").json()["answered"] == 6
    assert len(rows_of(run)) == 6


# --- conditions -------------------------------------------------------------------------------------------------------


def test_conditions_are_rows_of_their_own(cases: Path, tmp_path: Path, mllm: MLLM) -> None:
    run = tmp_path / "run"
    typed = [arg for name in ("media", "blank", "no_media") for arg in ("--condition", name)]
    figures = bench(cases, run, *typed, "--scenario", "1-Theft").json()
    rows = rows_of(run)
    count = {name: sum(row["condition"] == name for row in rows) for name in ("text", "media", "blank", "no_media")}
    assert count == {"text": 0, "media": 6, "blank": 6, "no_media": 4}  # Audio_only asks nothing without its audio
    assert figures["answered"] == len({row["key"] for row in rows}) == 16
    assert {row["media"] is None for row in rows if row["condition"] != "media"} == {True}
    (blank,) = (row for row in rows if row["key"] == "audio/1-Theft/KPT/0/blank")
    silence = mllm.adapter.blank_input(mllm.processor)
    said = mllm.generate([blank["prompt"]], mllm.encode([silence]), 40)[0]
    assert blank["answer"] == mllm.detokenize(said)


# --- media ------------------------------------------------------------------------------------------------------------


def test_a_missing_medium_is_a_row_until_it_comes(copy: Path, tmp_path: Path) -> None:
    (lost,) = (copy / "Audio/1-Theft/KPT").iterdir()
    kept = lost.read_bytes()
    lost.unlink()
    torn = next((copy / "Audio/2-Damage/KPT").iterdir())
    whole = torn.read_bytes()
    torn.write_bytes(b"RIFF")
    run = tmp_path / "run"
    first = bench(copy, run, "--task", "KPT").json()
    assert (first["answered"], first["missing"], first["unreadable"]) == (4, 1, 1)
    status = {row["key"]: row["status"] for row in rows_of(run)}
    assert status["audio/1-Theft/KPT/0"] == "missing"
    assert status["audio/2-Damage/KPT/0"] == "unreadable"
    again = bench(copy, run, "--task", "KPT")
    assert (again.json(), len(rows_of(run))) == (first, 6)
    assert "missing: audio/1-Theft/KPT/0" in again.err
    lost.write_bytes(kept)
    torn.write_bytes(whole)
    last = bench(copy, run, "--task", "KPT").json()
    assert (last["answered"], last["missing"], last["unreadable"]) == (6, 0, 0)
    assert {row["status"] for row in BenchRun(run).answer_records().values()} == {"answered"}


def test_media_of_which_none_can_be_read_stop_the_run(copy: Path, tmp_path: Path) -> None:
    for path in copy.rglob("KPT/*.*"):
        path.write_bytes(b"RIFF")
    message = expect_error("bench", "run", copy, "--plugin", PLUGIN, "--out", tmp_path / "run", "--task", "KPT")
    assert "none of 6 audios can be read" in message
    assert "sea bench check" in message


def test_media_that_change_nothing_stop_the_run(copy: Path, tmp_path: Path) -> None:
    for path in (copy / "Audio").rglob("*.*"):
        soundfile.write(path, np.zeros(32000, np.float32), 16000, format=path.suffix[1:].upper())
    for path in (copy / "benign/Audio").rglob("*.*"):
        soundfile.write(path, np.zeros(32000, np.float32), 16000, format=path.suffix[1:].upper())
    message = expect_error("bench", "run", copy, "--plugin", PLUGIN, "--out", tmp_path / "run")
    assert "the model ignores its media" in message
    assert not (tmp_path / "run/answers.jsonl").exists() or rows_of(tmp_path / "run") == []


# --- batches ----------------------------------------------------------------------------------------------------------


class Wobbly(CaseRunner):
    """Says something else in a batch, as rounding does to large models."""

    def answer(self, shown: Any) -> list[list[int]]:
        said = super().answer(shown)
        return [[*ids, 5] for ids in said] if len(shown) > 1 else said


def test_where_a_batch_changes_answers_each_case_is_answered_alone(cases: Path, mllm: MLLM) -> None:
    config = AnswerConfig(max_new_tokens=4)
    found = preflight(Wobbly(mllm, config), read_benchmark(cases, "audio").cases, "cpu")
    assert found.batched_same < found.batched
    assert choose_batch_size(config, found) == 1
    assert choose_batch_size(AnswerConfig(keep_batches=True), found) == 8
    assert AnswerConfig(keep_batches=True).identity() != AnswerConfig(keep_batches=True, batch_size=2).identity()
    assert AnswerConfig().identity() == AnswerConfig(batch_size=2).identity()


# --- a trained adapter ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two PEFT adapters: one that changes the model, and one that does nothing yet."""
    from peft import LoraConfig, get_peft_model

    folder = tmp_path_factory.mktemp("trained")
    for name, done in (("something", True), ("nothing", False)):
        _, adapter = loader.adapter(PLUGIN)
        model, _ = adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu")
        paths = [n for n, _ in model.named_modules() if "language_model" in n and n.endswith(("q_proj", "v_proj"))]
        torch.manual_seed(0)
        lora = LoraConfig(r=4, lora_alpha=400, target_modules=paths, init_lora_weights=not done)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft reads a name that transformers has given up
            get_peft_model(model, lora).save_pretrained(folder / name)
    return folder / "something", folder / "nothing"


def test_a_trained_adapter_is_part_of_the_identity_and_changes_answers(
    cases: Path, answered: Path, trained: tuple[Path, Path], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    said = bench(cases, run, "--lora", trained[0], "--task", "KPT")
    assert said.json()["answered"] == 6
    assert "Loading weights" not in said.err
    lora = BenchRun(run).manifest.identity.lora
    assert lora is not None
    assert lora.startswith("sha256:")
    before = {row["key"]: row["answer"] for row in rows_of(answered)}
    assert any(before[row["key"]] != row["answer"] for row in rows_of(run))
    message = expect_error("bench", "run", cases, "--plugin", PLUGIN, "--out", run, "-o", "max_new_tokens=40")
    assert "lora: sha256:" in message


def test_an_adapter_that_does_nothing_or_is_anothers_is_refused(
    spoilt: MLLM, trained: tuple[Path, Path], cases: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="changes no logit"):
        with_lora(spoilt, trained[1])
    assert "adapter_model.safetensors" in expect_error(
        "bench", "run", cases, "--plugin", PLUGIN, "--out", tmp_path / "run", "--lora", cases
    )


def test_an_adapter_whose_weights_have_moved_is_refused(
    spoilt: MLLM, trained: tuple[Path, Path], tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    moved = Path(shutil.copytree(trained[0], tmp_path / "moved"))
    weights = load_file(moved / "adapter_model.safetensors")
    renamed = {name.replace("language_model", "other_model"): value for name, value in weights.items()}
    save_file(renamed, moved / "adapter_model.safetensors")
    with pytest.raises(ModelError, match=r"do not match|changes no logit"):
        with_lora(spoilt, moved)


# --- what was asked for -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (("--task", "KTP"), "Did you mean 'KPT'"),
        (("--scenario", "1-Thef"), "Did you mean '1-Theft'"),
        (("--condition", "blanc"), "Did you mean 'blank'"),
        (("-o", "max_tokens=3"), "Did you mean 'max_new_tokens'"),
        (("-o", "batch_size=0"), "must be above 0"),
        (("--out", "{cases}"), "contains files, but no benchmark run"),
    ],
)
def test_what_is_not_there_is_told_with_the_nearest(
    cases: Path, tmp_path: Path, typed: tuple[str, ...], says: str
) -> None:
    typed = tuple(str(cases) if word == "{cases}" else word for word in typed)
    out = () if "--out" in typed else ("--out", tmp_path / "run")
    assert says in expect_error("bench", "run", cases, "--plugin", PLUGIN, *out, *typed)


def test_a_limit_takes_the_first_of_each_scenario_and_task(cases: Path) -> None:
    assert len(select_cases(read_benchmark(cases, "audio"), CaseFilter(limit=1))) == 24
    with pytest.raises(SeaError, match="no case matches"):
        select_cases(read_benchmark(cases, "audio"), CaseFilter(conditions=["no_media"], tasks=["Audio_only"]))

"""`sea bench run` on an image and an audio in one prompt, on the real class of an omni model with random weights."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from helpers.chat_server import Answer, chat_server, says
from helpers.cli import CliResult, expect_error, sea
from helpers.families import write_checkpoint

SMALL = "-o adapter.width=56 -o adapter.height=56 -o adapter.seconds=1 -o max_new_tokens=4".split()


@pytest.fixture(scope="module")
def omni(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("omni")
    write_checkpoint("qwen2_5_omni", folder)
    return folder


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One case of a scenario and its benign twin, in all five tasks."""
    folder = tmp_path_factory.mktemp("cases") / "cases"
    size = ("-o", "image.width=56", "-o", "image.height=56", "-o", "audio.media=wav")
    assert sea("bench", "build", "image+audio", "--out", folder, "--limit", 1, *size).code == 0
    assert (folder / "Image+audio/1-Theft/BOTH/0/audio.wav").is_file()
    return folder


def run_bench(cases: Path, omni: Path, run: Path, *more: object) -> CliResult:
    model = ("--plugin", "auto", "--modality", "image+audio", "--model", omni, "--dtype", "float32", "--device", "cpu")
    return sea("bench", "run", cases, *model, "--out", run, "--scenario", "1-Theft", "--json", *SMALL, *more)


def answers(run: Path) -> dict[str, dict[str, Any]]:
    records = [json.loads(line) for line in (run / "answers.jsonl").read_text().splitlines()]
    return {record["task"]: record for record in records if not record["benign"]}


def test_cases_of_both_modalities_are_answered_judged_and_reported(cases: Path, omni: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    counts = run_bench(cases, omni, run).json()
    assert (counts["cases"], counts["answered"]) == (10, 10)
    assert (counts["preflight"]["media"], counts["preflight"]["media_changed"]) == (4, 4)
    records = answers(run)
    assert records["BOTH"]["media"] == "Image+audio/1-Theft/BOTH/0"
    assert records["BOTH"]["prompt"].startswith("The image and audio show an activity.")
    digests = [records[task]["media_sha256"] for task in ("IMAGE", "AUDIO", "BOTH", "SPLIT")]
    assert len(set(digests)) == 4
    assert sea("bench", "judge", run).code == 0
    (table,) = json.loads(sea("bench", "report", run, "--format", "json").out)[
        "tables"
    ]  # what it answers is no language
    assert list(dict.fromkeys(row["task"] for row in table["rows"])) == ["Text_only", "IMAGE", "AUDIO", "BOTH", "SPLIT"]


def test_a_medium_that_is_not_whole_gets_no_answer(cases: Path, omni: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(cases, tmp_path / "cases"))
    media = copy / "Image+audio/1-Theft"
    (media / "BOTH/0/audio.wav").unlink()
    shutil.copy(media / "AUDIO/0/audio.wav", media / "IMAGE/0/audio.wav")
    shutil.copy(media / "SPLIT/0/image.jpg", media / "SPLIT/0/second.jpg")
    counts = run_bench(copy, omni, tmp_path / "run").json(code=1)
    assert (counts["answered"], counts["missing"], counts["unreadable"]) == (7, 1, 2)
    details = {task: record["detail"] for task, record in answers(tmp_path / "run").items() if "detail" in record}
    assert details == {
        "BOTH": "missing medium audio.wav",
        "IMAGE": "the medium was changed since the benchmark was built: its digest differs",
        "SPLIT": "it has two files of image, 'image.jpg' and 'second.jpg'",
    }


def test_a_folder_without_the_joint_set_is_named(cases: Path) -> None:
    message = expect_error("bench", "check", cases, "--modality", "audio")
    assert "It has: image+audio." in message


@pytest.mark.parametrize("held", ["image", "audio"])
def test_a_model_that_ignores_one_of_two_media_is_refused(cases: Path, omni: Path, tmp_path: Path, held: str) -> None:
    found = run_bench(cases, omni, tmp_path / "run", "--task", "BOTH", "--task", "SPLIT", "-o", f"adapter.hold={held}")
    assert found.code == 2
    assert f"the model ignores the {held} of its media" in found.err
    assert not (tmp_path / "run" / "answers.jsonl").exists()


def test_a_server_need_not_hear_where_no_case_has_a_sound(cases: Path, tmp_path: Path) -> None:
    def deaf(request: dict[str, Any], _: int) -> Answer:
        parts = request["messages"][-1]["content"]
        seen = [part for part in parts if part["type"] != "input_audio"] if isinstance(parts, list) else parts
        return says(f"It shows {sha256(json.dumps(seen).encode()).hexdigest()}.")

    with chat_server(deaf) as server:
        url = ("--server", server.url, "--served-model", "scripted-1", "--modality", "image+audio")
        assert sea("bench", "run", cases, *url, "--out", tmp_path / "run", "--task", "IMAGE").code == 0


@pytest.mark.parametrize("left_out", ["image_url", "input_audio"])
def test_a_server_that_takes_one_of_two_media_is_refused(cases: Path, tmp_path: Path, left_out: str) -> None:
    def partly_blind(request: dict[str, Any], _: int) -> Answer:
        parts = request["messages"][-1]["content"]
        taken = [part for part in parts if part["type"] != left_out] if isinstance(parts, list) else parts
        return says(f"It shows {hash(json.dumps(taken))}.")

    with chat_server(partly_blind) as server:
        url = ("--server", server.url, "--served-model", "scripted-1", "--modality", "image+audio")
        message = expect_error("bench", "run", cases, *url, "--out", tmp_path / "run", "--task", "BOTH")
    assert f"the model ignores the parts {left_out} of its media" in message

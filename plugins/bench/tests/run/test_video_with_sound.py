"""A video and an audio in one case, on a scripted server: no bundled model takes both."""

from __future__ import annotations

import json
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from helpers.chat_server import Answer, ChatServer, chat_server, says
from helpers.cli import CliResult, expect_error, sea
from sea_bench.run.run_folder import BenchRun


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cases")
    assert sea("bench", "build", "video+audio", "--out", folder, "--limit", 1, "-o", "audio.media=wav").code == 0
    return folder


def run_bench(cases: Path, server: ChatServer, out: Path) -> CliResult:
    url = ("--server", server.url, "--served-model", "scripted-1", "--modality", "video+audio")
    return sea("bench", "run", cases, *url, "--out", out, "--scenario", "1-Theft", "--json")


def describes(request: dict[str, Any], _: int) -> Answer:
    return says(f"It shows {sha256(json.dumps(request['messages']).encode()).hexdigest()}.")


def test_a_case_with_a_video_and_an_audio_is_sent_answered_and_judged(cases: Path, tmp_path: Path) -> None:
    with chat_server(describes) as server:
        counts = run_bench(cases, server, tmp_path / "run").json()
        contents = [request["messages"][-1]["content"] for request in server.requests]
    assert (counts["cases"], counts["answered"], counts["described"]) == (10, 10, 8)
    kinds = Counter(tuple(part["type"] for part in each) for each in contents if isinstance(each, list))
    assert kinds["video_url", "input_audio", "text"] > 0
    both = BenchRun(tmp_path / "run").answered_records()["video+audio/1-Theft/BOTH/0"]
    assert both["prompt"].startswith("The video and audio show an activity.")
    assert sorted(file.name for file in (cases / str(both["media"])).iterdir()) == ["audio.wav", "video.mp4"]
    assert sea("bench", "judge", tmp_path / "run").code == 0
    page = tmp_path / "page.html"
    assert sea("report", tmp_path / "run", "--out", page).code == 0
    assert page.read_text(encoding="utf-8").count("<audio") == 6  # of both sets: AUDIO, BOTH and SPLIT


def test_a_server_that_leaves_out_the_sound_of_a_video_is_refused(cases: Path, tmp_path: Path) -> None:
    def deaf(request: dict[str, Any], number: int) -> Answer:
        turn = request["messages"][-1]
        if isinstance(turn["content"], list):
            turn["content"] = [part for part in turn["content"] if part["type"] != "input_audio"]
        return describes(request, number)

    with chat_server(deaf) as server:
        url = ("--server", server.url, "--served-model", "scripted-1", "--modality", "video+audio")
        message = expect_error("bench", "run", cases, *url, "--out", tmp_path / "run")
    assert "the model ignores the parts input_audio of its media" in message

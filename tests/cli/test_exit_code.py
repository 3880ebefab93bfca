"""Exit codes: 0 done, 1 finished with failures that are listed, 2 wrong input, 130 stopped (test_stop.py)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from helpers.chat_server import chat_server, says
from helpers.cli import sea
from helpers.cli_runs import PLUGIN, FinishedRun, optimize_command
from sea_core.runs.jsonl import JsonlLog


def test_the_codes_are_explained() -> None:
    help_text = " ".join(sea("--help").out.split())
    assert "1 finished with failures, which are listed" in help_text


def test_examples_without_an_embedding_are_failures(finished: FinishedRun, tmp_path: Path) -> None:
    """Every example failed: neither the command nor the verification of its run ends as if it were done."""
    result = sea(*optimize_command(finished.examples, tmp_path / "run", "-o", "steps=1", "--json"))
    assert result.json(code=1)["succeeded"] == 0
    assert "Finished with failures: examples without an embedding: 3." in result.err
    verified = sea("verify", tmp_path / "run")
    assert verified.code == 1
    assert "so that nothing can be verified: 3" in verified.err
    assert (finished.result.code, sea("verify", finished.run).code) == (0, 0)


def test_an_example_that_another_recipe_covers_is_no_failure(finished: FinishedRun, tmp_path: Path) -> None:
    command = optimize_command(finished.examples, tmp_path / "run", "--limit", "1", "--json", "--no-verify")
    options = ("--recipe", "plain,noise", "-o", "noise.steps=0.001", "-o", "noise.strength=5")
    result = sea(*command, *options)
    assert (result.json()["succeeded"], result.json()["done"]) == (1, 2)


@pytest.mark.parametrize(("readable", "code"), [(1, 1), (0, 1)])
def test_media_without_an_embedding_are_failures(tmp_path: Path, readable: int, code: int) -> None:
    lines = [{"file_name": f"{i}.wav", "instruction": "Do it.", "response": "No.", "harmful": True} for i in range(2)]
    (tmp_path / "metadata.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for i in range(readable):
        soundfile.write(tmp_path / f"{i}.wav", np.zeros(8000, np.float32), 16_000)
    result = sea("encode", tmp_path, "--plugin", PLUGIN, "--out", tmp_path / "run", "--json")
    assert result.json(code)["encoded"] == readable


def test_answers_without_a_verdict_are_failures(finished: FinishedRun, tmp_path: Path) -> None:
    run = finished.copy(tmp_path)
    with chat_server(lambda *_: says("I would rather not say.")) as server:
        result = sea("verify", run, "--judge", "openai", "-o", "llm.model=m", "-o", f"llm.base_url={server.url}")
    assert result.code == 1
    assert "answers without a verdict of openai" in result.err
    assert {verdict["verdict"] for verdict in JsonlLog(run / "verdicts.jsonl").read()} >= {"named"}


def test_limits_of_a_bundled_model_come_before_the_work(finished: FinishedRun, tmp_path: Path) -> None:
    """Before the first step, for whatever the model is used for."""
    for command in (
        ("plan", finished.examples, "--plugin", PLUGIN),
        optimize_command(finished.examples, tmp_path / "run", "--limit", "1", "--no-verify"),
    ):
        assert sea(*command).err.startswith("note: This bundled model knows only the toy world")

"""Run folders of somebody else: their manifests name code and models that must not be run or fetched."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from helpers.cli import expect_error, sea
from helpers.cli_runs import QUICK, FinishedRun, write_demo_examples
from helpers.hostile import SECRET, Canary, edit_json, open_hostile, refused

COMMANDS: dict[str, tuple[str, ...]] = {"verify": ("verify",), "align": ("align", "--out", "OUT")}


def with_run(command: str, run: Path) -> list[object]:
    name, *more = COMMANDS[command]
    return [name, run, *(run.parent / "out" if word == "OUT" else word for word in more)]


@pytest.fixture
def run(finished: FinishedRun, canary: Canary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with a Python file in it and beside it, in the current folder."""
    run = finished.copy(tmp_path)
    monkeypatch.chdir(tmp_path)
    for file in (tmp_path / "shared/helper.py", tmp_path / "helper.py", run / "helper.py"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(canary.code)
    return run


@pytest.mark.parametrize("name", ["shared/helper.py", "helper.py", "../helper", "RUN/helper.py"])
def test_a_run_names_no_code_to_run(name: str, run: Path, canary: Canary) -> None:
    value = name.replace("RUN", str(run))
    edit_json(run / "run.json", lambda manifest: manifest["identity"]["model"].update(plugin=value))
    for command in COMMANDS:
        assert "there is no plugin" in refused(canary, *with_run(command, run))


def test_no_other_key_of_a_run_names_code(run: Path, canary: Canary) -> None:
    def change(manifest: Any) -> None:
        for keys in (manifest, manifest["metadata"], manifest["metadata"]["model"], manifest["identity"]["model"]):
            keys |= dict.fromkeys(("plugin_source", "plugin_path", "source_file", "module"), "shared/helper.py")

    edit_json(run / "run.json", change)
    for command in (["show", run], ["verify", run]):
        assert open_hostile(canary, *command).code in (0, 1, 2)


def test_a_run_made_with_a_file_needs_that_file_from_the_user(
    canary: Canary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = "from sea_core import hookimpl\nfrom sea_qwen2_audio.adapter import Qwen2AudioAdapter\n\n"
    source += "@hookimpl\ndef sea_adapters():\n    return [Qwen2AudioAdapter()]\n"
    plugin = tmp_path / "mine.py"
    plugin.write_text(source)
    examples = write_demo_examples(tmp_path / "rows.jsonl", 1)
    sea("optimize", examples, "--plugin", "./mine.py", "--out", "run", "--no-verify", *QUICK, "--json").json()
    assert "mine.py" not in (tmp_path / "run/run.json").read_text()
    plugin.write_text(source + canary.code)
    for command in COMMANDS:
        message = refused(canary, *with_run(command, tmp_path / "run"))
        assert "mine.py" in message
        assert "--plugin ./mine.py" in message
    plugin.write_text(source + "# edited\n")
    given = sea("verify", tmp_path / "run", "--plugin", "./mine.py", "--json")
    assert given.json()["vsr"] is not None
    assert "the run was made with sha256:" in given.err
    assert "not with qwen2_audio" in expect_error("verify", tmp_path / "run", "--plugin", "qwen2_audio")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_model_that_a_run_names_is_not_downloaded(
    command: str, finished: FinishedRun, canary: Canary, tmp_path: Path
) -> None:
    run = finished.copy(tmp_path)
    edit_json(run / "run.json", lambda manifest: manifest["metadata"]["model"].update(checkpoint="evil/model"))
    message = refused(canary, *with_run(command, run))
    assert "names the model evil/model, which is not on this machine" in message
    assert "--model" in message


RUN_LINKS = (
    "run.json",
    "verify.jsonl",
    "answers.jsonl",
    "analysis.jsonl",
    "index.parquet",
    ".lock",
    ".run.json.part",
    "blocks",
    "shards",
)


@pytest.mark.parametrize("name", RUN_LINKS)
def test_a_link_out_of_a_run_is_followed_by_no_command(
    name: str, finished: FinishedRun, canary: Canary, tmp_path: Path
) -> None:
    run = finished.copy(tmp_path)
    if (run / name).is_file():
        (run / name).unlink()
    if not (run / name).is_dir():
        (run / name).symlink_to(canary.secret)
    else:
        (run / name / "more").symlink_to(canary.secret.parent)
    for command in (["show", run], ["check", run], *(with_run(command, run) for command in COMMANDS)):
        assert "leads out of the folder" in refused(canary, *command)
    assert canary.secret.read_text() == SECRET


def test_a_pipe_in_a_run_does_not_block(finished: FinishedRun, canary: Canary, tmp_path: Path) -> None:
    run = finished.copy(tmp_path)
    (run / "verify.jsonl").unlink()
    os.mkfifo(run / "verify.jsonl")
    for command in COMMANDS:
        assert "neither a file nor a folder" in refused(canary, *with_run(command, run))


def test_a_new_run_is_not_started_through_a_link(finished: FinishedRun, canary: Canary, tmp_path: Path) -> None:
    folder = tmp_path / "prepared"
    folder.mkdir()
    (folder / ".lock").symlink_to(canary.secret)
    refused(canary, "optimize", finished.examples, "--plugin", "qwen2_audio", "--out", folder, *QUICK)
    assert canary.secret.read_text() == SECRET

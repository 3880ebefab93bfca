"""`sea plugins warm`: a tiny random model becomes one on which an optimisation converges."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForImageTextToText

from helpers import bidirectional
from helpers.bidirectional import save_bidirectional_model
from helpers.cli import expect_error, sea, sea_process
from helpers.families.checkpoint import write_checkpoint
from sea_core.pipeline import warm

GEMMA = bidirectional.__file__


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random LLaVA."""
    folder = tmp_path_factory.mktemp("random") / "model"
    write_checkpoint("llava", folder)
    return folder


@pytest.fixture(scope="module")
def warmed(checkpoint: Path) -> Path:
    folder = checkpoint.with_name("warmed")
    command = ("plugins", "warm", "--plugin", "llava", "--model", checkpoint, "--out", folder, "--phrases", "4")
    found = sea(*command, "--json").json()
    assert (found["lessons"], found["wrong"]) == (16, [])
    return folder


def test_an_optimisation_converges_on_a_warmed_model_and_not_before(
    checkpoint: Path, warmed: Path, tmp_path: Path
) -> None:
    command = ("optimize", "--plugin", "llava", "--limit", "4", "-o", "steps=100", "--json")
    before = sea(*command, "--model", checkpoint, "--out", tmp_path / "before", "--no-verify").json(code=1)
    done = sea(*command, "--model", warmed, "--out", tmp_path / "after")
    assert before["osr"] == 0
    assert done.json()["osr"] == 1
    assert "its results say nothing about a real model" in done.err


def test_styles_that_a_warmed_model_was_not_taught_are_named(warmed: Path, tmp_path: Path) -> None:
    text = "from sea_llava.adapter import LlavaAdapter\nfrom sea_core import hookimpl\n\n\nclass Other(LlavaAdapter):\n"
    text += '    styles = ("painted", "framed")\n\n\n@hookimpl\ndef sea_adapters():\n    return [Other()]\n'
    (tmp_path / "other.py").write_text(text)
    command = ("optimize", "--model", warmed, "--limit", 1, "-o", "steps=1", "--no-verify")
    shown = sea(*command, "--plugin", tmp_path / "other.py", "--out", tmp_path / "other").err
    assert "it was warmed with another adapter's styles, and knows no framed: examples in these styles fail" in shown
    assert "another adapter's styles" not in sea(*command, "--plugin", "llava", "--out", tmp_path / "same").err


def test_only_what_follows_the_projector_has_changed(checkpoint: Path, warmed: Path) -> None:
    models = [AutoModelForImageTextToText.from_pretrained(folder) for folder in (checkpoint, warmed)]
    first, second = (dict(model.named_parameters()) for model in models)
    changed = {name for name in first if not torch.equal(first[name], second[name])}
    after_the_projector = {name for name in first if "language_model" in name or name.startswith("lm_head")}
    assert changed == after_the_projector


def test_the_processor_is_copied(checkpoint: Path, warmed: Path) -> None:
    for name in ("tokenizer.json", "chat_template.jinja"):
        assert (warmed / name).read_bytes() == (checkpoint / name).read_bytes()


def test_a_model_that_cannot_learn_in_so_few_steps_gives_exit_code_1(tmp_path: Path) -> None:
    save_bidirectional_model(tmp_path / "random")
    command = ("plugins", "warm", "--plugin", GEMMA, "--model", tmp_path / "random", "--out", tmp_path / "warmed")
    done = sea(*command, "--steps", "2", "--phrases", "2", "--json")
    wrong = done.json(code=1)["wrong"]
    assert len(wrong) == 8
    assert all(each["question"] and each["answer"] != each["taught"] for each in wrong)
    assert json.loads((tmp_path / "warmed" / "sea.json").read_text())["warmed"]["steps"] == 2


def test_the_wrong_answers_are_shown_beside_what_was_taught(tmp_path: Path) -> None:
    save_bidirectional_model(tmp_path / "random")
    command = ("plugins", "warm", "--plugin", GEMMA, "--model", tmp_path / "random", "--out", tmp_path / "warmed")
    shown = " ".join(sea(*command, "--steps", "1", "--phrases", "1").out.split())
    for part in ("question", "taught", "answered", "What is the style of the image?"):
        assert part in shown


def test_settings_of_the_adapter_are_taken(tmp_path: Path) -> None:
    for command in (("plugins", "check", "qwen2_audio"), ("plugins", "warm", "-p", "qwen2_audio", "--out", tmp_path)):
        assert "adapter.seconds is 0.0" in expect_error(*command, "-o", "adapter.seconds=0")
        assert "adapter.seconds" in expect_error(*command, "-o", "adapter.second=1")


def test_a_model_that_is_not_tiny_is_refused(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "MAX_WEIGHTS", 1000)
    command = ("plugins", "warm", "--plugin", "llava", "--model", checkpoint, "--out", tmp_path / "warmed")
    assert "this is for tiny models" in expect_error(*command)
    assert not (tmp_path / "warmed").exists()


def test_a_folder_with_files_is_refused(checkpoint: Path) -> None:
    command = ("plugins", "warm", "--plugin", "llava", "--model", checkpoint, "--out", checkpoint)
    assert "is not an empty folder" in expect_error(*command)


def test_ctrl_c_leaves_no_folder(checkpoint: Path, tmp_path: Path) -> None:
    command = ("plugins", "warm", "--plugin", "llava", "--model", checkpoint, "--out", tmp_path / "warmed")
    process = sea_process(*command, "--steps", "100000", "--phrases", "70")
    with pytest.raises(Exception, match="timed out"):
        process.wait(timeout=6)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []

"""`--chat-template FILE`: a model without a chat template is used with the user's, from the run to the export."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from transformers import AutoProcessor

from helpers.cli import expect_error, sea
from sea_core.plugin import loader

NO_MEDIUM = "{% for m in messages %}{% for part in m.content %}{{ part.text }}{% endfor %}{% endfor %}"
UNUSABLE = {
    "unfinished": ("{% for m in messages %}\n{{ m.content", "unfinished.jinja:2: this is not Jinja"),
    "prose": ("# How to use this model", "prose.jinja: the chat template leaves out the question"),
    "no_medium": (NO_MEDIUM, "no_medium.jinja: the chat template puts 0 placeholders <image> in a prompt without"),
    "always": (
        NO_MEDIUM + "<image>",
        "always.jinja: the chat template puts 1 placeholders <image> in a prompt",
    ),
    "raising": ("{{ raise_exception('no') }}", "raising.jinja fails: TemplateError: no"),
    "escaping": ("{{ messages.__class__.__mro__ }}", "escaping.jinja fails: SecurityError"),
}


@pytest.fixture(scope="module")
def own() -> Path:
    """The bundled model's own template."""
    return Path(loader.get_adapter("llava")[1].checkpoint) / "chat_template.jinja"


@pytest.fixture(scope="module")
def bare(own: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled model without its template."""
    folder = tmp_path_factory.mktemp("bare") / "model"
    shutil.copytree(own.parent, folder)
    (folder / "chat_template.jinja").unlink()
    return folder


@pytest.fixture(scope="module")
def run(bare: Path, own: Path) -> Path:
    folder = bare.with_name("run")
    template = ("--chat-template", own)
    done = sea(
        "optimize", "--plugin", "llava", "--model", bare, "--limit", "4", *template, "--out", folder, "--no-verify"
    )
    assert done.code == 0, done.err
    return folder


def test_a_model_without_a_template_asks_for_one(bare: Path, tmp_path: Path) -> None:
    message = expect_error("optimize", "--plugin", "llava", "--model", bare, "--limit", "1", "--out", tmp_path / "run")
    assert f"{bare} has no chat template" in message
    assert "type: --chat-template" in message


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_template_is_refused_by_its_name(name: str, bare: Path, tmp_path: Path) -> None:
    text, problem = UNUSABLE[name]
    file = tmp_path / f"{name}.jinja"
    file.write_text(text)
    command = ("optimize", "--plugin", "llava", "--model", bare, "--limit", "1", "--out", tmp_path / "run")
    assert problem in expect_error(*command, "--chat-template", file)


def test_a_missing_file_is_refused_by_its_name(bare: Path, tmp_path: Path) -> None:
    missing = tmp_path / "none.jinja"
    command = ("plugins", "check", "llava", "--model", bare, "--chat-template", missing)
    assert f"there is no file or folder {missing}" in expect_error(*command)


def test_a_plugin_is_checked_with_a_template(bare: Path, own: Path) -> None:
    found = sea("plugins", "check", "llava", "--model", bare, "--chat-template", own, "--json").json()
    assert {rule["state"] for rule in found["rules"]} <= {"pass", "not tested"}


def test_a_run_gives_the_numbers_of_the_model_with_that_template(run: Path, own: Path, tmp_path: Path) -> None:
    assert json.loads((run / "run.json").read_text())["identity"]["model"]["chat_template"] == own.read_text()
    again = tmp_path / "run"
    assert sea("optimize", "--plugin", "llava", "--limit", "4", "--out", again, "--no-verify").code == 0
    losses = [[record["loss"] for record in sea("show", folder, "--json").json()] for folder in (run, again)]
    assert losses[0] == losses[1]


def test_verify_uses_the_template_of_the_run(run: Path) -> None:
    assert sea("verify", run, "--json").json()["osr"] == 1


def test_a_run_is_not_resumed_with_another_template(run: Path, bare: Path, own: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jinja"
    other.write_text(own.read_text() + " ")
    command = ("optimize", "--plugin", "llava", "--model", bare, "--limit", "4", "--out", run, "--no-verify")
    assert "the chat template differs" in expect_error(*command, "--chat-template", other)


@pytest.mark.usefixtures("exports_load_here")
def test_an_alignment_exports_the_template(run: Path, own: Path, tmp_path: Path) -> None:
    quick = ("-o", "trainer.max_steps=1", "-o", "trainer.learning_rate=1e-2", "--no-spot-check")
    assert sea("align", run, "--method", "sft", "--out", tmp_path / "model", *quick).code == 1  # one step is not enough
    for name in ("adapter", "merged"):
        assert AutoProcessor.from_pretrained(tmp_path / "model" / name).chat_template == own.read_text()

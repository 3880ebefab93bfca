"""`sea plugins new NAME --from MODEL`: a derived adapter, written down as a plugin that needs nothing of this one."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from helpers.cli import expect_error, sea
from helpers.type_check import type_errors
from sea_core.errors import ModelError
from sea_core.model.checkpoint import fingerprint
from sea_core.pipeline.model_target import ModelTarget
from sea_llava.adapter import LlavaAdapter


@pytest.mark.parametrize(
    ("family", "modality"),
    [
        ("qwen3_vl", "image"),
        ("audioflamingo3", "audio"),
        ("llava", "image"),
        ("voxtral", "audio"),
        ("qwen2_5_omni", "image+audio"),
    ],
)
def test_a_written_adapter_fulfils_the_contract_without_sea_auto(
    checkpoint: Any, family: str, modality: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, model = tmp_path / "plugin", checkpoint(family)
    command = ("plugins", "new", f"mine_{family}", "--from", model, "--modality", modality, "--out", folder, "--json")
    files = {str(Path(file).relative_to(folder)) for file in sea(*command).json()["files"]}
    package = folder / f"sea_mine_{family}"
    assert files == {
        "README.md",
        "pyproject.toml",
        f"{package.name}/__init__.py",
        f"{package.name}/adapter.py",
        "tests/test_contract.py",
    }
    source = (package / "adapter.py").read_text()
    imported = {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    assert not any(str(name).startswith("sea_auto") for name in imported)
    assert max(map(len, source.splitlines())) <= 120
    assert re.findall(r"@[A-Z_]+@", source) == []

    monkeypatch.syspath_prepend(str(folder))
    checked = sea("plugins", "check", package / "__init__.py", "--json").json()
    states = {rule["rule"]: rule["state"] for rule in checked["rules"]}
    assert set(states.values()) <= {"pass", "not tested"}
    untested = {name for name, state in states.items() if state == "not tested"}
    assert untested <= {"mixed_batch"}, untested  # a replayed model is aligned one example at a time


def test_a_written_plugin_has_the_requirements_of_its_code(checkpoint: Any, tmp_path: Path) -> None:
    command = ("plugins", "new", "ears", "--from", checkpoint("audioflamingo3"), "--modality", "audio")
    written = sea(*command, "--out", tmp_path / "plugin")
    assert written.code == 0
    assert f"pip install -e '{tmp_path / 'plugin'}[test]'" in " ".join(written.err.split())
    project = (tmp_path / "plugin/pyproject.toml").read_text()
    assert '"soxr"' in project
    assert 'description = "SEA plugin ears, for the modality audio"' in project
    assert type_errors(tmp_path / "plugin/sea_ears", folder=tmp_path) == ""


def test_a_written_plugin_moves_with_its_model(
    checkpoint: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, moved = tmp_path / "project", tmp_path / "elsewhere"
    model, plugin = project / "models/x", project / "plugins/eyes"
    shutil.copytree(checkpoint("llava"), model)
    command = ("plugins", "new", "eyes", "--from", model, "--modality", "image", "--out", plugin, "--json")
    files = [Path(file) for file in sea(*command).json()["files"]]
    assert not [file for file in files if str(tmp_path) in file.read_text()]

    identity = fingerprint(str(model), None)
    project.rename(moved)
    monkeypatch.syspath_prepend(str(moved / "plugins/eyes"))
    target = ModelTarget.find(str(moved / "plugins/eyes/sea_eyes/__init__.py"))
    assert target.checkpoint == str(moved / "models/x")
    assert target.fingerprint() == identity
    shutil.rmtree(moved / "models")
    with pytest.raises(ModelError, match=f"there is no model folder {moved / 'models/x'}"):
        target.fingerprint()


def test_only_derived_adapters_are_written_down(tmp_path: Path) -> None:
    command = ("plugins", "new", "mine", "--from", LlavaAdapter.checkpoint, "--modality", "image", "--plugin", "llava")
    assert "derives no adapter" in expect_error(*command, "--out", tmp_path / "plugin")
    assert not (tmp_path / "plugin").exists()

"""`sea doctor` finds what is wrong with a machine, and `sea` alone shows where to start."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from helpers.cli import expect_error, sea
from helpers.fresh_venv import FreshVenv
from sea_core.plugin import loader
from sea_core.runs.digests import CACHE_VARIABLE


def findings(*arguments: str, code: int = 0) -> dict[tuple[str, str], dict[str, Any]]:
    found = sea("doctor", "--json", *arguments).json(code)
    return {(finding["area"], finding["subject"]): finding for finding in found}


def test_this_machine_makes_an_embedding() -> None:
    found = findings()
    (test,) = (finding["found"] for (area, _), finding in found.items() if area == "self-test")
    assert test.startswith("made in ")
    assert {area for area, _ in found} >= {"versions", "libraries", "device", "memory", "disk", "plugins", "keys"}


def test_keys_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1234567890")
    monkeypatch.setenv("HF_TOKEN", "hf_1234567890")
    shown = sea("doctor", "--no-self-test")
    assert "1234567890" not in shown.out + shown.err
    assert findings("--no-self-test")["keys", "OPENAI_API_KEY"]["found"] == "set"
    monkeypatch.delenv("OPENAI_API_KEY")
    assert findings("--no-self-test")["keys", "OPENAI_API_KEY"]["found"].startswith("not set")


def test_what_cannot_be_written_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, "/proc/sea")  # nobody can write there, root neither
    cache = findings("--no-self-test", code=1)["disk", "cache of SEA"]
    assert cache["fault"]
    assert "cannot be written" in cache["found"]
    assert cache["remedy"] == f"export {CACHE_VARIABLE}=FOLDER"


def test_broken_plugin_and_failed_self_test_are_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = loader.bundled_adapters()

    def broken(kind: str = "") -> list[loader.Plugin]:
        return [loader.Plugin("eeg", "sea-eeg", "0.1", error="it has no adapter")]

    monkeypatch.setattr(loader, "installed", broken)
    monkeypatch.setattr(loader, "bundled_adapters", lambda: bundled)
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    shown = sea("doctor")
    assert shown.code == 1
    assert "FAULT eeg: it has no adapter\n  To fix it: pip install --upgrade sea-eeg" in shown.err
    assert "FAULT one embedding" in shown.err


def test_a_check_that_raises_is_a_fault_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("CUDA error: unspecified launch failure")

    monkeypatch.setattr("sea_core.model.placement.resolve_device", broken)
    found = findings("--no-self-test", code=1)
    assert (
        found["device", "device"]["found"] == "cannot be checked: RuntimeError: CUDA error: unspecified launch failure"
    )
    assert ("keys", "HF_TOKEN") in found


def test_missing_library_is_a_fault_without_a_traceback(tmp_path: Path) -> None:
    venv = FreshVenv.create(tmp_path, without=["trl", "peft"])
    found = {finding["subject"]: finding for finding in json.loads(venv.output("sea doctor --json", code=1))}
    assert found["trl"]["fault"]
    assert found["trl"]["found"] == "is not installed (sea-core)"
    assert found["trl"]["remedy"].startswith("pip install 'trl>=")
    assert "device" not in {finding["area"] for finding in found.values()}


def test_sea_alone_shows_where_to_start() -> None:
    shown = sea()
    assert shown.code == 0
    lines = [line.strip() for line in shown.out.splitlines() if line.strip().startswith("sea ")]
    names = {shlex.split(line)[1] for line in lines}
    assert names == {"doctor", "optimize", "show", "align", "data", "prepare", "plan", "report"}
    plugin = loader.bundled_adapters()[0][0].name
    assert any(line.startswith(f"sea optimize --plugin {plugin} ") for line in lines)
    assert "there is no command" in expect_error("doctors")


def test_completion_of_the_shell() -> None:
    """As bash asks for it, with the script that `sea --install-completion` writes."""
    typed = {"_SEA_COMPLETE": "complete_bash", "COMP_WORDS": "sea opt", "COMP_CWORD": "1"}
    code = "import sys; sys.argv = ['sea']; from sea_core.cli.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ, **typed}
    )
    assert done.stdout.split() == ["optimize"]

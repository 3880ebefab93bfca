"""The command line as a whole: help, version, exit codes, what goes to stdout, what it costs to start."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import sea_core
from helpers.cli import CliResult, sea_process
from sea_core import SeaError
from sea_core.cli import app, output

NOT_COMMANDS = {"app", "options", "output", "progress", "synthesis"}
FILES = {file.stem for file in Path(app.__file__).parent.glob("*.py")}
COMMANDS = sorted(name for name in FILES - NOT_COMMANDS if "_" not in name)
"""A file without `_` in its name is a command; what commands share has one, or is listed above."""
HEAVY = {"torch", "transformers", "trl", "peft", "datasets", "numpy", "pandas", "pyarrow", "safetensors"}


def sea(*arguments: object) -> CliResult:
    """Run `sea` in a process of its own: what is looked at here is how it starts."""
    process = sea_process(*arguments)
    out, err = process.communicate()
    return CliResult(process.returncode, out, err)


def run_main(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, raising: BaseException) -> CliResult:
    """Run `sea plugins` in this process, where looking plugins up raises `raising`."""

    def fail() -> None:
        raise raising

    monkeypatch.setattr("sea_core.plugin.loader.installed", fail)
    monkeypatch.setattr(sys, "argv", ["sea", "plugins", "--json"])
    with pytest.raises(SystemExit) as leaving:
        app.main()
    said = capsys.readouterr()
    assert isinstance(leaving.value.code, int)
    return CliResult(leaving.value.code, said.out, said.err)


def test_folder_equals_help() -> None:
    listed = [info.name or "" for info in app.app.registered_commands + app.app.registered_groups]
    assert sorted(listed) == COMMANDS
    said = sea("--help")
    assert said.code == 0
    assert all(f" {name} " in said.out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    said = sea(name, "--help")
    assert said.code == 0, said.err
    assert "--json" in said.out or "COMMAND" in said.out


def test_version() -> None:
    assert sea("--version") == CliResult(0, f"sea {sea_core.__version__}\n", "")


@pytest.mark.parametrize("arguments", [("modality",), ("modalities", "--jsn"), ("modalities", "audio")])
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...]) -> None:
    said = sea(*arguments)
    assert (said.code, said.out) == (2, "")
    assert "Traceback" not in said.err


@pytest.mark.parametrize("command", ["modalities", "plugins"])
def test_json_is_one_value_and_nothing_else(command: str) -> None:
    assert isinstance(json.loads(sea(command, "--json").out), list)


@pytest.mark.parametrize("arguments", [["--help"], ["modalities", "--json"], ["plugins", "--json"]])
def test_start_imports_nothing_heavy(arguments: list[str]) -> None:
    code = f"""
import atexit, sys
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
sys.argv = ["sea", *{arguments!r}]
from sea_core.cli.app import main
main()"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stderr.split())


def test_sea_error_is_told_in_words(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    said = run_main(capsys, monkeypatch, SeaError("The [red] lamp is gone.", hint="Type light.", where="rows.jsonl:7"))
    assert said == CliResult(2, "", "error: rows.jsonl:7: The [red] lamp is gone.\n  Type light.\n")


def test_interrupt_says_how_to_go_on(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    said = run_main(capsys, monkeypatch, KeyboardInterrupt())
    assert said == CliResult(130, "", "stopped; the same command goes on from here\n")


def test_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # typer sets its own
    monkeypatch.setattr("sea_core.plugin.loader.installed", lambda: 1 / 0)
    monkeypatch.setattr(sys, "argv", ["sea", "plugins"])
    with pytest.raises(ZeroDivisionError):
        app.main()


def test_numbers_json_does_not_know_become_null(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"loss": float("nan"), "rows": [(1, float("inf"))], "run": Path("runs/a"), "name": "ünï"}
    output.emit(value, True, lambda: "unused")
    assert json.loads(capsys.readouterr().out) == {"loss": None, "rows": [[1, None]], "run": "runs/a", "name": "ünï"}

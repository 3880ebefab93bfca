"""The command line as a whole: help, version, exit codes, what goes to stdout, what it costs to start."""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import EntryPoints
from pathlib import Path
from typing import Any

import pytest

import sea_core
from helpers.cli import CliResult, expect_error, sea, sea_process, sea_with_modules
from sea_core import SeaError
from sea_core.cli import app, options, output
from sea_core.data.formats.published import PUBLISHED_SETS
from sea_core.data.formats.registry import FORMATS
from sea_core.model.libraries import install_command
from sea_core.plugin import loader
from sea_core.runs.folder_kind import WRITTEN

NAMES = [name for commands in app.COMMANDS.values() for name in commands]
SUBCOMMANDS = ["data check", "data convert", "plugins list", "plugins new", "plugins check"]
SLOW = {"torch", "transformers", "trl", "peft", "datasets", "pandas"}
HEAVY = {"torch", "transformers", "trl", "peft", "datasets", "numpy", "pandas", "pyarrow", "safetensors"}


def start_sea(*arguments: object) -> CliResult:
    """Run `sea` in a process of its own, as a shell does."""
    process = sea_process(*arguments)
    out, err = process.communicate()
    return CliResult(process.returncode, out, err)


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make what the commands below read, so that only the rest of what is typed is wrong; commands run beside it."""
    monkeypatch.chdir(tmp_path)
    for folder in ("run", "media", "cases", "model"):
        Path(folder).mkdir()
    Path("cases", "questions.json").write_text("{}")
    Path("study.yaml").touch()


def run_main(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, raising: BaseException) -> CliResult:
    """Run `sea plugins` in this process, where looking plugins up raises `raising`."""

    def fail() -> None:
        raise raising

    monkeypatch.setattr("sea_core.plugin.loader.installed", fail)
    monkeypatch.setattr(sys, "argv", ["sea", "plugins", "--json"])
    with pytest.raises(SystemExit) as leaving:
        app.main()
    result = capsys.readouterr()
    assert isinstance(leaving.value.code, int)
    return CliResult(leaving.value.code, result.out, result.err)


def test_help_lists_every_command_in_the_order_of_the_work() -> None:
    shown = start_sea("--help")
    assert shown.code == 0
    positions = [re.search(rf"^\W+{name} ", shown.out, re.MULTILINE) for name in NAMES]
    assert all(positions)
    starts = [match.start() for match in positions if match]
    assert starts == sorted(starts)
    panels = [shown.out.index(f"─ {panel} ─") for panel in ("Data", "Synthesise", "Align", "Extend")]
    assert panels == sorted(panels)


@pytest.mark.parametrize("name", [*NAMES, *SUBCOMMANDS])
def test_every_command_has_help(name: str) -> None:
    shown = sea(*name.split(), "--help")
    assert shown.code == 0, shown.err
    assert f" {name} " in shown.out
    assert "--json" in shown.out or "COMMAND" in shown.out


def test_help_lists_the_formats() -> None:
    published = {entry.name for entry in PUBLISHED_SETS}
    assert options.FORMATS.split(", ") == [name for name in FORMATS.names() if name not in published]


def test_version() -> None:
    assert start_sea("--version") == CliResult(0, f"sea {sea_core.__version__}\n", "")


@pytest.mark.parametrize("arguments", [("modality",), ("modalities", "--jsn"), ("modalities", "audio")])
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...]) -> None:
    result = start_sea(*arguments)
    assert (result.code, result.out) == (2, "")
    assert "Traceback" not in result.err


@pytest.mark.parametrize("command", ["modalities", "plugins", "plugins list", "settings"])
def test_json_is_one_value_and_nothing_else(command: str) -> None:
    assert isinstance(json.loads(start_sea(*command.split(), "--json").out), list)


def test_plugins_without_a_command_lists_them() -> None:
    assert sea("plugins").out == sea("plugins", "list").out


@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize("command", ["optimize", "plan", "prepare", "encode media", "styles media"])
def test_plugin_is_required(command: str) -> None:
    shown = sea(*command.split())
    assert (shown.code, shown.out) == (2, "")
    assert "Missing option '--plugin'" in shown.err


def test_debug_raises_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # typer sets its own
    monkeypatch.setattr(sys, "argv", ["sea", "--debug", "settings", "nonesuch"])
    with pytest.raises(SeaError, match="there is no command 'nonesuch'"):
        app.main()


def test_a_command_of_a_distribution_that_is_not_installed_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = {
        group.info.name: plugin.distribution for plugin in loader.installed("commands") for group in plugin.commands
    }
    assert set(groups) >= {"bench", "study", "toy"}
    monkeypatch.setattr("sea_core.plugin.loader.entry_points", lambda group: EntryPoints())
    for name, distribution in groups.items():
        shown = expect_error(name)
        assert f"`sea {name}` comes from {distribution}, which is not installed" in shown
        assert install_command(distribution) in shown


def test_the_commands_that_folders_are_shown_and_shared_with_exist() -> None:
    named = {command: kind for kind in WRITTEN for command in (kind.shown_by, kind.pushed_by) if command}
    for command, kind in named.items():
        _, group, *names = command.split()
        assert sea(group, *names, "--help").code == 0
        assert kind.distribution == app.PACKAGES.get(group, "")


def test_a_command_of_a_distribution_that_is_broken_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = loader.Plugin("bench", "sea-bench", "0.1", error="it needs sea-core >=99")
    monkeypatch.setattr("sea_core.plugin.loader.installed", lambda kind="": [broken])
    assert "`sea study` comes from sea-bench, which cannot be used: it needs sea-core >=99" in expect_error("study")


# --------------------------------------------------------------------------------------------------------- settings


def groups(*arguments: object) -> dict[str, dict[str, Any]]:
    """Return the settings that `sea settings` lists, by prefix and name."""
    value = json.loads(sea("settings", *arguments, "--json").out)
    return {group["prefix"]: {setting["name"]: setting for setting in group["settings"]} for group in value}


def test_settings_of_a_command() -> None:
    found = groups("optimize", "--plugin", "qwen2_audio")
    assert list(found)[:3] == ["", "adapter", "llm"]
    assert found[""]["lr"] == {
        "name": "lr",
        "default": 0.1,
        "type": "number or auto",
        "bounds": "above 0, at most 100",
        "meaning": found[""]["lr"]["meaning"],
    }
    assert found[""]["lr"]["meaning"].startswith("Adam's step size")
    assert found["adapter"]["adapter.seconds"]["default"] == 10.0
    assert found["noise"]["noise.strength"]["bounds"] == "above 0"
    assert "benign-start.lr" in found["benign-start"]


def test_settings_of_an_adapter_need_its_plugin() -> None:
    assert groups("encode")["adapter"] == {}
    assert "height" in str(groups("encode", "--plugin", "qwen2_vl", "--modality", "image"))
    assert "several modalities" in sea("settings", "encode", "--plugin", "qwen2_vl").err


def test_commands_with_settings_are_listed() -> None:
    listed = {each["command"]: each["settings"] for each in json.loads(sea("settings", "--json").out)}
    assert {"prepare", "plan", "optimize", "verify", "encode", "align"} <= listed.keys()
    assert listed["plan"] == listed["optimize"]
    assert listed["verify"] == ["workers", "llm.*", "analysis.*"]


def test_settings_are_drawn_as_tables() -> None:
    shown = sea("settings", "verify").out
    assert "The linear probe of --compare-with." in shown
    assert re.search(r"analysis.l2 +1.0 +number; above 0 +Strength", shown)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("optimise", "Did you mean 'optimize'?"),
        ("plugins chek", "Did you mean 'check'?"),
        ("show", "`sea show` takes no settings"),
        ("align --plugin lava", "Did you mean 'llava'?"),
        ("optimize --plugin llva", "Did you mean 'llava'?"),
        ("optimize --plugin bench", "Plugins with adapters: auto"),
        ("optimize lr", "there is no command 'optimize lr'"),
    ],
)
def test_settings_of_what_has_none_is_an_error(command: str, message: str) -> None:
    shown = sea("settings", *command.split())
    assert (shown.code, shown.out) == (2, "")
    assert message in shown.err


@pytest.mark.parametrize("arguments", [[], ["--help"], ["modalities", "--json"], ["plugins", "--json"]])
def test_start_imports_nothing_heavy(arguments: list[str]) -> None:
    result, imported = sea_with_modules(*arguments)
    assert result.code == 0
    assert not HEAVY & imported
    assert "pydantic" not in imported or arguments != ["--help"]  # typer imports it to read values


@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize(
    "command",
    [
        "optimize --plugin lava",
        "encode media --plugin lava",
        "plan --plugin lava",
        "verify run --plugin lava",
        "plugins check lava",
        "modalities --model ./model --plugin lava",
        "bench run cases --out run --plugin lava",
        "toy build tiny --plugin lava",
    ],
)
def test_unknown_plugin_is_refused_before_anything_heavy_is_imported(command: str) -> None:
    result, imported = sea_with_modules(*command.split())
    assert result.code == 2
    assert "error: there is no plugin 'lava'. Did you mean 'llava'?" in result.err
    assert not HEAVY & imported


BENCH_RUN = "bench run cases --out run --plugin llava"


@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("optimize --plugin llava -o workers=-1", "workers is -1, but it must be at least 0"),
        ("optimize --plugin llava -o noise.strenght=1", "Did you mean 'noise.strength'?"),
        ("optimize --plugin llava -o adapter.imagesize=1", "there is no setting 'adapter.imagesize'"),
        ("optimize --plugin llava --recipe plane", "Did you mean 'plain'?"),
        ("optimize --plugin llava --recipe subspace", "the recipe subspace needs benign media"),
        ("plan --plugin llava -o lr=0", "lr is 0, but it must be above 0"),
        ("plan --plugin llava --align -o epohcs=1", "Did you mean 'epochs'?"),
        ("align run -o epohcs=1", "Did you mean 'epochs'?"),
        ("encode media --plugin llava -o workers=-1", "workers is -1, but it must be at least 0"),
        ("encode media --plugin llava --dtype float31", "float31"),
        ("verify run -o wokers=1", "Did you mean 'workers'?"),
        ("verify run --judge lexicall", "Did you mean 'lexical'?"),
        ("plugins warm --plugin llava --out model -o adapter.imagesize=1", "there is no setting 'adapter.imagesize'"),
        (f"{BENCH_RUN} -o batch_size=0", "batch_size is 0, but it must be above 0"),
        (f"{BENCH_RUN} --defence steering -o defence.steering.layer=-1", "it must be at least 0"),
        ("bench compare cases --out run --plugin llava -o batch_size=0", "batch_size is 0, but it must be above 0"),
        ("bench judge run -o workers=-1", "workers is -1, but it must be at least 0"),
        ("toy align run -o epohcs=1", "Did you mean 'epochs'?"),
        ("worker run -o llm.model=m", "changes nothing without --judge openai or transformers"),
    ],
)
def test_what_is_typed_wrong_is_refused_before_anything_heavy_is_imported(command: str, message: str) -> None:
    result, imported = sea_with_modules(*command.split())
    assert result.code == 2
    assert message in result.err
    assert not SLOW & imported


NO_DATA = "none.jsonl: There is no such file."
NO_FOLDER = "there is no folder none"
NO_PATH = "there is no file or folder none"


@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("optimize none.jsonl --plugin llava", NO_DATA),
        ("optimize empty.jsonl --plugin llava", "empty.jsonl: The file holds no records."),
        ("optimize hf:a/b/c --plugin llava", "hf:a/b/c is not the name of a hub data set."),
        ("optimize --plugin llava --styles none", NO_PATH),
        ("optimize --plugin llava --chat-template none", NO_PATH),
        ("prepare none.jsonl --plugin llava", NO_DATA),
        ("plan none.jsonl --plugin llava", NO_DATA),
        ("encode none.jsonl --plugin llava", NO_DATA),
        ("encode media --plugin llava --media-root none", NO_PATH),
        ("align none", NO_FOLDER),
        ("align run --extra-text none.jsonl", NO_DATA),
        ("align run --eval-media none.jsonl", NO_DATA),
        ("verify none", NO_FOLDER),
        ("verify run --compare-with none", NO_PATH),
        ("worker none", NO_FOLDER),
        ("worker run --media-root none", NO_PATH),
        ("styles none --plugin llava", NO_PATH),
        ("plugins check llava --sample none", NO_PATH),
        ("modalities --model ./model --ask --media none", NO_PATH),
        ("data check none.jsonl --plugin llava", NO_DATA),
        ("bench run none --out answers --plugin llava", NO_FOLDER),
        ("bench run cases --out answers --plugin llava --lora none", "none is not a LoRA adapter"),
        ("bench compare none --out answers --plugin llava", NO_FOLDER),
        ("bench judge none", NO_FOLDER),
        ("bench push none hf:me/answers", NO_FOLDER),
        ("study run none", NO_PATH),
        ("study report none", NO_FOLDER),
        ("report none", NO_FOLDER),
        ("push none hf:me/run", NO_FOLDER),
        ("toy align none", NO_FOLDER),
        ("toy check none --plugin llava", NO_PATH),
        ("toy study --real model --text none.jsonl", NO_DATA),
    ],
)
def test_what_is_not_there_is_refused_before_anything_heavy_is_imported(command: str, message: str) -> None:
    Path("empty.jsonl").touch()
    result, imported = sea_with_modules(*command.split())
    assert result.code == 2
    assert message in result.err
    assert not SLOW & imported


def test_sea_error_is_printed_in_words(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    result = run_main(
        capsys, monkeypatch, SeaError("The [red] lamp is gone.", hint="Type light.", where="rows.jsonl:7")
    )
    assert result == CliResult(2, "", "error: rows.jsonl:7: The [red] lamp is gone.\n  Type light.\n")


@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize(
    ("command", "resumes"),
    [
        ("plugins list", False),
        ("plugins check toy", False),
        ("optimize --plugin toy", True),
        ("bench run cases --out run", True),
        ("bench report runs", False),
        ("study run study.yaml", True),
    ],
)
def test_interrupt_says_how_to_resume_only_where_that_is_possible(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str, resumes: bool
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("typer.core.TyperCommand.invoke", interrupt)
    monkeypatch.setattr(sys, "argv", ["sea", *command.split()])
    with pytest.raises(SystemExit, match="130"):
        app.main()
    assert capsys.readouterr().err == f"Stopped.{' Re-run the same command to resume.' * resumes}\n"


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

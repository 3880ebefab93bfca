"""A bug in a plugin is reported as the plugin's; any other bug keeps its traceback."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sea_core import MLLM, ModelError, SeaError
from sea_core.cli import app
from sea_core.plugin import loader
from sea_core.plugin.isolation import attribute_to_plugin, catch_any

HEAD = """
from sea_core import DataError, hookimpl
from sea_qwen2_audio.adapter import Qwen2AudioAdapter

class Broken(Qwen2AudioAdapter):
"""
TAIL = """

@hookimpl
def sea_adapters():
    return [Broken(seconds=1)]
"""
FAULTS = {
    "blank_input": ("    def blank_input(self, processor):\n        return {}['mel']", "KeyError: 'mel'", 7),
    "inputs": (
        "    def inputs(self, processor, texts, media):\n        return self.helper()\n"
        "    def helper(self):\n        raise ValueError('no\\nears')",
        "ValueError: no ears",
        9,
    ),
    "projector": (
        "    def projector(self, model):\n        return model.get_submodule('nose')",
        "AttributeError: .*",
        7,
    ),
    "split": (
        "    def split(self, crossed, inputs):\n        return [e for e in crossed if 1 / 0]",
        "ZeroDiv.*: .*",
        7,
    ),
}


@pytest.fixture
def broken(tmp_path: Path) -> Callable[[str], Path]:
    def write(method: str) -> Path:
        file = tmp_path / "broken.py"
        file.write_text(f"{HEAD}{method}{TAIL}")
        return file

    return write


def sea(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """Run the command line in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["sea", *map(str, arguments)])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # typer sets its own
    with pytest.raises(SystemExit) as exit_:
        app.main()
    assert isinstance(exit_.value.code, int)
    return exit_.value.code


def load(file: Path) -> Any:
    _, adapter = loader.get_adapter(str(file))
    return MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))


@pytest.mark.parametrize("method", FAULTS)
def test_bug_in_a_plugin_names_plugin_method_and_line(method: str, broken: Callable[[str], Path]) -> None:
    code, raised, line = FAULTS[method]
    file = broken(code)
    error = catch_any(lambda: load(file).blank())
    assert error is not None
    reported = attribute_to_plugin(error)
    assert reported is not None
    place = re.escape(f"{file}:{line}")
    assert re.fullmatch(rf"plugin {file}: Broken\.{method} raised {raised} \({place}\)", reported.what), reported.what
    assert f"sea plugins check {file}" in reported.hint


def test_command_line_reports_it_and_debug_raises_it(
    broken: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = broken(FAULTS["inputs"][0])
    command = ("optimize", "--plugin", file, "--limit", "1", "--out", tmp_path / "run")
    assert sea(monkeypatch, *command) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"error: plugin {file}: Broken.inputs raised ValueError: no ears ({file}:9)\n" in printed.err
    with pytest.raises(ValueError, match="no\nears"):
        sea(monkeypatch, "--debug", *command)


def test_check_reports_it_rule_by_rule(
    broken: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sea(monkeypatch, "plugins", "check", broken(FAULTS["split"][0])) == 1
    printed = capsys.readouterr()
    assert re.search(r"^ +fail +The blank input is the same every time\. *$", printed.out, re.M)
    assert "it raised ZeroDivisionError: division by zero" in printed.out
    assert re.search(r"^ +pass +The noun fits into every prompt template\. *$", printed.out, re.M)
    assert re.search(r"^\d of 31 rules hold\.$", printed.err, re.M)


def test_a_wrong_path_of_a_module_names_the_right_one_and_rules_not_run_share_a_line(
    broken: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = broken("    def projector(self, model):\n        return model.embed_tokens")
    assert sea(monkeypatch, "plugins", "check", file) == 1
    printed = capsys.readouterr()
    table = " ".join(printed.out.split())
    assert re.search(r"Qwen2AudioForConditionalGeneration has \S*language_model\S*\.embed_tokens\.", table), table
    assert "not run 26 rules: it needs the model blank, files, prompt," in table
    assert "Finished with failures: rules violated: 1; rules not run: 26." in printed.err


def test_a_model_folder_that_is_not_there_is_no_fault_of_the_plugin(
    broken: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sea(monkeypatch, "plugins", "check", broken(FAULTS["split"][0]), "--model", "./none") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "there is no model folder ./none" in printed.err


def test_sea_error_raised_by_a_plugin_is_not_changed(broken: Callable[[str], Path]) -> None:
    file = broken("    def blank_input(self, processor):\n        raise DataError('No ears.', hint='Buy some.')")
    error = catch_any(lambda: load(file).blank())
    assert isinstance(error, SeaError)
    assert (error.what, error.hint) == ("No ears.", "Buy some.")


def test_bug_in_the_core_is_not_attributed_to_the_plugin(broken: Callable[[str], Path]) -> None:
    mllm = load(broken("    pass"))
    error = catch_any(lambda: mllm.prompt_ids("?", 2))  # type: ignore[arg-type]
    assert isinstance(error, TypeError)
    assert attribute_to_plugin(error) is None


def test_bug_in_a_library_called_by_the_plugin_is_attributed_to_the_plugin(broken: Callable[[str], Path]) -> None:
    file = broken("    def split(self, crossed, inputs):\n        return [crossed.reshape(7)]")
    error = catch_any(lambda: load(file).blank())
    assert error is not None
    reported = attribute_to_plugin(error)
    assert reported is not None
    assert "Broken.split raised RuntimeError: shape '[7]' is invalid" in reported.what


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("    def split(self, crossed, inputs):\n        return crossed", r"split returned \(1, 50, 96\) for 1 audios"),
        (
            "    def split(self, crossed, inputs):\n        return [crossed] * 2",
            r"a list of \(1, 50, 96\), \(1, 50, 96\)",
        ),
        ("    def split(self, crossed, inputs):\n        pass", "split returned an object of type NoneType"),
        ("    def inputs(self, processor, texts, media):\n        return texts", "returned a list of .* type str"),
    ],
)
def test_wrong_return_type_raises(code: str, message: str, broken: Callable[[str], Path]) -> None:
    file = broken(code)
    with pytest.raises(ModelError, match=message) as error:
        load(file).blank()
    assert error.value.what.startswith("Broken.")
    assert error.value.hint.startswith("It must return")

"""`sea plugins new`: the scaffolded package can be installed, and reports what is left to write."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from helpers.cli import expect_error
from helpers.fresh_venv import FreshVenv
from helpers.type_check import type_errors
from sea_core import PluginError
from sea_core.plugin import scaffold
from sea_core.plugin.scaffold.write import write_plugin
from sea_qwen2_audio.adapter import Qwen2AudioAdapter

PASSING = {"noun", "prefixes", "light"}
"""The rules of the contract that hold for a plugin as scaffolded."""


def test_scaffold_installs_and_its_tests_report_what_to_write(tmp_path: Path) -> None:
    venv = FreshVenv.create(tmp_path)
    files = json.loads(venv.output("sea plugins new my_smell --modality smell --out mine --json"))["files"]
    assert sorted(files) == [
        "mine/README.md",
        "mine/pyproject.toml",
        "mine/sea_my_smell/__init__.py",
        "mine/sea_my_smell/adapter.py",
        "mine/tests/test_contract.py",
    ]
    venv.output("pip install -e mine")
    (plugin,) = [plugin for plugin in json.loads(venv.output("sea plugins --json")) if plugin["plugin"] == "my_smell"]
    assert (plugin["distribution"], plugin["modalities"], plugin["error"]) == ("sea-my-smell", ["smell"], None)

    tested = venv.run("pytest -q -p no:cacheprovider mine")
    assert tested.returncode == 1
    assert "3 passed" in tested.stdout
    assert all(f"test_contract[{name}]" not in tested.stdout for name in PASSING)
    failed = re.findall(r"^E +AssertionError: .*\n^E +(.*)$", tested.stdout, re.M)
    assert len(failed) == len(rule_names()) - len(PASSING)
    for seen in failed:
        assert seen.startswith(("`styles` is ()", "there is no model folder")), seen

    # With a model, the next method to write is named.
    adapter = tmp_path / "mine/sea_my_smell/adapter.py"
    text = adapter.read_text()
    for name, value in (("architectures", repr(Qwen2AudioAdapter.architectures)), ("styles", "('sweet',)")):
        text = text.replace(f"{name}: ClassVar[tuple[str, ...]] = ()", f"{name}: ClassVar[tuple[str, ...]] = {value}")
    adapter.write_text(text)
    checked = venv.run(f"sea plugins check my_smell --model {Qwen2AudioAdapter.checkpoint} --json")
    assert checked.returncode == 1
    rules = {rule["rule"]: rule for rule in json.loads(checked.stdout)["rules"]}
    assert rules["styles"]["state"] == "pass"
    assert rules["parts"]["problem"] == "projector is not written yet: return the module."
    assert rules["parts"]["advice"].startswith(f"Write it in {adapter}")
    assert rules["blank"]["state"] == "not run"


def rule_names() -> list[str]:
    from sea_core.plugin.contract.check import RULES

    return [rule.name for rule in RULES]


def test_template_covers_every_abstract_method_and_attribute() -> None:
    from sea_core import Adapter

    text = (Path(scaffold.__file__).parent / "adapter.txt").read_text()
    optional = {"split"}  # its default fits media that are one row of the batch each
    assert set(re.findall(r'PluginError\("(\w+) is not written yet', text)) == Adapter.__abstractmethods__ | optional
    written = {*re.findall(r"^    (\w+): ClassVar", text, re.M)}
    assert written == set(Adapter.__annotations__) - {"language"}  # English, as the texts of the template


def test_every_mark_is_filled_in(tmp_path: Path) -> None:
    for file in write_plugin("two-words", "smell", tmp_path / "new"):
        assert not re.search(r"@[A-Z]+@", file.read_text() + str(file))
    adapter = (tmp_path / "new/sea_two_words/adapter.py").read_text()
    assert "class TwoWordsAdapter(Adapter)" in adapter
    compile(adapter, "adapter.py", "exec")


def test_the_scaffold_and_the_examples_of_the_documents_type_check(tmp_path: Path) -> None:
    adapter = write_plugin("my_smell", "smell", tmp_path / "new")[0].parent / "sea_my_smell"
    examples = Path(__file__).parents[2] / "docs/examples"
    paths = (adapter, examples / "sea_eeg/sea_eeg", examples / "deep_features.py")
    assert type_errors(*paths, folder=tmp_path) == ""


@pytest.mark.parametrize(
    ("name", "modality"),
    [("My Plugin", "eeg"), ("1eeg", "eeg"), ("eeg", ""), ("eeg", "a b"), ("../eeg", "eeg"), ("class", "eeg")],
)
def test_invalid_names_raise(name: str, modality: str, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="is not a valid identifier") as error:
        write_plugin(name, modality, tmp_path / "new")
    assert error.value.hint
    assert not list(tmp_path.iterdir())


def test_the_name_of_an_installed_plugin_is_refused(tmp_path: Path) -> None:
    for name in ("llava", "qwen2-audio"):
        for more in ((), ("--from", tmp_path)):
            out = tmp_path / "new"
            message = expect_error("plugins", "new", name, "--modality", "image", "--out", out, *more)
            assert f"a plugin {name.replace('-', '_')} is installed already, by sea-{name}" in message
            assert not out.exists()


def test_folder_that_is_not_empty_is_not_changed(tmp_path: Path) -> None:
    write_plugin("eeg", "eeg", tmp_path)
    before = (tmp_path / "pyproject.toml").read_text()
    with pytest.raises(PluginError, match="already exists"):
        write_plugin("other", "eeg", tmp_path)
    assert (tmp_path / "pyproject.toml").read_text() == before


def test_what_a_kill_left_is_completed_and_what_was_edited_is_not_changed(tmp_path: Path) -> None:
    first, second, *_ = write_plugin("eeg", "eeg", tmp_path)
    expected = second.read_bytes()
    second.rename(second.with_name(f".{second.name}.part"))
    assert first in write_plugin("eeg", "eeg", tmp_path)
    assert second.read_bytes() == expected
    assert not list(tmp_path.rglob(".*.part"))
    second.write_text("edited")
    with pytest.raises(PluginError, match="already exists"):
        write_plugin("eeg", "eeg", tmp_path)
    assert second.read_text() == "edited"


def test_folder_is_named_after_the_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert str(write_plugin("my_eeg", "eeg")[0].parent) == "sea-my-eeg"

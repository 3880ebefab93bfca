"""docs/reference is what the commands and their settings generate."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from sea_core.cli.reference import main, pages
from sea_core.model.adapter import Adapter
from sea_core.plugin import hookspecs, loader

REFERENCE = Path(__file__).parents[2] / "docs/reference"

pytestmark = pytest.mark.skipif(
    not all(map(find_spec, ("sea_bench", "sea_toy", "sea_llava", "sea_qwen2_audio", "sea_qwen2_vl"))),
    reason="the reference includes the commands and adapters of these plugins",
)


@pytest.mark.parametrize("name", ["cli.md", "settings.md", "adapter.md"])
def test_reference_is_up_to_date(name: str) -> None:
    assert (REFERENCE / name).read_text(encoding="utf-8") == pages()[name], "type: make reference"


def test_pages_are_written_into_a_folder(tmp_path: Path) -> None:
    main(tmp_path / "reference")
    assert {file.name for file in (tmp_path / "reference").iterdir()} == set(pages())


def test_reference_covers_every_command_and_setting() -> None:
    cli, settings = pages()["cli.md"], pages()["settings.md"]
    for command in ("data check", "optimize", "plugins new", "settings", "bench run", "toy build"):
        assert f"### sea {command}\n" in cli
    for setting in ("lr", "llm.model", "noise.strength", "adapter.seconds", "generator.voice", "guard.model"):
        assert f"| `{setting}` |" in settings


def test_what_a_plugin_imports_is_there() -> None:
    page = (REFERENCE / "plugin-api.md").read_text(encoding="utf-8")
    hooks = re.findall(r"^\| `(sea_\w+)` \| (?:`([\w.]+)`)?", page.split("## Modules")[0], re.MULTILINE)
    assert [name for name, _ in hooks] == sorted(name for name in vars(hookspecs) if name.startswith("sea_"))
    modules = re.findall(r"^\| `(sea_core[\w.]*)` \| (.*?) \|", page.split("## Modules")[1], re.MULTILINE)
    named = [
        (module, name) for module, names in modules for name in re.findall(r"`(\w+)`", names) if name != "sea_core"
    ]
    named += [path.rsplit(".", 1) for _, path in hooks if path]
    assert len(named) > 30
    missing = [name for module, name in named if not hasattr(import_module(module), name)]
    assert missing == []


def test_contributing_lists_every_hook() -> None:
    text = (REFERENCE.parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(sea_\w+)` \|", text, re.MULTILINE)
    declared = {name for name in vars(hookspecs) if name.startswith("sea_")}
    assert listed == sorted(declared)
    assert {name.removeprefix("sea_") for name in declared} == set(loader.Plugin("x", "x", "1").labels())


def test_reference_has_every_attribute_and_method_of_an_adapter() -> None:
    page = pages()["adapter.md"]
    names = {*Adapter.__annotations__, *(name for name in vars(Adapter) if not name.startswith("_"))}
    assert {name for name in names if f"| `{name}` |" not in page and f"### `{name}" not in page} == set()
    required, _, optional = page.partition("## Methods with a default")
    assert "### `blank_input(processor: Any) -> Any`" in required
    assert "### `placeholders(n_features: int) -> int`" in optional
    assert "return n_features\n" in optional


def test_pages_name_no_path_of_this_machine() -> None:
    for page in pages().values():
        assert str(Path.home()) not in page
        assert str(REFERENCE.parent) not in page

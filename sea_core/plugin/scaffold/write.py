"""Scaffold a plugin: a distribution that can be installed at once, with methods that say what to write in them."""

from __future__ import annotations

import keyword
import re
from importlib.metadata import version
from pathlib import Path

from sea_core.errors import PluginError

TEMPLATES = {
    "pyproject.txt": "pyproject.toml",
    "readme.txt": "README.md",
    "init.txt": "@PACKAGE@/__init__.py",
    "adapter.txt": "@PACKAGE@/adapter.py",
    "test.txt": "tests/test_contract.py",
}
"""Each template in this folder, and the file that it becomes."""


def write_plugin(name: str, modality: str, folder: Path | None = None) -> list[Path]:
    """Write a distribution and return its files.

    Args:
        name: the name of the plugin.
        modality: the modality of its adapter.
        folder: a new or empty folder; by default `sea-NAME`.

    Raises:
        PluginError: the name or the modality is not an identifier, or the folder is not empty.
    """
    _require_identifier("name", name)
    _require_identifier("modality", modality)
    name = name.replace("-", "_")
    distribution = f"sea-{name.replace('_', '-')}"
    folder = Path(distribution) if folder is None else folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PluginError(f"{folder} already exists and is not an empty folder", hint="Give a new folder with --out.")
    values = {
        "@NAME@": name,
        "@MODALITY@": modality,
        "@DISTRIBUTION@": distribution,
        "@PACKAGE@": f"sea_{name}",
        "@CLASS@": "".join(part.capitalize() for part in name.split("_")) + "Adapter",
        "@CORE@": _core_range(),
    }
    written = []
    for template, target in TEMPLATES.items():
        path = folder / _fill(target, values)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (Path(__file__).parent / template).read_text(encoding="utf-8")
        path.write_text(_fill(text, values), encoding="utf-8")
        written.append(path)
    return written


def _require_identifier(option: str, value: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*", value) or keyword.iskeyword(value):
        raise PluginError(
            f"the {option} {value!r} is not a valid identifier",
            hint="Use lower-case letters and digits, separated by _ : my_eeg",
        )


def _fill(text: str, values: dict[str, str]) -> str:
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text


def _core_range() -> str:
    """Return the range of sea-core versions that the plugin requires: from this one to before the next breaking one."""
    major, minor = (int(part) for part in version("sea-core").split(".")[:2])
    return f">={major}.{minor},<{major}.{minor + 1}" if major == 0 else f">={major}.{minor},<{major + 1}"

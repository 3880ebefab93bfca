"""Scaffold a plugin: a distribution that can be installed at once, with methods that say what to write in them."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from sea_core.errors import PluginError
from sea_core.runs.atomic import write_text

TEMPLATES = {
    "pyproject.txt": "pyproject.toml",
    "readme.txt": "README.md",
    "init.txt": "@PACKAGE@/__init__.py",
    "adapter.txt": "@PACKAGE@/adapter.py",
    "test.txt": "tests/test_contract.py",
}
"""Each template in this folder, and the file that it becomes."""
EXTRA = {"PIL": "pillow", "soxr": "soxr", "sea_core.model.video_files": "av"}
"""Modules that adapters import and the core does not need itself, with the distributions that they need."""
DERIVED_README = "readme_derived.txt"
"""The README of a plugin whose adapter is complete."""


def write_plugin(name: str, modality: str, folder: Path | None = None, *, adapter: str = "") -> list[Path]:
    """Write a distribution and return its files.

    Args:
        name: the name of the plugin.
        modality: the modality of its adapter.
        folder: a new or empty folder, or one that a stopped call began to write; by default `sea-NAME`.
        adapter: the source of a complete adapter, whose class is called `class_name(name)`; by default one with methods
            that say what to write in them.

    Raises:
        PluginError: the name or the modality is not an identifier, or the folder contains other files.
        RunError: a file cannot be written.
    """
    _require_identifier("name", name)
    for part in modality.split("+"):
        _require_identifier("modality", part)
    package = package_folder(name, folder)
    folder = package.parent
    values = {
        "@NAME@": name.replace("-", "_"),
        "@MODALITY@": modality,
        "@DISTRIBUTION@": package.name.replace("_", "-"),
        "@PACKAGE@": package.name,
        "@CLASS@": class_name(name),
        "@CORE@": _core_range(),
        "@MORE@": "".join(f', "{name}"' for name in _requirements(adapter)),
    }
    templates = {template: _read(template) for template in TEMPLATES}
    if adapter:
        templates |= {"adapter.txt": adapter, "readme.txt": _read(DERIVED_README)}
    texts = {
        folder / _fill(target, values): _fill(templates[template], values) for template, target in TEMPLATES.items()
    }
    _require_no_other_files(folder, texts)
    for path, text in texts.items():
        write_text(path, text)
    return list(texts)


def package_folder(name: str, folder: Path | None = None) -> Path:
    """Return the folder of a plugin's package; `folder` is its distribution's, as of `write_plugin`."""
    package = f"sea_{name.replace('-', '_')}"
    return (Path(package.replace("_", "-")) if folder is None else folder) / package


def class_name(name: str) -> str:
    """Return the name of the class of a plugin's adapter."""
    return "".join(part.capitalize() for part in name.replace("-", "_").split("_")) + "Adapter"


def _requirements(adapter: str) -> list[str]:
    """Return the distributions that an adapter's source imports, besides what sea-core itself needs."""
    return [name for module, name in EXTRA.items() if re.search(rf"^ *(import|from) {module}\b", adapter, re.M)]


def _require_no_other_files(folder: Path, texts: Mapping[Path, str]) -> None:
    """Check that a folder contains nothing but what is written to it: a stopped command may have begun."""
    files = [folder] if folder.is_file() else [path for path in folder.rglob("*") if not path.is_dir()]
    rest = {path.with_name(f".{path.name}.part") for path in texts}
    if any(path not in rest and (path not in texts or path.read_bytes() != texts[path].encode()) for path in files):
        raise PluginError(f"{folder} already exists and is not an empty folder", hint="Give a new folder with --out.")


def _read(template: str) -> str:
    return (Path(__file__).parent / template).read_text(encoding="utf-8")


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

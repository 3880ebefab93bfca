"""Write the beginnings of a plugin: a distribution that installs, and says what is left to write."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from sea_core import __version__
from sea_core.errors import PluginError

TEMPLATES = {
    "pyproject.txt": "pyproject.toml",
    "readme.txt": "README.md",
    "init.txt": "@PACKAGE@/__init__.py",
    "adapter.txt": "@PACKAGE@/adapter.py",
    "test.txt": "tests/test_contract.py",
}
"""Each template in this folder, and the file that it becomes."""


def write(name: str, modality: str, folder: Path | None = None) -> list[Path]:
    """Write a distribution and return its files. The folder is `sea-NAME` where none is given.

    Raises:
        PluginError: the name or the modality is not a plain word, or the folder has something in it.
    """
    for what, word in (("name", name), ("modality", modality)):
        if not re.fullmatch(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*", word) or keyword.iskeyword(word):
            raise PluginError(
                f"the {what} {word!r} is not a plain word", hint="Small letters, digits, and _ between them: my_eeg"
            )
    name = name.replace("-", "_")
    distribution = f"sea-{name.replace('_', '-')}"
    folder = Path(distribution) if folder is None else folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PluginError(f"{folder} is there already", hint="Give a new folder with --out.")
    words = {
        "@NAME@": name,
        "@MODALITY@": modality,
        "@DISTRIBUTION@": distribution,
        "@PACKAGE@": f"sea_{name}",
        "@CLASS@": "".join(part.capitalize() for part in name.split("_")) + "Adapter",
        "@CORE@": _core_range(),
    }
    written = []
    for template, target in TEMPLATES.items():
        path = folder / _filled(target, words)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (Path(__file__).parent / template).read_text(encoding="utf-8")
        path.write_text(_filled(text, words), encoding="utf-8")
        written.append(path)
    return written


def _filled(text: str, words: dict[str, str]) -> str:
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text


def _core_range() -> str:
    """Return which cores the plugin is for: this one up to the next that may break it."""
    major, minor = (int(part) for part in __version__.split(".")[:2])
    return f">={major}.{minor},<{major}.{minor + 1}" if major == 0 else f">={major}.{minor},<{major + 1}"

"""What to install: the library that a model needs, by the errors of transformers; distributions of this project."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import Distribution
from importlib.util import find_spec
from pathlib import Path

LIBRARIES = ("torchvision", "torchaudio", "timm", "sentencepiece", "tiktoken", "mistral-common", "num2words", "librosa")
"""What a model or its processor may need and SEA does not install, by its name on PyPI."""
ALSO = {"tiktoken": "sentencepiece tiktoken"}
"""What to install where transformers tries one library and names another."""
UNPINNED = ("inspect",)
"""Extras that need other versions than constraints.txt has."""
CHECKOUT = Path(__file__).parents[2]
"""The folder of the project, if this code is in a checkout."""


def missing_library(error: Exception) -> str | None:
    """Return the library whose absence an error of transformers is about, by its name on PyPI."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return error.name.partition(".")[0]
    text = str(error).lower()
    if "tokenizer from one of" in text:  # it names libraries too, but no file of a tokenizer was found
        return None
    return next((name for name in LIBRARIES if name in text and not find_spec(name.replace("-", "_"))), None)


def describe_need(what: str, library: str) -> tuple[str, str]:
    """Return the message and the hint of an error: `what` needs a library."""
    return f"{what} needs {library}, which is not installed", f"Type: pip install {ALSO.get(library, library)}"


def install_command(*requirements: str, checkout: Path = CHECKOUT) -> str:
    """Return what to type to install distributions of this project, such as `sea-bench[speech]`.

    In a checkout its folders are named, with those of what they need and is not installed: no index has them yet.
    """
    words = dict.fromkeys(word for each in requirements for word in _words(each, checkout))
    constraints = checkout / "constraints.txt"
    is_pinned = constraints.is_file() and not any(f"[{extra}]" in each for extra in UNPINNED for each in requirements)
    pins = [f"-c {_quote(constraints)}"] if is_pinned else []
    return " ".join(["pip install", *pins, *words])


def _words(requirement: str, checkout: Path) -> list[str]:
    name, bracket, extra = requirement.partition("[")
    if extra == "all]" and (checkout / "plugins").is_dir():
        return [f"-e {_quote(file.parent)}" for file in sorted(checkout.glob("plugins/*/pyproject.toml"))]
    folder = _folder(name, checkout)
    if not (folder / "pyproject.toml").is_file():
        return [_quote(requirement)]
    needed = [word for each in _missing(folder, checkout) for word in _words(each, checkout)]
    return [*needed, f"-e {_quote(f'{folder}{bracket}{extra}')}"]


def _folder(name: str, checkout: Path) -> Path:
    return checkout if name == "sea-core" else checkout / "plugins" / name.removeprefix("sea-").replace("-", "_")


def _missing(folder: Path, checkout: Path) -> list[str]:
    """Return the distributions of this project that one of them needs, and that are not installed."""
    project = tomllib.loads((folder / "pyproject.toml").read_text()).get("project", {})
    names = [match[0] for each in project.get("dependencies", ()) if (match := re.match(r"[\w-]+", each))]
    ours = [name for name in names if (_folder(name, checkout) / "pyproject.toml").is_file()]
    return [name for name in ours if not list(Distribution.discover(name=name))]


def _quote(word: object) -> str:
    return f"'{word}'" if re.search(r"[^\w./-]", str(word)) else str(word)

"""Rules of the house that a linter does not know."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sea_core

CORE = Path(sea_core.__file__).parent
FILES = sorted(CORE.rglob("*.py"))


def ids(file: Path) -> str:
    return str(file.relative_to(CORE))


@pytest.mark.parametrize("file", [file for file in FILES if "demo" not in file.parts], ids=ids)
def test_core_names_no_family(file: Path) -> None:
    assert not re.findall("llava|qwen|whisper|clip", file.read_text(), re.IGNORECASE)


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_core_imports_no_plugin(file: Path) -> None:
    assert not re.findall(r"^\s*(?:from|import) sea_(?!core\b)\w+", file.read_text(), re.MULTILINE)


@pytest.mark.parametrize("file", [file for file in FILES if file != CORE / "plugin/isolation.py"], ids=ids)
def test_only_one_file_catches_everything(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "everything"
            assert not re.search(r"\b(everything|Exception|BaseException)\b", caught), f"line {node.lineno}: {caught}"


@pytest.mark.parametrize("file", [file for file in FILES if file != CORE / "model/seam.py"], ids=ids)
def test_only_the_seam_hooks_modules(file: Path) -> None:
    assert not re.findall(r"register_\w*hook", file.read_text())


def test_every_public_name_is_there() -> None:
    for name in sea_core.__all__:
        assert getattr(sea_core, name) is not None
    assert set(sea_core.__all__) <= set(dir(sea_core))
    with pytest.raises(AttributeError, match="no attribute 'Adaptor'"):
        _ = sea_core.Adaptor  # type: ignore[attr-defined]


def test_no_public_name_is_a_module() -> None:
    modules = {path.stem for path in CORE.iterdir()}
    assert not modules & set(sea_core.__all__)


def test_core_imports_nothing_heavy() -> None:
    code = "import sys, sea_core; sea_core.Adapter; sea_core.Row; sea_core.hookimpl; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "numpy", "rich", "typer"} & set(done.stdout.split())

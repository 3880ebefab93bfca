"""Rules of the code that no linter knows. The direction of imports is checked by import-linter (pyproject.toml)."""

from __future__ import annotations

import ast
import contextlib
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

import sea_core

CORE = Path(sea_core.__file__).parent
ROOT = CORE.parent
CORE_FILES = sorted(CORE.rglob("*.py"))
ALL_FILES = [*CORE_FILES, *sorted(ROOT.glob("plugins/*/sea_*/**/*.py"))]
TEST_FILES = sorted([*ROOT.glob("tests/**/*.py"), *ROOT.glob("plugins/*/tests/**/*.py"), *ROOT.glob("benchmarks/*.py")])

TOP_MODULES = {"__init__.py", "config.py", "errors.py", "registry.py", "schema.py"}

VAGUE_NAMES = frozenset("told said heard some one look".split())
"""Words that say nothing about the thing that they name."""


@cache
def parse(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def relative(file: Path) -> str:
    return str(file.relative_to(ROOT))


def test_top_of_the_core_has_few_files() -> None:
    files = {path.name for path in CORE.iterdir() if path.is_file()}
    assert {name for name in files if name.endswith(".py")} == TOP_MODULES
    assert len(files) <= 6


def test_document_of_the_layout_has_the_layers_that_are_checked() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [set(layer.split(" | ")) for layer in contracts[0]["layers"]]
    table = (ROOT / "docs/explanation/layout.md").read_text().split("## ")[1]
    first_cells = re.findall(r"^\| (`.*?`) \|", table, re.M)
    listed = [Path(name).stem for cell in first_cells for name in re.findall(r"`(\S+?)/?`", cell)]
    for layer in layers:
        assert set(listed[: len(layer)]) == layer
        listed = listed[len(layer) :]
    assert listed == []


def matches(pattern: str, files: Iterable[Path], flags: re.RegexFlag = re.NOFLAG) -> list[str]:
    """Return what the pattern matches in the files, each with its file."""
    found = ((file, match[0]) for file in files for match in re.finditer(pattern, file.read_text(), flags))
    return [f"{relative(file)}: {text}" for file, text in found]


def test_core_names_no_model_family() -> None:
    # a guard model is named
    assert matches("llava|qwen(?!3guard)|whisper|clip", CORE_FILES, re.IGNORECASE) == []


def test_core_imports_no_plugin() -> None:
    assert matches(r"^\s*(?:from|import) sea_(?!core\b)\w+", CORE_FILES, re.MULTILINE) == []


def test_only_one_module_catches_every_exception() -> None:
    found = []
    for file in ALL_FILES:
        for node in ast.walk(parse(file)):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "everything"
                if re.search(r"\b(everything|Exception|BaseException)\b", caught):
                    found.append(f"{relative(file)}:{node.lineno}: {caught}")
    assert [place for place in found if not place.startswith("sea_core/plugin/isolation.py:")] == []
    assert found, "none is found in isolation.py either: this test finds nothing"


def test_only_the_seam_registers_forward_hooks() -> None:
    assert {place.split(":")[0] for place in matches(r"register_\w*hook", CORE_FILES)} == {"sea_core/model/seam.py"}


FLOAT64_FILES = {
    "sea_core/model/numerics.py": "the tolerance of a model in fp64",
    "sea_core/optimization/engine/attention_op.py": "keeps the dtype of what is in fp64",
    "sea_core/optimization/parametrizations/benign.py": "moves to the CPU where the device is mps",
}


def test_fp64_is_computed_on_the_cpu() -> None:
    """Apple's GPUs (mps) have no fp64."""
    found = matches(r"(?<!\.cpu\(\))\.double\(\)|torch\.(?:float64|double)\b", ALL_FILES)
    assert {place.split(":")[0] for place in found} == set(FLOAT64_FILES)


def test_each_class_name_is_defined_once() -> None:
    """Names of types too: `Estimate = tuple[float, Interval]`."""
    places = defaultdict(list)
    for file in ALL_FILES:
        classes = [(node.name, node.lineno) for node in ast.walk(parse(file)) if isinstance(node, ast.ClassDef)]
        for name, line in (*classes, *type_aliases(parse(file))):
            if not name.startswith("_"):
                places[name].append(f"{relative(file)}:{line}")
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def type_aliases(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield each name that a module gives to a type. The options of a command are `Annotated`, and no such names."""
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            is_type = isinstance(node.value, ast.Subscript | ast.BinOp | ast.Name | ast.Attribute)
            is_option = ast.unparse(node.value).startswith("Annotated[")
            if is_type and not is_option and isinstance(target, ast.Name) and re.match("_?[A-Z][a-z]", target.id):
                yield target.id, node.lineno


def test_names_say_what_they_name() -> None:
    defined = ((file, *found) for file in [*ALL_FILES, *TEST_FILES] for found in defined_names(parse(file)))
    assert [f"{relative(file)}:{line}: {name}" for file, name, line in defined if name in VAGUE_NAMES] == []


def defined_names(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield each variable, parameter, function, class and attribute that a module defines, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno
        elif isinstance(node, ast.alias) and node.asname:
            yield node.asname, node.lineno
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name, node.lineno


LOADERS = {"PeftModel", "PeftConfig"}
"""Classes whose `from_pretrained` runs no code of the checkpoint, and has no such argument."""
UNSAFE_CALLS = {
    *("eval", "exec", "__import__", "os.system", "os.popen", "torch.load", "pickle.load", "pickle.loads"),
    *("yaml.unsafe_load", "yaml.full_load", "joblib.load", "marshal.loads", "jinja2.Environment", "jinja2.Template"),
}


def test_nothing_that_is_loaded_may_bring_code() -> None:
    for file in ALL_FILES:
        for call in calls(parse(file)):
            require_safe(call, file)


def require_safe(call: ast.Call, file: Path) -> None:
    """Fail if a call may run code that is not SEA's own."""
    name, keywords = ast.unparse(call.func), {word.arg: ast.unparse(word.value) for word in call.keywords}
    place = f"{relative(file)}:{call.lineno}: {name}"
    assert name not in UNSAFE_CALLS, place
    assert keywords.get("shell", "False") == "False", place
    if name.endswith("from_pretrained") and name.partition(".")[0] not in LOADERS and None not in keywords:
        assert keywords.get("trust_remote_code") == "False", place
    if name.startswith("subprocess."):
        command = ast.unparse(parse(file))
        assert "sys.executable" not in command or "[sys.executable, '-P'," in command, place


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    """Yield each call of a module, and of the Python code in its texts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "from_pretrained(" in node.value:
            with contextlib.suppress(SyntaxError):
                yield from calls(ast.parse(node.value))


def test_every_public_name_exists() -> None:
    for name in sea_core.__all__:
        assert getattr(sea_core, name) is not None
    assert set(sea_core.__all__) <= set(dir(sea_core))
    with pytest.raises(AttributeError, match="no attribute 'Adaptor'"):
        _ = sea_core.Adaptor  # type: ignore[attr-defined]


def test_lazy_imports_are_those_that_type_checkers_see() -> None:
    (block,) = (node for node in parse(CORE / "__init__.py").body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.name: str(node.module) for node in imports for alias in node.names}
    lazy = {name: f"sea_core.{module}" for name, module in sea_core._MODULE_OF.items()}  # type: ignore[attr-defined]
    assert seen == lazy
    assert {*seen, "__version__"} == set(sea_core.__all__)


def test_no_public_name_is_a_module() -> None:
    modules = {path.stem for path in CORE.iterdir()}
    assert not modules & set(sea_core.__all__)


def test_core_imports_nothing_heavy() -> None:
    code = "import sys, sea_core; sea_core.Adapter; sea_core.Example; sea_core.hookimpl; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "numpy", "rich", "typer"} & set(done.stdout.split())

"""The page of docs/reference about the adapter, from its docstrings: what an author writes, and what has a default."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

from sea_core.model.adapter import Adapter
from sea_core.model.crossing import Crossing, ReplaySeam

INTRODUCTION = (
    "What a plugin's adapter may have. [Port a family](../how-to/port-a-family.md) says what each kind of model needs,",
    "and [Write a plugin](../tutorials/write-a-plugin.md) explains the parts one by one.",
)
SECTIONS = {True: "Methods that every adapter has", False: "Methods with a default"}
MAX_LINES = 3
"""A default of more lines is not shown."""


def adapter_lines() -> Iterator[str]:
    """Yield the lines of the page, without its title."""
    yield from (*INTRODUCTION, "", "## Class attributes", "")
    yield "They are `ClassVar`s; the fields of the dataclass are settings of its users (`-o adapter.seconds=5`)."
    yield from ("", "| attribute | type | default | meaning |", "|---|---|---|---|")
    for name, meaning in _attributes(Adapter).items():
        kind = str(Adapter.__annotations__.get(name, "bool")).removeprefix("ClassVar[").removesuffix("]")
        default = f"`{Adapter.__dict__[name]!r}`" if name in Adapter.__dict__ else "required"
        yield f"| `{name}` | `{kind}` | {default} | {meaning} |"
    methods = [each for name, each in vars(Adapter).items() if not name.startswith("_") and _is_method(each)]
    for is_required, title in SECTIONS.items():
        yield from ("", f"## {title}", "")
        for method in methods:
            if getattr(method, "__isabstractmethod__", False) == is_required:
                yield from _method_lines(method)
    yield from ("## What `replay` returns", "", "`from sea_core import Crossing, ReplaySeam`", "")
    for each in (ReplaySeam, Crossing):
        summary = (inspect.getdoc(each) or "").partition("\n")[0]
        yield from (f"### `{each.__name__}`", "", summary, "")
        types = each.__annotations__
        yield from (f"- `{name}: {types[name]}`: {meaning}" for name, meaning in _attributes(each).items())
        yield ""


def _is_method(value: Any) -> bool:
    return inspect.isfunction(value) or isinstance(value, property)


def _method_lines(method: Any) -> Iterator[str]:
    function: Any = method.fget if isinstance(method, property) else method
    source = textwrap.dedent(inspect.getsource(function))
    definition: Any = ast.parse(source).body[0]
    definition.args.args.pop(0)  # self
    arguments = "" if isinstance(method, property) else f"({ast.unparse(definition.args)})"
    yield from (f"### `{function.__name__}{arguments} -> {ast.unparse(definition.returns)}`", "")
    yield from (inspect.getdoc(function) or "").splitlines()
    if default := _default(source, definition):
        yield from ("", "```python", *default, "```")
    yield ""


def _default(source: str, definition: Any) -> list[str]:
    """Return the lines of a method that does little; else none."""
    docstring = definition.body[0]
    lines = textwrap.dedent("\n".join(source.splitlines()[docstring.end_lineno :])).strip().splitlines()
    return lines if len(lines) <= MAX_LINES else []


def _attributes(described: type) -> dict[str, str]:
    """Return the names and meanings in the last part of a class's docstring."""
    found: dict[str, str] = {}
    name = ""
    for line in textwrap.dedent((inspect.getdoc(described) or "").rpartition("ttributes:\n")[2]).splitlines():
        if not line.startswith(" "):
            name, _, line = line.partition(": ")
        found[name] = f"{found.get(name, '')} {line.strip()}".strip()
    return found

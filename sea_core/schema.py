"""What is read from disk, checked against a declared type; what does not match is explained, with its place.

A type is a dataclass, a TypedDict (of `typing_extensions`) or any other annotation that pydantic knows. YAML is read as
the plain tree that JSON can hold.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Hashable
from errno import EINVAL
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sea_core.errors import SeaError, at, one_line

if TYPE_CHECKING:
    import yaml
    from pydantic import TypeAdapter, ValidationError
    from pydantic_core import ErrorDetails

T = TypeVar("T")

BOM = b"\xef\xbb\xbf"
"""What Windows editors put before a text in UTF-8."""
WORDS = {"Input should be": "expected", "a valid array": "a list", "a valid dictionary": "an object"}
"""Pydantic's words for types, and those of JSON."""
SHOWN = 40
"""Characters of a wrong value in a message."""
MAX_DEPTH = 20
"""How deep a YAML text may be nested."""
AMBIGUOUS = re.compile(r"[-+]?0[0-7_]+|[-+]?[\d_]+:[\d_:.]*")
"""Numbers that YAML 1.1 reads in another base than people: `012` is 10 and `1:30` is 90."""
MAX_DIGITS = 18
"""Digits of a whole number in YAML: more do not fit into 64 bits."""


def read_bytes(path: Path) -> bytes:
    """Return the content of a file, without the mark that says that it is UTF-8.

    Raises:
        OSError: it cannot be read, or is a folder, a pipe or a device: a pipe could block, and a device never end.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except ValueError as error:  # a NUL, or half a character
        raise OSError(EINVAL, "no file can have this name", repr(str(path))) from error
    if not stat.S_ISREG(mode := os.fstat(handle).st_mode):
        os.close(handle)
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise OSError(EINVAL, f"it is {kind}, not a file", str(path))
    with os.fdopen(handle, "rb") as file:
        return file.read().removeprefix(BOM)


def require_text_name(path: Path | str) -> None:
    """Raise SeaError for a name that is not UTF-8: JSON and Parquet, where names are stored, cannot hold it."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        shown = str(path).encode(errors="backslashreplace").decode()
        raise SeaError(f"this name is not UTF-8 text: {shown}", hint="Rename it: mv, or convmv for many.") from error


def read_json(
    path: Path,
    schema: type[T],
    *,
    what: str,
    hint: str,
    error: type[SeaError] = SeaError,
    unique_keys: bool = False,
) -> T:
    """Read a JSON file whose content must match `schema`.

    Args:
        what: what the file is, for the message: "the manifest of a run".
        hint: how to get the file back.
        unique_keys: refuse an object that has a key twice, of which the last would count.

    Raises:
        SeaError: as `error`: the file cannot be read, is not JSON, or does not match.
    """
    try:
        data = read_bytes(path)
    except OSError as problem:
        message = f"{what} cannot be read: {problem.strerror or problem}"
        raise error(message, hint=hint, where=str(path)) from problem
    value = parse_json(data, schema, what=what, hint=hint, where=str(path), error=error)
    if unique_keys and (key := _duplicate_key(data)) is not None:
        raise error(f"the key {key!r} occurs twice", hint=hint, where=str(path))
    return value


def _duplicate_key(data: bytes) -> str | None:
    """Return a key that an object of a valid JSON text has twice, if there is one."""
    duplicates: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> None:
        keys: set[str] = set()
        duplicates.extend(key for key, _ in pairs if key in keys or keys.add(key))  # type: ignore[func-returns-value]

    json.loads(data, object_pairs_hook=collect)
    return next(iter(duplicates), None)


def parse_json(
    data: bytes | str, schema: type[T], *, what: str, hint: str, where: str = "", error: type[SeaError] = SeaError
) -> T:
    """Return a JSON text as a value of the type `schema`.

    Args:
        what: what the text is, for the message: "a line of answers.jsonl".
        hint: what to do next. where: the file and the line.

    Raises:
        SeaError: as `error`: the text is not JSON, or does not match.
    """
    from pydantic import ValidationError

    try:
        value: T = adapter(schema).validate_json(data, strict=True)
    except ValidationError as problem:
        raise error(f"this is not {what}: {describe(problem)}", hint=hint, where=where) from problem
    return value


def check(
    value: object, schema: type[T], *, what: str, hint: str, where: str = "", error: type[SeaError] = SeaError
) -> T:
    """Return a value that was read already, such as a line of a table, if it matches `schema`.

    Raises:
        SeaError: as `error`: it does not match.
    """
    from pydantic import ValidationError

    try:
        checked: T = adapter(schema).validate_python(value, strict=True)
    except ValidationError as problem:
        raise error(f"this is not {what}: {describe(problem)}", hint=hint, where=where) from problem
    return checked


def adapter(schema: Any) -> TypeAdapter[Any]:
    """Return pydantic's validator of a type; made once, since that is slow."""
    return _made_adapter(schema)


@cache
def _made_adapter(schema: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(schema)


def describe(error: ValidationError) -> str:
    """Say in one line what is wrong with the first value that does not match: its key, what was expected, the value."""
    return describe_problem(error.errors(include_url=False)[0])


def describe_problem(problem: ErrorDetails) -> str:
    """Say in one line what is wrong with a value that does not match."""
    key = ".".join(map(str, problem["loc"]))
    if problem["type"] == "json_invalid":
        return one_line(problem["msg"]).replace("Invalid JSON", "it is not valid JSON in UTF-8")
    if problem["type"] == "missing":
        return f"the key {key} is missing"
    expected = (
        one_line(problem["msg"])
        .replace("Input should be", "expected")
        .replace("a valid array", "a list")
        .replace("a valid dictionary", "an object")
    )
    found = f"{expected}, found {_shown(problem['input'])}"
    return f"{key}: {found}" if key else found


def _shown(value: Any) -> str:
    """Return a value as JSON, cut for a message."""
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        text = f"a {type(value).__name__}"
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def parse_yaml(text: str, *, what: str, hint: str, where: str = "") -> Any:
    """Return a YAML text as a plain tree.

    Args:
        what: what the text is, for the message. hint: what to do next. where: the file.

    Raises:
        SeaError: the text is not YAML, or is more than JSON can hold: references (a few lines of them can stand for
            gigabytes), types, a key twice, a number of more than MAX_DIGITS digits, more than MAX_DEPTH levels; or it
            has a number that people read otherwise (AMBIGUOUS).
    """
    import yaml

    try:
        return yaml.load(text, _plain_loader())  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        problem, place = error.problem or error.context, at(where, line) if where else ""
        raise SeaError(f"{what} is not valid YAML: {one_line(problem)}", hint=hint, where=place) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise SeaError(f"{what} is not valid YAML: {one_line(error)}", hint=hint, where=where) from error


@cache
def _plain_loader() -> type[yaml.SafeLoader]:
    """Return PyYAML's safe loader, restricted to plain trees."""
    import yaml

    def require_decimal(node: Any) -> None:
        """Refuse what YAML 1.1 reads as a number of base 8 or 60, and people and YAML 1.2 read otherwise."""
        if not (found := AMBIGUOUS.fullmatch(node.value)):
            return
        base = 60 if ":" in node.value else 8
        problem = f"{found[0]} can be read as a number of base {base}: write a decimal number, or a text in quotes"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)

    class PlainLoader(yaml.SafeLoader):
        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            self.depth += 1
            problems = {
                "references (*name) are not supported": isinstance(event, yaml.AliasEvent),
                "types (!name) are not supported": getattr(event, "tag", None) is not None,
                f"more than {MAX_DEPTH} levels": self.depth > MAX_DEPTH,
            }
            if problem := next((problem for problem, found in problems.items() if found), None):
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
            mapping: dict[Hashable, Any] = {}
            for key_node, value_node in node.value:
                key, problem = key_node.value, ""
                if not isinstance(key, str):
                    problem = "a key must be text"
                elif key in mapping:
                    problem = f"the key {key!r} occurs twice"
                if problem:
                    raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
                mapping[key] = self.construct_object(value_node, deep=True)
            return mapping

        def construct_yaml_int(self, node: Any) -> int:
            if len(node.value) > MAX_DIGITS:
                problem = f"a number of more than {MAX_DIGITS} digits"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
            require_decimal(node)
            return super().construct_yaml_int(node)

        def construct_yaml_float(self, node: Any) -> float:
            require_decimal(node)
            return super().construct_yaml_float(node)

    PlainLoader.yaml_implicit_resolvers = {  # a date stays text
        first: [(tag, pattern) for tag, pattern in pairs if not tag.endswith((":timestamp", ":merge", ":value"))]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    PlainLoader.add_constructor("tag:yaml.org,2002:int", PlainLoader.construct_yaml_int)
    PlainLoader.add_constructor("tag:yaml.org,2002:float", PlainLoader.construct_yaml_float)
    return PlainLoader

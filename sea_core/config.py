"""Settings: frozen dataclasses whose fields declare type, bounds and meaning, and how `-o KEY=VALUE` overrides them.

A field is declared once, with its bounds in the annotation and its meaning in the docstring below it:

    @dataclass(frozen=True)
    class OptimizeConfig(Config):
        lr: Annotated[float, Gt(0), Le(100)] | Literal["auto"] = 0.1
        \"\"\"Adam's step size.\"\"\"

Validation, error messages, `-o`, and `sea settings` all use this declaration.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import NoneType, SimpleNamespace, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from annotated_types import BaseMetadata

from sea_core.errors import SeaError, nearest, suggest
from sea_core.schema import parse_yaml, read_bytes

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")

TYPE_NAMES: Mapping[Any, str] = {
    int: "whole number",
    float: "number",
    str: "text",
    bool: "true or false",
    NoneType: "null",
    Path: "path",
}
WITH_ARTICLE = ("whole number", "number", "path")
BOUND_NAMES = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}


# ----------------------------------------------------------------------------------------------------- declarations


@dataclass(frozen=True)
class Config:
    """Base of configs: every field is validated when an instance is made.

    Rules that concern several fields are added in `__post_init__`.
    """

    group: ClassVar[str] = ""
    """The prefix of its settings on the command line: "llm" for `-o llm.model=...`."""

    def __post_init__(self) -> None:
        validate(self, self.group)


@dataclass(frozen=True)
class Setting:
    """One setting, for people.

    Attributes:
        name: as it is typed, with its prefix.
        default: its value if nothing is typed.
        type: in words, such as "number or auto".
        bounds: in words, such as "above 0, at most 100"; empty where there are none.
        meaning: the docstring of the field.
    """

    name: str
    default: Any
    type: str
    bounds: str
    meaning: str


def list_settings(config: Any, group: str = "") -> list[Setting]:
    """Return the settings of a config, as they are declared."""
    cls: type = type(config)
    annotations, meanings = _annotations(cls), _meanings(cls)
    return [
        Setting(
            name,
            getattr(config, field.name),
            _type_name(annotations[field.name]),
            ", ".join(_bound_names(annotations[field.name])),
            meanings.get(field.name, ""),
        )
        for name, field in zip(setting_names(config, group), fields(config), strict=True)
    ]


def setting_names(config: Any, group: str = "") -> list[str]:
    """Return the settings of a config as they are typed."""
    return [_key(group, field.name) for field in fields(config)]


def _key(group: str, name: str) -> str:
    return f"{group}.{name}" if group else name


@cache
def _annotations(cls: type) -> dict[str, Any]:
    """Return the annotations of a dataclass's fields as types. Annotations of class variables need not be importable.

    Raises:
        SeaError: an annotation names something that its module does not import.
    """
    names = {field.name for field in fields(cls)}
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        own = {name: hint for name, hint in inspect.get_annotations(base).items() if name in names}
        module = vars(sys.modules[base.__module__])
        try:
            found |= get_type_hints(SimpleNamespace(__annotations__=own), module, dict(vars(base)), include_extras=True)
        except NameError as error:
            raise SeaError(
                f"the type of a setting of {base.__name__} cannot be read: {error}",
                hint="Import what the annotation names at the top of the module, not under TYPE_CHECKING.",
            ) from error
    return found


@cache
def _meanings(cls: type) -> dict[str, str]:
    """Return the docstrings below a dataclass's fields; none where the source is not available."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if is_dataclass(base):
            with suppress(OSError, TypeError):
                found |= _field_docstrings(inspect.getsource(base))
    return found


def _field_docstrings(source: str) -> dict[str, str]:
    (definition,) = ast.parse(textwrap.dedent(source)).body
    assert isinstance(definition, ast.ClassDef)
    return {
        field.target.id: " ".join(below.value.value.split())
        for field, below in pairwise(definition.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    }


def _members(annotation: Any) -> Iterator[Any]:
    """Yield the members of a union, nested ones included; any other type is its only member. Bounds are stripped."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation


def _type_name(annotation: Any, articles: bool = False) -> str:
    """Return a type in words: "number or auto", or with articles "a number or auto"."""
    names: list[str] = []
    for member in _members(annotation):
        if get_origin(member) is Literal:
            names += map(str, get_args(member))
        else:
            name = TYPE_NAMES.get(member) or str(getattr(member, "__name__", member))
            names.append(f"a {name}" if articles and name in WITH_ARTICLE else name)
    *first, last = dict.fromkeys(names)
    return f"{', '.join(first)} or {last}" if first else last


def _bound_names(annotation: Any) -> Iterator[str]:
    """Yield the bounds of a type in words, such as "above 0"."""
    if get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from _bound_names(member)
    elif get_origin(annotation) is Annotated:
        for bound in get_args(annotation)[1:]:
            for name, words in BOUND_NAMES.items():
                if isinstance(bound, BaseMetadata) and getattr(bound, name, None) is not None:
                    yield _bound_name(words, getattr(bound, name))


def _bound_name(words: str, limit: float) -> str:
    return f"{words} {int(limit) if limit == int(limit) else limit}"


# ------------------------------------------------------------------------------------------------------- validation


def validate(config: Any, group: str = "", example: str = "-o {name}={value}") -> None:
    """Check every field of a dataclass against its declaration.

    Args:
        group: the prefix of its settings.
        example: how a setting is typed, for the hint.

    Raises:
        SeaError: a value has another type than declared, is out of bounds, NaN or infinite.
    """
    cls: type = type(config)
    for field in fields(config):
        value = getattr(config, field.name)
        with _explaining(cls, field, value, _key(group, field.name), example):
            _validator(cls, field.name).validate_python(value)


@contextmanager
def _explaining(
    cls: type, field: Field[Any], value: Any, name: str, example: str = "-o {name}={value}", where: str = ""
) -> Iterator[None]:
    """Turn pydantic's error into a SeaError that says which value is wrong, what is allowed, and what to type."""
    from pydantic import ValidationError

    try:
        yield
    except ValidationError as error:
        expected = _violated_bound(error) or _type_name(_annotations(cls)[field.name], articles=True)
        default = field.default if field.default_factory is MISSING else field.default_factory()
        typed = example.format(name=name, value="VALUE" if default is MISSING else _as_typed(default))
        what = f"{name} is {value!r}, but it must be {expected}"
        raise SeaError(what, hint=f"Type for example: {typed}", where=where) from error


@cache
def _validator(cls: type, name: str) -> TypeAdapter[Any]:
    from pydantic import ConfigDict, TypeAdapter

    annotation = _annotations(cls)[name]
    if is_dataclass(annotation):
        return TypeAdapter(annotation)
    return TypeAdapter(annotation, config=ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True))


def _violated_bound(error: ValidationError) -> str:
    """Return the bound that a number violates, in words; empty where its type is wrong."""
    for each in error.errors(include_url=False):
        for name, words in BOUND_NAMES.items():
            if name in each.get("ctx", {}):
                return _bound_name(words, each["ctx"][name])
    return ""


def _as_typed(value: Any) -> str:
    """Return a value as it is written in YAML."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value) if value != "" else "''"


# -------------------------------------------------------------------------------------------------------- overrides


def default_values(config: Any, group: str = "") -> dict[str, Any]:
    """Return the values of a config by the names of its settings, as they are typed."""
    return {_key(group, field.name): getattr(config, field.name) for field in fields(config)}


def parse_overrides(
    file: Path | None, options: Sequence[str], defaults: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the settings of a YAML file, overridden by `KEY=VALUE` options; keys may be dotted.

    Args:
        defaults: values of settings, for the example in the hint.

    Raises:
        SeaError: the file cannot be read, or an option is not `KEY=VALUE` with a YAML value.
    """
    settings = flatten(read_yaml(file)) if file else {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            raise SeaError(f"-o {option} has no value", hint=_value_example(key.strip(), defaults or {}))
        hint = "Put a value with special characters in quotes: -o key='\"[\"'"
        settings[key.strip()] = parse_yaml(value, what=f"-o {option}", hint=hint)
    return settings


def _value_example(key: str, defaults: Mapping[str, Any]) -> str:
    if key in defaults:
        return f"Type for example: -o {key}={_as_typed(defaults[key])}"
    close = nearest(key, defaults)
    return f"Did you mean -o {close}={_as_typed(defaults[close])} ?" if close else f"Type: -o {key}=VALUE"


def read_yaml(file: Path) -> dict[str, Any]:
    """Return the tree of a YAML file of `key: value` lines. Raises SeaError when it cannot be read."""
    example = "Write one setting a line, for example: lr: 0.1"
    try:
        text = read_bytes(file).decode()
    except OSError as error:
        hint = "Check the path of the YAML file."
        raise SeaError(f"the file cannot be read: {error.strerror}", hint=hint, where=str(file)) from error
    except UnicodeDecodeError as error:
        raise SeaError("this is not YAML in UTF-8 text", hint=example, where=str(file)) from error
    read = parse_yaml(text, what="the file", hint=example, where=str(file))
    if not isinstance(read, dict | None):
        raise SeaError("expected `key: value` lines", hint=example, where=str(file))
    return read or {}


def override(
    config: T, settings: Mapping[str, Any], group: str = "", origins: Mapping[str, str] | None = None
) -> tuple[T, dict[str, Any]]:
    """Set the fields of a config that `settings` names: "lr", or "adapter.seconds" for the group "adapter".

    Args:
        origins: the file that a setting was read from, for errors.

    Returns:
        The new config, and the settings that are not its own.

    Raises:
        SeaError: a value has another type than declared, or is out of bounds.
    """
    cls: type = type(config)
    own = {_key(group, field.name): field for field in fields(cls)}
    values = {}
    for name, value in settings.items():
        if field := own.get(name):
            value = _number_from_text(value, _annotations(cls)[field.name])
            with _explaining(cls, field, value, name, where=(origins or {}).get(name, "")):
                # As JSON, in which a list may stand for a tuple, text for a path, and 1 for 1.0.
                values[field.name] = _validator(cls, field.name).validate_json(json.dumps(value, default=str))
    unused = {name: value for name, value in settings.items() if name not in own}
    return replace(config, **values), unused  # type: ignore[type-var]


def _number_from_text(value: Any, annotation: Any) -> Any:
    """Return text as a number where a number is declared and text is not: YAML reads 1e-3 as text."""
    members = list(_members(annotation))
    if isinstance(value, str) and float in members and str not in members:
        with suppress(ValueError):
            return float(value)
    return value


def reject_unknown(
    unused: Iterable[str], known: Sequence[str], *, owner: str = "", origins: Mapping[str, str] | None = None
) -> None:
    """Raise SeaError for a setting that no config has, with the nearest known one.

    Args:
        owner: what the settings belong to, for the message where it has none.
        origins: the file that a setting was read from.
    """
    for name in unused:
        no_settings = f"{owner or 'This'} has no settings. Leave out -o {name}=..."
        hint = suggest(name, known, "Settings") if known else no_settings
        raise SeaError(f"there is no setting {name!r}", hint=hint, where=(origins or {}).get(name, ""))


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a tree of settings as one level, with dotted keys."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        found |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found

"""`-o key=value` and a YAML file, onto the fields of a config dataclass."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from sea_core.errors import SeaError, at, suggest

T = TypeVar("T")
NUMBER_OR_AUTO = {"kind": float, "words": ("auto",)}
COUNT_OR_AUTO = {"kind": int, "words": ("auto",)}
"""Metadata of a field that takes a number or the word `auto`."""
KINDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def parse_overrides(file: Path | None, options: Sequence[str]) -> dict[str, Any]:
    """Return the settings of a YAML file, overridden by `key=value` options; keys may be dotted."""
    import yaml

    settings: dict[str, Any] = {}
    if file:
        settings |= flatten(_read(file))
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            raise SeaError(f"-o {option} has no value", hint="Type for example: -o lr=0.1")
        try:
            settings[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise SeaError(
                f"-o {option} is not understood", hint="Put a value with signs in quotes: -o key='\"[\"'"
            ) from error
    return settings


def _read(file: Path) -> dict[str, Any]:
    import yaml

    example = "Write one setting a line, for example: lr: 0.1"
    try:
        read = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        hint = "Give a YAML file to --config."
        raise SeaError(f"the settings cannot be read: {error.strerror}", hint=hint, where=str(file)) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise SeaError(f"this is not YAML: {error.problem}", hint=example, where=at(file, line)) from error
    except (ValueError, yaml.YAMLError) as error:
        raise SeaError("this is not YAML in UTF-8 text", hint=example, where=str(file)) from error
    if not isinstance(read, dict | None):
        raise SeaError("expected `key: value` lines", hint=example, where=str(file))
    return read or {}


def override(config: T, settings: Mapping[str, Any], group: str = "") -> tuple[T, dict[str, Any]]:
    """Set the fields that belong to `config` ("lr", or "adapter.seconds" in the group "adapter").

    Returns the new config, and the settings that were not its own. Raises SeaError for a wrong type.
    """
    prefix = f"{group}." if group else ""
    own = {f.name: f for f in fields(config)}  # type: ignore[arg-type]
    taken, left = {}, {}
    for key, value in settings.items():
        name = key.removeprefix(prefix)
        if key.startswith(prefix) and name in own:
            taken[name] = _typed(key, value, getattr(config, name), own[name].metadata)
        else:
            left[key] = value
    return replace(config, **taken), left  # type: ignore[type-var]


def reject_unknown(left: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raise SeaError for a setting that nothing took, with the nearest known one."""
    for key in left:
        raise SeaError(f"there is no setting {key!r}", hint=suggest(key, known, "Settings"))


def setting_names(config: Any, group: str = "") -> list[str]:
    """Return the settings of a config as they are typed."""
    return [f"{group}.{f.name}" if group else f.name for f in fields(config)]


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a tree of settings as one level, with dotted keys."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        found |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def _typed(key: str, value: Any, example: Any, told: Mapping[str, Any]) -> Any:
    """Return the value in the type of its setting. Raises SeaError for another type, NaN and infinity.

    Args:
        example: the setting's present value; its type counts where `told`, the field's metadata, says nothing.
    """
    kind, words = told.get("kind", type(example)), told.get("words", ())
    if value in words:
        return value
    if kind is float and isinstance(value, int | str) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):
            value = float(value)  # YAML reads 1e-3 as text
    if kind in KINDS and (type(value) is not kind or (kind is float and not math.isfinite(value))):
        shown = str(example).lower() if kind is bool else example
        choices = " or ".join((KINDS[kind], *words))
        raise SeaError(f"{key} is {value!r}, but it must be {choices}", hint=f"Type for example: -o {key}={shown}")
    return value

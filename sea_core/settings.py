"""`-o key=value` and a YAML file, onto the fields of a config dataclass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from sea_core.errors import SeaError

T = TypeVar("T")


def gather(file: Path | None, options: Sequence[str]) -> dict[str, Any]:
    """Return the settings of a YAML file, overridden by `key=value` options; keys may be dotted."""
    import yaml

    settings: dict[str, Any] = {}
    if file:
        try:
            read = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise SeaError(f"the settings cannot be read: {error}", where=str(file)) from error
        if not isinstance(read, dict):
            raise SeaError("expected `key: value` lines", hint="For example: lr: 0.1", where=str(file))
        settings |= _flat(read)
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            raise SeaError(f"-o {option} has no value", hint="Type for example: -o lr=0.1")
        settings[key.strip()] = yaml.safe_load(value)
    return settings


def apply(config: T, settings: Mapping[str, Any], group: str = "") -> tuple[T, dict[str, Any]]:
    """Set the fields that belong to `config` ("lr", or "adapter.seconds" in the group "adapter").

    Returns the new config, and the settings that were not its own. Raises SeaError for a wrong type.
    """
    prefix = f"{group}." if group else ""
    own = {f.name for f in fields(config)}  # type: ignore[arg-type]
    taken, left = {}, {}
    for key, value in settings.items():
        name = key.removeprefix(prefix)
        if key.startswith(prefix) and name in own:
            taken[name] = _typed(key, value, type(getattr(config, name)))
        else:
            left[key] = value
    return replace(config, **taken), left  # type: ignore[type-var]


def refuse_rest(left: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raise SeaError for a setting that nothing took, with the nearest known one."""
    for key in left:
        near = get_close_matches(key, known, 1)
        raise SeaError(
            f"there is no setting {key!r}",
            hint=f"Did you mean {near[0]!r}?" if near else f"Settings: {', '.join(sorted(known))}",
        )


def names(config: Any, group: str = "") -> list[str]:
    """Return the settings of a config as they are typed."""
    return [f"{group}.{f.name}" if group else f.name for f in fields(config)]


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def _typed(key: str, value: Any, kind: Any) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is float and isinstance(value, str):  # YAML reads 1e-3 as text
        try:
            return float(value)
        except ValueError:
            pass
    if kind in (int, float, str, bool) and type(value) is not kind:
        raise SeaError(f"{key} is {value!r}, but it must be a {kind.__name__}", hint=f"Type for example: -o {key}=1")
    return value

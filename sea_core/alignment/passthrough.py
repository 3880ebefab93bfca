"""Settings passed on to TRL and PEFT: SEA does not interpret them, but checks names and number types."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from typing import Any

from sea_core.config import reject_unknown
from sea_core.errors import SeaError

RESERVED = {
    "output_dir": "--out sets the model folder",
    "remove_unused_columns": "the embeddings would be removed",
    "dataset_kwargs": "SEA prepares the training set",
    "packing": "examples packed together would see each other's embeddings",
    "padding_free": "TRL does not support it with a custom collator",
    "max_length": "truncation could cut the placeholders of an embedding; examples that are too long are skipped",
    "logging_nan_inf_filter": "a non-finite loss must be visible",
}
"""Settings of TRL that SEA sets itself, with the reason."""
NUMBER_NOUNS = {int: "a whole number", float: "a number"}


def build_config(config_class: Any, defaults: Mapping[str, Any], settings: Mapping[str, Any], group: str) -> Any:
    """Return `config_class(**defaults, **settings)`; settings override defaults.

    Args:
        config_class: a dataclass of TRL or PEFT.
        group: the prefix that users type: `trainer` or `lora`.

    Raises:
        SeaError: a setting is unknown, is reserved, or has a value that `config_class` does not accept.
    """
    values = read_values(config_class, settings, group)
    try:
        return config_class(**{**defaults, **values})
    except (TypeError, ValueError, ImportError, AssertionError) as error:
        given = ", ".join(f"{group}.{key}={value}" for key, value in values.items())
        library = config_class.__module__.split(".")[0]
        raise SeaError(
            f"{config_class.__name__} does not accept these settings: {error}",
            hint=f"You set: {given or 'none'}. See the documentation of {library} for the values it accepts.",
        ) from error


def read_values(config_class: Any, settings: Mapping[str, Any], group: str) -> dict[str, Any]:
    """Return settings with their numbers in the type that a dataclass of TRL or PEFT declares.

    Raises:
        SeaError: a setting is unknown or reserved, or is not the number that it must be.
    """
    known = {field.name: field for field in fields(config_class) if field.init}
    values = {}
    for key, value in settings.items():
        if key in RESERVED and group == "trainer":
            raise SeaError(f"{group}.{key} cannot be set: {RESERVED[key]}", hint=f"Leave {group}.{key} out.")
        if key not in known:
            reject_unknown({f"{group}.{key}": value}, [f"{group}.{name}" for name in known])
        values[key] = _to_number(f"{group}.{key}", value, known[key].default)
    return values


def _to_number(key: str, value: Any, default: Any) -> Any:
    """Return a value in the number type of the default. The libraries check no types before they compute.

    Raises:
        SeaError: the value is not such a number.
    """
    if isinstance(value, str):
        with suppress(ValueError):
            value = float(value)  # YAML reads 1e-5 as text
    number_type = type(default)
    if number_type is int and isinstance(value, float) and value.is_integer():
        value = int(value)
    accepted = (int, float) if number_type is float else (number_type,)
    if number_type in NUMBER_NOUNS and (isinstance(value, bool) or not isinstance(value, (*accepted, type(None)))):
        raise SeaError(
            f"{key} is {value!r}, but it must be {NUMBER_NOUNS[number_type]}", hint=f"Type: -o {key}={default}"
        )
    return value

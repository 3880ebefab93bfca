"""Settings that are passed on to TRL and PEFT: unread, but not unchecked."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from typing import Any

from sea_core.config import reject_unknown
from sea_core.errors import SeaError

OURS = {
    "output_dir": "--out says where the model goes",
    "remove_unused_columns": "the embeddings would be removed",
    "dataset_kwargs": "the training set is prepared by SEA",
    "packing": "rows of a pack would see one another's embeddings",
    "padding_free": "TRL does not take it with a collator of one's own",
    "max_length": "a cut could fall into the placeholders of an embedding; rows that are too long are left out",
    "logging_nan_inf_filter": "a loss that is no number must be seen",
}
"""Settings of TRL that belong to SEA, and why."""
NUMBERS = {int: "a whole number", float: "a number"}


def passed_on(kind: Any, ours: Mapping[str, Any], given: Mapping[str, Any], group: str) -> Any:
    """Return `kind(**ours, **given)`, what was given winning.

    Raises:
        SeaError: a setting that `kind` does not have, with the nearest one; one that is SEA's; or a value it refuses.
    """
    known = {field.name: field for field in fields(kind) if field.init}
    values = {}
    for key, value in given.items():
        if key in OURS and group == "trainer":
            raise SeaError(f"{group}.{key} cannot be set: {OURS[key]}", hint=f"Leave {group}.{key} out.")
        if key not in known:
            reject_unknown({f"{group}.{key}": value}, [f"{group}.{name}" for name in known])
        values[key] = _number(f"{group}.{key}", value, known[key].default)
    try:
        return kind(**{**ours, **values})
    except (TypeError, ValueError, ImportError, AssertionError) as error:
        named = ", ".join(f"{group}.{key}={value}" for key, value in values.items())
        raise SeaError(
            f"{kind.__name__} does not take these settings: {error}",
            hint=f"Given were: {named or 'none'}. See the reference of {kind.__module__.split('.')[0]} for each.",
        ) from error


def _number(key: str, value: Any, default: Any) -> Any:
    """Return a value as the library takes it. The libraries do not look at types before they compute with them."""
    if isinstance(value, str):
        with suppress(ValueError):
            value = float(value)  # YAML reads 1e-5 as text
    kind = type(default)
    if kind is int and isinstance(value, float) and value.is_integer():
        value = int(value)
    numbers = (int, float) if kind is float else (kind,)
    if kind in NUMBERS and (isinstance(value, bool) or not isinstance(value, (*numbers, type(None)))):
        raise SeaError(
            f"{key} is {value!r}, but it must be {NUMBERS[kind]}", hint=f"Type for example: -o {key}={default}"
        )
    return value

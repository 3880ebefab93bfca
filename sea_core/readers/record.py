"""One record of a file, and what may be asked of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sea_core.errors import DataError, at

# What other people call our columns; `--columns` is suggested from it.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "instruction": ("prompt", "question", "query", "input", "user", "text", "problem", "request"),
    "response": ("answer", "output", "completion", "reply", "assistant", "target", "chosen"),
    "chosen": ("chosen_response", "preferred", "accepted", "better", "winner", "positive", "safe"),
    "rejected": ("rejected_response", "dispreferred", "worse", "loser", "negative", "unsafe"),
    "prompt": ("instruction", "question", "query", "input"),
}


@dataclass(frozen=True, slots=True)
class Dropped:
    """A record that a format's rule leaves out. It is no error: the rule is counted and shown."""

    rule: str


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON object of a file, with its place in it, read by our column names.

    Attributes:
        values: the object as it stands.
        path, line: where it stands.
        names: our column names to the file's, where they differ.
    """

    values: Mapping[str, Any]
    path: Path
    line: int
    names: Mapping[str, str]

    @property
    def where(self) -> str:
        return at(self.path, self.line)

    def has(self, *columns: str) -> bool:
        """Tell whether the record has all these columns, and no null in them."""
        return all(self.values.get(self._name(column)) is not None for column in columns)

    def value(self, column: str) -> Any:
        """Return a column's value as it stands. Raises DataError when the record has no such column."""
        if self._name(column) not in self.values:
            raise self.missing((column,), "Every row needs it.")
        return self.values[self._name(column)]

    def text(self, column: str) -> str:
        """Return a column's text, trimmed. Raises DataError when it is missing, no text, or empty."""
        text = self.maybe_empty(column)
        if not text:
            raise DataError(
                f'The column "{self._name(column)}" is empty.',
                where=self.where,
                hint="Write the text there, or take the row out.",
            )
        return text

    def maybe_empty(self, column: str) -> str:
        """Return a column's text, trimmed; it may be empty. Raises DataError when it is missing or no text."""
        value = self.value(column)
        if not isinstance(value, str):
            raise self._wrong_type(column, "text", "Write it in double quotes")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise DataError(
                f'The column "{self._name(column)}" holds half a character (a lone surrogate such as \\ud83d).',
                where=self.where,
                hint="Write the whole character, or take it out.",
            ) from None
        return value.strip()

    def flag(self, column: str) -> bool:
        """Return a column's true or false. Raises DataError when it is missing or something else."""
        value = self.value(column)
        if not isinstance(value, bool):
            raise self._wrong_type(column, "true or false", "Write true or false without quotes")
        return value

    def choice(self, column: str) -> int:
        """Return a column's 0 or 1. Raises DataError when it is missing or something else."""
        value = self.value(column)
        if isinstance(value, bool) or not isinstance(value, int) or value not in (0, 1):
            raise self._wrong_type(column, "0 or 1", "Write 0 or 1 without quotes")
        return int(value)

    def row_id(self, instruction: str) -> str:
        """Return the record's own id, else one made of its line and instruction.

        The line keeps equal instructions apart and can be looked up; the digest keeps a row that moved, or whose
        instruction changed, from being taken for the row whose embedding is already on disk.
        """
        if not self.has("id"):
            return f"{self.line:06d}-{hashlib.sha256(instruction.encode()).hexdigest()[:8]}"
        value = self.value("id")
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self.text("id")

    def missing(self, columns: tuple[str, ...], expected: str) -> DataError:
        """Return the error that says which columns are missing, which were found, and what to type."""
        lacking = [self._name(column) for column in columns if not self.has(column)]
        found = list(self.values)
        head = "The column is missing or null" if len(lacking) == 1 else "The columns are missing or null"
        return DataError(
            f"{head}: {quoted(lacking)}. Found: {quoted(found)}. {expected}",
            where=self.where,
            hint=suggest_columns(columns, found, self.names),
        )

    def _name(self, column: str) -> str:
        return self.names.get(column, column)

    def _wrong_type(self, column: str, expected: str, advice: str) -> DataError:
        value = json.dumps(self.value(column))
        shown = value if len(value) <= 40 else value[:37] + "..."
        return DataError(
            f'The column "{self._name(column)}" must hold {expected}, but it holds {shown}.',
            where=self.where,
            hint=f"{advice}, or name another column with --columns {column}=NAME.",
        )


def suggest_columns(columns: tuple[str, ...], found: list[str], names: Mapping[str, str]) -> str:
    """Return the `--columns` to type, as far as the names found let us guess it."""
    pairs = {column: guess for column in columns if (guess := _guess(column, found, names))}
    if not pairs:
        wanted = ",".join(f"{column}=NAME" for column in columns if names.get(column, column) not in found)
        return f"Say which columns to use with --columns {wanted}, or which format it is with --format."
    return "Did you mean --columns " + ",".join(f"{ours}={theirs}" for ours, theirs in pairs.items()) + " ?"


def _guess(column: str, found: list[str], names: Mapping[str, str]) -> str | None:
    wanted = names.get(column, column)
    if wanted in found:
        return names.get(column)
    lowered = {name.lower(): name for name in found}
    known = [lowered[alias] for alias in (wanted.lower(), *ALIASES.get(column, ())) if alias in lowered]
    close = get_close_matches(wanted.lower(), list(lowered), n=1, cutoff=0.7)
    return known[0] if known else lowered[close[0]] if close else None


def quoted(names: Iterable[str]) -> str:
    """List names for a message; a long list is cut, and what cannot be printed is escaped."""
    shown = [f'"{name}"'.encode(errors="backslashreplace").decode() for name in names]
    return ", ".join(shown[:12]) + (", ..." if len(shown) > 12 else "") if shown else "none"

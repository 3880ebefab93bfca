"""One record of a file, and what may be asked of it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from sea_core.errors import DataError, at

# What other people call our columns; `--columns` is suggested from it.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "instruction": ("prompt", "question", "query", "input", "user", "text", "problem", "request"),
    "response": ("answer", "output", "completion", "reply", "assistant", "target", "chosen"),
    "chosen": ("chosen_response", "preferred", "accepted", "better", "winner", "positive", "safe"),
    "rejected": ("rejected_response", "dispreferred", "worse", "loser", "negative", "unsafe"),
    "prompt": ("instruction", "question", "query", "input"),
}
FLAGS = {"true": True, "false": False, "1": True, "0": False}


class SkipRecord(Exception):
    """A record that a format's rule leaves out. It is no error: the rule is counted and shown."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands.

    Attributes:
        path: the file, the folder, or the name on the hub.
        number: the line of a text file, or the row of a table, from 1.
        unit: which of the two.
    """

    path: Path
    number: int
    unit: Literal["line", "row"] = "line"

    def __str__(self) -> str:
        return at(self.path, self.number) if self.unit == "line" else f"{self.path}: row {self.number}"


@dataclass(frozen=True, slots=True)
class Record:
    """One object of a file, with its place in it, read by our column names.

    Attributes:
        values: the object as it stands.
        place: where it stands.
        names: our column names to the file's, where they differ.
        cells: whether the file knows only text, as CSV does: flags, numbers and lists are then read from it.
        folder: what the paths of its media are relative to.
        saves: where media that the file holds as bytes are written; without it such records are left out.
        notes: what of the record is not used, filled while it is read.
    """

    values: Mapping[str, Any]
    place: Place
    column_names: Mapping[str, str] = field(default_factory=dict)
    untyped: bool = False
    folder: Path = Path()
    media_dir: Path | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def where(self) -> str:
        return str(self.place)

    @property
    def line(self) -> int:
        return self.place.number

    def has(self, *columns: str) -> bool:
        """Tell whether the record has all these columns, and no null in them."""
        return all(self.values.get(self.column_names.get(column, column)) is not None for column in columns)

    def value(self, column: str) -> Any:
        """Return a column's value as it stands. Raises DataError when the record has no such column."""
        if self.column_name(column) not in self.values:
            raise self.missing_error((column,), "Every row needs it.")
        return self.values[self.column_name(column)]

    def text(self, column: str) -> str:
        """Return a column's text, trimmed. Raises DataError when it is missing, no text, or empty."""
        text = self.text_or_empty(column)
        if not text:
            raise self.column_error(column, "is empty", "Write the text there, or take the row out.")
        return text

    def text_or_empty(self, column: str) -> str:
        """Return a column's text, trimmed; it may be empty. Raises DataError when it is missing or no text."""
        value = self.value(column)
        if not isinstance(value, str):
            raise self.type_error(column, "text", "Write it in double quotes")
        return self.valid_text(value, column).strip()

    def valid_text(self, text: str, column: str) -> str:
        """Return the text as it is. Raises DataError when it holds half a character."""
        try:
            text.encode()
        except UnicodeEncodeError:
            raise self.column_error(
                column,
                "holds half a character (a lone surrogate such as \\ud83d)",
                "Write the whole character, or take it out.",
            ) from None
        return text

    def flag(self, column: str) -> bool:
        """Return a column's true or false. Raises DataError when it is missing or something else."""
        value = self.value(column)
        if self.untyped and isinstance(value, str):
            value = FLAGS.get(value.strip().lower(), value)
        if not isinstance(value, bool):
            raise self.type_error(column, "true or false", "Write true or false without quotes")
        return value

    def harmful(self) -> bool:
        """Return what the column "harmful" says; a record without it counts as harmful."""
        return self.flag("harmful") if self.has("harmful") else True

    def zero_or_one(self, column: str) -> int:
        """Return a column's 0 or 1. Raises DataError when it is missing or something else."""
        value = self.value(column)
        if self.untyped and value in ("0", "1"):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value not in (0, 1):
            raise self.type_error(column, "0 or 1", "Write 0 or 1 without quotes")
        return int(value)

    def items(self, column: str) -> list[Any]:
        """Return a column's list. Raises DataError when it is missing or something else."""
        value = self.decoded(column)
        if not isinstance(value, list):
            raise self.type_error(column, "a list", "Write it as a JSON list")
        return value

    def decoded(self, column: str) -> Any:
        """Return a column's value; where the file knows only text, a JSON list or object in it is read."""
        value = self.value(column)
        if self.untyped and isinstance(value, str) and value.lstrip().startswith(("[", "{")):
            try:
                return json.loads(value)
            except (ValueError, RecursionError):
                raise self.column_error(
                    column, "begins like a JSON list or object, and is none", "Write it as JSON, or as plain text."
                ) from None
        return value

    def peek(self, column: str) -> Any:
        """Return a column's value decoded, or None where it has none or holds no JSON: to tell formats apart."""
        try:
            return self.decoded(column)
        except DataError:
            return None

    def note(self, text: str) -> None:
        """Remember that something of the record is not used."""
        if text not in self.notes:
            self.notes.append(text)

    def example_id(self, instruction: str) -> str:
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

    def missing_error(self, columns: tuple[str, ...], expected: str) -> DataError:
        """Return the error that says which columns are missing, which were found, and what to type."""
        lacking = [self.column_name(column) for column in columns if not self.has(column)]
        found = list(self.values)
        head = "The column is missing or null" if len(lacking) == 1 else "The columns are missing or null"
        return DataError(
            f"{head}: {quoted(lacking)}. Found: {quoted(found)}. {expected}",
            where=self.where,
            hint=suggest_columns(columns, found, self.column_names),
            column=printable(", ".join(lacking)),
        )

    def column_name(self, column: str) -> str:
        """Return what the file calls a column of ours."""
        return self.column_names.get(column, column)

    def column_error(self, column: str, what: str, hint: str) -> DataError:
        """Return the error that says what is wrong with a column."""
        name = printable(self.column_name(column))
        return DataError(f'The column "{name}" {what}.', where=self.where, hint=hint, column=name)

    def type_error(self, column: str, expected: str, advice: str) -> DataError:
        """Return the error that says what the column must hold, and what it holds."""
        return self.column_error(
            column,
            f"must hold {expected}, but it holds {preview(self.value(column))}",
            f"{advice}, or name another column with --columns {column}=NAME.",
        )


def preview(value: object) -> str:
    """Show a value in a message, cut short; what JSON cannot say is named by its type."""
    try:
        text = json.dumps(value, default=lambda odd: f"<{type(odd).__name__}>")
    except (ValueError, TypeError, RecursionError):
        text = f"a {type(value).__name__}"
    return text if len(text) <= 40 else text[:37] + "..."


def suggest_columns(columns: tuple[str, ...], found: list[str], names: Mapping[str, str]) -> str:
    """Return the `--columns` to type, as far as the names found let us guess it."""
    pairs = {column: guess for column in columns if (guess := _guess(column, found, names))}
    if not pairs:
        wanted = ",".join(f"{column}=NAME" for column in columns if names.get(column, column) not in found)
        return f"Say which columns to use with --columns {wanted}, or which format it is with --format."
    return "Did you mean --columns " + ",".join(f"{ours}={printable(theirs)}" for ours, theirs in pairs.items()) + " ?"


# Which of two responses is safer, or is an answer at all, is never guessed from a column of another meaning.
JUDGEMENT_COLUMN = re.compile(r"(?:better|more_helpful|safer)_response_id|response_\d")


def _guess(column: str, found: list[str], names: Mapping[str, str]) -> str | None:
    wanted = names.get(column, column)
    if wanted in found:
        return names.get(column)
    lowered = {name.lower(): name for name in found if not JUDGEMENT_COLUMN.fullmatch(name.lower())}
    known = [lowered[alias] for alias in (wanted.lower(), *ALIASES.get(column, ())) if alias in lowered]
    close = get_close_matches(wanted.lower(), list(lowered), n=1, cutoff=0.7)
    return known[0] if known else lowered[close[0]] if close else None


def quoted(names: Iterable[str]) -> str:
    """List names for a message; a long list is cut, and what cannot be printed is escaped."""
    shown = [f'"{printable(name)}"' for name in names]
    return ", ".join(shown[:12]) + (", ..." if len(shown) > 12 else "") if shown else "none"


def printable(text: str) -> str:
    """Escape what cannot be printed."""
    return text.encode(errors="backslashreplace").decode()

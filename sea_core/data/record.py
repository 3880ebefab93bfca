"""One record of a data file, read by SEA's column names."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from difflib import get_close_matches
from numbers import Number
from pathlib import Path
from typing import Any, Literal

from sea_core.errors import DataError, at

# Names that other files use for our columns; suggestions for `--columns` come from here.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "instruction": tuple("prompt question query goal behavior request input user text problem 问题".split()),
    "response": tuple("answer output completion reply assistant chosen 回答".split()),
    "chosen": tuple("chosen_response preferred accepted better winner positive safe".split()),
    "rejected": tuple("rejected_response dispreferred worse loser negative unsafe".split()),
    "prompt": tuple("instruction question query input".split()),
}
# Not "target": that of AdvBench and its like is the beginning of an answer that complies.
FLAGS = {
    **dict.fromkeys(("true", "yes", "1", "1.0", "是"), True),
    **dict.fromkeys(("false", "no", "0", "0.0", "否"), False),
}
"""True and false as text; pandas writes 1.0 where a column of 1 and 0 has a gap."""
HARM_LABELS = {"unsafe": True, "harmful": True, "safe": False, "harmless": False, "benign": False}
"""Labels as text, and whether they say that something is harmful."""


class SkipRecord(Exception):
    """Raised by a format to skip a record by one of its rules. The message is the rule; skips are counted by rule."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record is.

    Attributes:
        path: the file, the folder, or the name of a hub data set.
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
    """One record of a data file, as formats read it. Columns are always given by SEA's names.

    Methods that read a column raise a DataError with the file, the line and the column if the value is missing or of
    another type. `missing_error`, `type_error` and `column_error` make such errors for a format's own checks.

    Attributes:
        values: the columns as the file names them.
        place: where the record is.
        column_names: SEA's column names to the file's, where they differ.
        untyped: whether all values are text, as in CSV. Lists and objects are then parsed from the text.
        folder: what relative paths of media are relative to.
        split: the split that was asked for, if the source has several.
        media_dir: where media stored as bytes are written. If None, such media are not read.
        notes: parts of the record that are not used; filled through `note` while the record is read.
        used: the columns that were read, by the file's names.
    """

    values: Mapping[str, Any]
    place: Place
    column_names: Mapping[str, str] = field(default_factory=dict)
    untyped: bool = False
    folder: Path = Path()
    split: str = ""
    media_dir: Path | None = None
    notes: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    @property
    def where(self) -> str:
        """The file and the line, for messages."""
        return str(self.place)

    @property
    def line(self) -> int:
        """The line of a text file, or the row of a table, from 1."""
        return self.place.number

    def has(self, *columns: str) -> bool:
        """Return whether all these columns are present and not null."""
        return all(self.values.get(self.column_name(column)) is not None for column in columns)

    def value(self, column: str) -> Any:
        """Return a column's value unchanged. Raises DataError if the column is missing."""
        name = self.column_name(column)
        if name not in self.values:
            raise self.missing_error((column,), "Every record needs it.")
        self.used.add(name)
        return self.values[name]

    def text(self, column: str) -> str:
        """Return a column's text, stripped. Raises DataError if it is missing, not text, or empty."""
        text = self.text_or_empty(column)
        if not text:
            raise self.column_error(column, "is empty", "Write the text, or delete the record.")
        return text

    def text_or_empty(self, column: str) -> str:
        """Return a column's text, stripped; it may be empty. Raises DataError if it is missing or not text."""
        value = self.value(column)
        if not isinstance(value, str):
            raise self.type_error(column, "text", "Write it in double quotes")
        return self.valid_text(value, column).strip()

    def valid_text(self, text: str, column: str) -> str:
        """Return the text unchanged. Raises DataError if it has a lone surrogate, which cannot be encoded."""
        try:
            text.encode()
        except UnicodeEncodeError:
            raise self.column_error(
                column,
                "contains half a character (a lone surrogate such as \\ud83d)",
                "Write the whole character, or remove it.",
            ) from None
        return text

    def flag(self, column: str) -> bool:
        """Return a column's true or false (see `parse_flag`).

        Raises:
            DataError: it is missing or anything else.
        """
        value = self.value(column)
        found = parse_flag(value)
        if found is None:
            raise self.type_error(column, "true or false", "Write true or false")
        return found

    def is_safe(self, column: str) -> bool:
        """Return whether a column says that something is safe: as `flag` does, or as one of `HARM_LABELS`."""
        harmful = HARM_LABELS.get(_word(self.value(column)))
        return self.flag(column) if harmful is None else not harmful

    def harm_label(self) -> bool | None:
        """Return whether the record says that its instruction is harmful; None if it does not say.

        The column "harmful" has a flag or one of `HARM_LABELS`. A column "label" counts if it has one of these words.

        Raises:
            DataError: "harmful" is anything else.
        """
        if self.has("harmful"):
            named = HARM_LABELS.get(_word(self.value("harmful")))
            return self.flag("harmful") if named is None else named
        named = HARM_LABELS.get(_word(self.values.get(self.column_name("label"))))
        if named is not None:
            self.used.add(self.column_name("label"))
        return named

    def one_of(self, column: str, choices: Sequence[int]) -> int:
        """Return a column's whole number, which may be text. Raises DataError if it is missing or no choice."""
        value = self.value(column)
        texts = {text: choice for choice in choices for text in (f"{choice}", f"{choice}.0")}
        number = texts.get(str(value).strip())
        if number is None:
            listed = " or ".join(map(str, choices))
            raise self.type_error(column, listed, f"Write {listed}")
        return number

    def items(self, column: str) -> list[Any]:
        """Return a column's list. Raises DataError if it is missing or anything else."""
        value = self.decoded(column)
        if not isinstance(value, list):
            raise self.type_error(column, "a list", "Write it as a JSON list")
        return value

    def decoded(self, column: str) -> Any:
        """Return a column's value; if all values are text, JSON lists and objects are parsed.

        Raises:
            DataError: the column is missing, or the text starts like JSON but is not.
        """
        value = self.value(column)
        if self.untyped and isinstance(value, str) and value.lstrip().startswith(("[", "{")):
            try:
                return json.loads(value)
            except (ValueError, RecursionError):
                raise self.column_error(
                    column, "starts like a JSON list or object, but is not valid JSON", "Write JSON, or plain text."
                ) from None
        return value

    def peek(self, column: str) -> Any:
        """Return a column's decoded value, or None if it is missing or not valid JSON. For `Format.matches`."""
        try:
            return self.decoded(column)
        except DataError:
            return None

    def renamed(self, column_names: Mapping[str, str]) -> Record:
        """Return the same record with more of SEA's column names; the names that it has already stay."""
        return replace(self, column_names={**column_names, **self.column_names})

    def note(self, text: str) -> None:
        """Record that a part of the record is not used."""
        if text not in self.notes:
            self.notes.append(text)

    def example_id(self, instruction: str) -> str:
        """Return the record's own id, or one made of its line and a digest of the instruction.

        The line distinguishes equal instructions. The digest keeps an example that was moved or edited from being taken
        for the one whose embedding is already stored.
        """
        if not self.has("id"):
            return f"{self.line:06d}-{hashlib.sha256(instruction.encode()).hexdigest()[:8]}"
        value = self.value("id")
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self.text("id")

    def column_name(self, column: str) -> str:
        """Return the file's name for one of our columns."""
        return self.column_names.get(column, column)

    def missing_error(self, columns: tuple[str, ...], expected: str) -> DataError:
        """Return the error for missing columns: which are missing, which were found, what was expected."""
        missing = [self.column_name(column) for column in columns if not self.has(column)]
        found = list(self.values)
        what = "The column is missing or null" if len(missing) == 1 else "The columns are missing or null"
        return DataError(
            f"{what}: {quoted(missing)}. Found: {quoted(found)}. {expected}",
            where=self.where,
            hint=suggest_columns(columns, found, self.column_names),
            column=printable(", ".join(missing)),
        )

    def type_error(self, column: str, expected: str, advice: str) -> DataError:
        """Return the error for a value of another type: what was expected, and what was found."""
        return self.column_error(
            column,
            f"must be {expected}, but it is {preview(self.value(column))}",
            f"{advice}, or name another column with --columns {column}=NAME.",
        )

    def column_error(self, column: str, what: str, hint: str) -> DataError:
        """Return the error for one column; `what` completes the sentence `The column "x" ...`."""
        name = printable(self.column_name(column))
        return DataError(f'The column "{name}" {what}.', where=self.where, hint=hint, column=name)


def parse_flag(value: object) -> bool | None:
    """Return true or false for a value that says so: one of FLAGS, 1 or 0, as text or as a number. Else None."""
    if isinstance(value, str):
        return FLAGS.get(value.strip().lower())
    return bool(value) if isinstance(value, int | float | Decimal) and value in (0, 1) else None


def _word(value: object) -> str:
    return value.strip().lower() if isinstance(value, str) else ""


def preview(value: object) -> str:
    """Return a value as JSON for a message, cut to 40 characters."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=_shown)
    except (ValueError, TypeError, RecursionError):
        text = f"a {type(value).__name__}"
    text = printable(text)
    return text if len(text) <= 40 else text[:37] + "..."


def _shown(value: object) -> object:
    """Return what stands in JSON for a value that it does not have: a number for a decimal, else the type's name."""
    return float(value) if isinstance(value, Decimal) else f"<{type(value).__name__}>"


def describe_type(value: object) -> str:
    """Return the type of a value in the words of JSON, `a list`, `a number`; by its name if JSON has no such type."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true or false"
    names: tuple[tuple[type, str], ...] = (
        (str, "text"),
        (list, "a list"),
        (Mapping, "an object"),
        (bytes, "bytes"),
        (Number, "a number"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), f"a {type(value).__name__}")


def suggest_columns(columns: tuple[str, ...], found: list[str], column_names: Mapping[str, str]) -> str:
    """Return the hint for missing columns: the `--columns` to type, with a guess from the names that were found."""
    proposed = propose_columns(columns, found, column_names)
    if not _assignments(proposed):
        return "Name the format with --format."
    if not any(name and column_names.get(column) != name for column, name in proposed.items()):  # all was typed
        return f"Name the columns with --columns {_assignments(proposed)}, or the format with --format."
    return f"Did you mean --columns {_assignments(proposed)} ?"


def propose_columns(
    columns: tuple[str, ...], found: list[str], column_names: Mapping[str, str]
) -> dict[str, str | None]:
    """Return what `--columns` could name: a guess from the names that were found, or None for a column without one."""
    guesses = {column: guess for column in columns if (guess := _guess(column, found, column_names))}
    missing = [column for column in columns if column_names.get(column, column) not in found]
    return {**dict.fromkeys(missing), **guesses}


def _assignments(names: Mapping[str, str | None]) -> str:
    """Return names as they are typed. A column that has our name already needs none."""
    return ",".join(f"{ours}={printable(name) if name else 'NAME'}" for ours, name in names.items() if ours != name)


# A column with this meaning is never suggested for another: which response is safer must not be guessed.
JUDGEMENT_COLUMN = re.compile(r"(?:better|more_helpful|safer)_response_id|response_\d")


def _guess(column: str, found: list[str], column_names: Mapping[str, str]) -> str | None:
    wanted = column_names.get(column, column)
    if wanted in found:
        return column_names.get(column)
    lowered = {name.lower(): name for name in found if not JUDGEMENT_COLUMN.fullmatch(name.lower())}
    known = [lowered[alias] for alias in (wanted.lower(), column, *ALIASES.get(column, ())) if alias in lowered]
    close = get_close_matches(wanted.lower(), list(lowered), n=1, cutoff=0.7)
    return known[0] if known else lowered[close[0]] if close else None


def quoted(names: Iterable[str]) -> str:
    """List up to 12 names in quotes for a message; unprintable characters are escaped."""
    shown = [f'"{printable(name)}"' for name in names]
    return ", ".join(shown[:12]) + (", ..." if len(shown) > 12 else "") if shown else "none"


def printable(text: str) -> str:
    """Escape what cannot be encoded as UTF-8."""
    return text.encode(errors="backslashreplace").decode()

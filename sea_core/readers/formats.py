"""The formats, by name. A new one is a file beside this, and a line in `READERS`."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Protocol

from sea_core.errors import DataError
from sea_core.readers.hh_rlhf import HHRLHF
from sea_core.readers.pku_saferlhf import PKUSafeRLHF
from sea_core.readers.plain import Plain
from sea_core.readers.record import Dropped, Record, quoted, suggest_columns
from sea_core.rows import Row


class Reader(Protocol):
    """How one public format becomes rows."""

    @property
    def name(self) -> str:
        """What `--format` takes."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads, for help and error messages."""

    def matches(self, first: Record) -> bool:
        """Tell from the first record's columns whether the file is of this format."""

    def read(self, record: Record) -> Row | Dropped:
        """Return the row, or the rule that leaves it out. Raises DataError for a record that is broken."""


# In the order in which `auto` tries them.
READERS: Mapping[str, Reader] = {reader.name: reader for reader in (Plain(), PKUSafeRLHF(), HHRLHF())}


def choose(format: str, first: Record) -> Reader:
    """Return the reader named, or for "auto" the one whose columns the first record has.

    Raises:
        DataError: when no format has these columns, or a renamed one is not there: which were found, what to type.
    """
    found = list(first.values)
    if absent := [theirs for theirs in first.names.values() if theirs not in first.values]:
        raise DataError(
            f"--columns names {quoted(absent)}, which the file does not have. Found: {quoted(found)}.",
            where=first.where,
            hint=suggest_columns(tuple(first.names), found, first.names),
        )
    if format != "auto":
        return READERS[format]
    for reader in READERS.values():
        # A format that has no use for a renamed column is not the one that was meant.
        if set(first.names) <= {"id", *reader.columns} and reader.matches(first):
            return reader
    known = "; ".join(f"{reader.name} ({', '.join(reader.columns)})" for reader in READERS.values())
    raise DataError(
        f"No known format has these columns: {quoted(found)}. Known: {known}.",
        where=first.where,
        hint=suggest_columns(_wanted(first), found, first.names),
    )


def check_columns(format: str, names: Mapping[str, str]) -> None:
    """Refuse a format that does not exist, and a renamed column that is not ours.

    Raises:
        DataError: with the nearest name.
    """
    if format != "auto" and format not in READERS:
        raise DataError(f'There is no format "{format}".', hint=_nearest(format, ["auto", *READERS], "--format "))
    readers = list(READERS.values()) if format == "auto" else [READERS[format]]
    ours = ["id", *(column for reader in readers for column in reader.columns)]
    for name in names:
        if name not in ours:
            raise DataError(
                f'--columns names "{name}", which is none of our columns. It is OURS=THEIRS.',
                hint=_nearest(name, list(dict.fromkeys(ours)), "--columns "),
            )


def _wanted(first: Record) -> tuple[str, ...]:
    """Guess the plain columns that the file most likely means: preference pairs if it names any, else answers."""
    pairs = any("reject" in name.lower() for name in first.values)
    return ("instruction", "chosen", "rejected") if pairs else ("instruction", "response")


def _nearest(name: str, known: list[str], option: str) -> str:
    close = get_close_matches(name, known, n=1)
    if close:
        return f"Did you mean {option}{close[0]} ?"
    return f"Known: {', '.join(known)}."

"""The formats, by name. A new one is a file beside this, and a line in `READERS`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Protocol

from sea_core.data.examples import Example
from sea_core.data.formats.alpaca import Alpaca
from sea_core.data.formats.beavertails import BeaverTails
from sea_core.data.formats.beavertails_v import BeaverTailsV
from sea_core.data.formats.hh_rlhf import HHRLHF, SINGLE
from sea_core.data.formats.ms_swift import MSSwift
from sea_core.data.formats.pku_saferlhf import PKUSafeRLHF
from sea_core.data.formats.plain import PlainFormat
from sea_core.data.formats.prepared import Prepared
from sea_core.data.formats.sharegpt import ShareGPT
from sea_core.data.formats.spa_vl import SPAVL
from sea_core.data.formats.trl import TRL
from sea_core.data.formats.vlguard import VLGuard
from sea_core.data.media_columns import MEDIA_COLUMNS
from sea_core.data.record import Record, printable, quoted, suggest_columns
from sea_core.errors import DataError


class Format(Protocol):
    """How one public format becomes rows."""

    @property
    def name(self) -> str:
        """What `--format` takes."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads, for help and error messages."""

    def matches(self, first: Record) -> bool:
        """Tell from a record's columns whether the file is of this format."""

    def read(self, record: Record) -> list[Example]:
        """Return the record's rows, at least one.

        Raises:
            DataError: the record is broken.
            Dropped: a rule of the format leaves it out.
        """


FORMATS: Mapping[str, Format] = {
    reader.name: reader
    for reader in (
        PlainFormat(),
        Prepared(),
        PKUSafeRLHF(),
        HHRLHF(),
        HHRLHF(SINGLE),
        BeaverTails(),
        BeaverTailsV(),
        SPAVL(),
        VLGuard(),
        Alpaca(),
        ShareGPT(),
        MSSwift(),
        TRL(),
    )
}


def detect_format(first: Sequence[Record]) -> Format:
    """Return the one reader that the columns of the first records speak for.

    Raises:
        DataError: when no format has these columns, or several have: which were found, what to type.
    """
    for record in first:
        # A format that has no use for a renamed column is not the one that was meant.
        usable = [reader for reader in FORMATS.values() if set(record.names) <= {"id", *reader.columns}]
        fitting = [reader for reader in usable if reader.matches(record)]
        if len(fitting) > 1:
            names = [reader.name for reader in fitting]
            raise DataError(
                f"These columns fit several formats, {', '.join(names)}: {quoted(record.values)}.",
                where=record.where,
                hint=f"Type one of: {', '.join(f'--format {name}' for name in names)}",
            )
        if fitting:
            return fitting[0]
    found = list(first[0].values)
    raise DataError(
        f"No known format has these columns: {quoted(found)}. Known: {_known()}.",
        where=first[0].where,
        hint=suggest_columns(_wanted(first[0]), found, first[0].names),
        column=printable(", ".join(found[:12])),
    )


def check_renamed(first: Record, names: Mapping[str, str]) -> None:
    """Refuse a renamed column that is not there. Raises DataError with the nearest name."""
    if absent := [theirs for theirs in names.values() if theirs not in first.values]:
        found = list(first.values)
        raise DataError(
            f"--columns names {quoted(absent)}, which the file does not have. Found: {quoted(found)}.",
            where=first.where,
            hint=suggest_columns(tuple(names), found, names),
        )


def check_columns(format: str, names: Mapping[str, str]) -> None:
    """Refuse a format that does not exist, and a renamed column that is not ours.

    Raises:
        DataError: with the nearest name.
    """
    if format != "auto" and format not in FORMATS:
        raise DataError(f'There is no format "{format}".', hint=_nearest(format, ["auto", *FORMATS], "--format "))
    readers = list(FORMATS.values()) if format == "auto" else [FORMATS[format]]
    ours = ["id", *(column for reader in readers for column in reader.columns)]
    for name in names:
        if name not in ours:
            raise DataError(
                f'--columns names "{name}", which is none of our columns. It is OURS=THEIRS.',
                hint=_nearest(name, list(dict.fromkeys(ours)), "--columns "),
            )


def _known() -> str:
    """List the formats with what tells them apart."""
    columns = {
        name: [c for c in reader.columns if c not in (*MEDIA_COLUMNS, "harmful")] for name, reader in FORMATS.items()
    }
    return "; ".join(f"{name} ({', '.join(told)})" for name, told in columns.items())


def _wanted(first: Record) -> tuple[str, ...]:
    """Guess the plain columns that the file most likely means: preference pairs if it names any, else answers."""
    pairs = any("reject" in name.lower() for name in first.values)
    return ("instruction", "chosen", "rejected") if pairs else ("instruction", "response")


def _nearest(name: str, known: list[str], option: str) -> str:
    close = get_close_matches(name, known, n=1)
    if close:
        return f"Did you mean {option}{close[0]} ?"
    return f"Known: {', '.join(known)}."

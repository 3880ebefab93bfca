"""The data formats by name. A new one is a file in this folder and a line in `FORMATS`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from sea_core.data.examples import Example
from sea_core.data.formats.alpaca import Alpaca
from sea_core.data.formats.beavertails import BeaverTails
from sea_core.data.formats.beavertails_v import BeaverTailsV
from sea_core.data.formats.hh_rlhf import HHRLHF, SINGLE
from sea_core.data.formats.ms_swift import MSSwift
from sea_core.data.formats.pku_saferlhf import PKUSafeRLHF
from sea_core.data.formats.plain import PlainFormat
from sea_core.data.formats.prepared import PreparedFormat
from sea_core.data.formats.sharegpt import ShareGPT
from sea_core.data.formats.spa_vl import SPAVL
from sea_core.data.formats.trl import TRL
from sea_core.data.formats.vlguard import VLGuard
from sea_core.data.media_columns import MEDIA_COLUMNS
from sea_core.data.record import Record, printable, quoted, suggest_columns
from sea_core.errors import DataError, suggest
from sea_core.registry import Registry


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


FORMATS: Registry[Format] = Registry(
    "format",
    (
        PlainFormat(),
        PreparedFormat(),
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
    ),
)


def detect_format(first: Sequence[Record], formats: Registry[Format] = FORMATS) -> Format:
    """Return the one format that has the columns of the first records: a built-in one if possible.

    Raises:
        DataError: no format has these columns, or several have them.
    """
    found = _match(first, FORMATS) or (_match(first, formats) if formats is not FORMATS else None)
    if found:
        return found
    columns = list(first[0].values)
    raise DataError(
        f"No known format has these columns: {quoted(columns)}. Known: {_known(formats)}.",
        where=first[0].where,
        hint=suggest_columns(_wanted(first[0]), columns, first[0].column_names),
        column=printable(", ".join(columns[:12])),
    )


def _match(first: Sequence[Record], formats: Iterable[Format]) -> Format | None:
    """Return the format of the first record that has one. Raises DataError if it has several."""
    for record in first:
        # A format that has no use for a renamed column is not the one that was meant.
        usable = [reader for reader in formats if set(record.column_names) <= {"id", *reader.columns}]
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
    return None


def check_columns_exist(first: Record, names: Mapping[str, str]) -> None:
    """Refuse a renamed column that is not there. Raises DataError with the nearest name."""
    if absent := [theirs for theirs in names.values() if theirs not in first.values]:
        found = list(first.values)
        raise DataError(
            f"--columns names {quoted(absent)}, which the file does not have. Found: {quoted(found)}.",
            where=first.where,
            hint=suggest_columns(tuple(names), found, names),
        )


def check_request(format: str, names: Mapping[str, str], formats: Registry[Format] = FORMATS) -> None:
    """Check that the format exists, and that it has the columns that are renamed.

    Raises:
        SeaError: it does not; with the nearest name.
    """
    readers = FORMATS if format == "auto" else [formats.get(format, also=("auto",))]
    ours = _columns(readers)
    if format == "auto" and not set(names) <= set(ours):
        ours = _columns(formats)
    for name in names:
        if name not in ours:
            raise DataError(
                f'--columns names "{name}", which is none of our columns. It is OURS=THEIRS.',
                hint=suggest(name, dict.fromkeys(ours), "Columns"),
            )


def _columns(formats: Iterable[Format]) -> list[str]:
    return ["id", *(column for reader in formats for column in reader.columns)]


def _known(formats: Iterable[Format]) -> str:
    """List the formats with the columns that tell them apart."""
    common = (*MEDIA_COLUMNS, "harmful")
    columns = {reader.name: [name for name in reader.columns if name not in common] for reader in formats}
    return "; ".join(f"{name} ({', '.join(names)})" for name, names in columns.items())


def _wanted(first: Record) -> tuple[str, ...]:
    """Guess the plain columns that the file most likely means: preference pairs if it names any, else answers."""
    pairs = any("reject" in name.lower() for name in first.values)
    return ("instruction", "chosen", "rejected") if pairs else ("instruction", "response")

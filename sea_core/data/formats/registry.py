"""The built-in formats by name, and their detection. A new one is a file in this folder and a line in `FORMATS`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sea_core.data.formats.alpaca import Alpaca
from sea_core.data.formats.base import Format
from sea_core.data.formats.beavertails import BeaverTails
from sea_core.data.formats.beavertails_v import BeaverTailsV
from sea_core.data.formats.hh_rlhf import HHRLHF, SINGLE
from sea_core.data.formats.ms_swift import MSSwift
from sea_core.data.formats.pku_saferlhf import PKUSafeRLHF
from sea_core.data.formats.plain import PlainFormat
from sea_core.data.formats.prepared import PreparedFormat
from sea_core.data.formats.prompts import Prompts, instruction_column
from sea_core.data.formats.published import PUBLISHED_SETS
from sea_core.data.formats.sharegpt import ShareGPT
from sea_core.data.formats.spa_vl import SPAVL
from sea_core.data.formats.trl import TRL
from sea_core.data.formats.vlguard import VLGuard
from sea_core.data.record import Record, printable, quoted, suggest_columns
from sea_core.errors import DataError, at, suggest
from sea_core.registry import Registry

LAST_RESORT = Prompts()
"""Detected only where no other format fits, those of plugins included."""

QUESTIONS = frozenset(("instruction", "prompt"))
TASK = frozenset(("instruction", "input"))
"""What alpaca joins to one question."""
ANSWERS = frozenset("response chosen rejected completion output response_0 response_1".split())

FORMATS: Registry[Format] = Registry(
    "format",
    (
        PlainFormat(),
        LAST_RESORT,
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
        *PUBLISHED_SETS,
    ),
)


def detect_format(first: Sequence[Record], formats: Registry[Format]) -> Format:
    """Return the only format that the columns of one of the first records match; a built-in one if possible.

    Raises:
        DataError: no format matches, or several do; the hint has what to type.
    """
    if found := find_format(first, formats):
        return found
    columns = list(first[0].values)
    guess = suggest_columns(_likely_columns(first[0]), columns, first[0].column_names)
    if instruction_column(first[0]):
        guess += " For the prompts without their answers: --format prompts."
    place = first[0].place
    raise DataError(
        f"No known format has these columns: {quoted(columns)}.",
        where=at(place.path, 1) if first[0].untyped else str(place),  # the first line of CSV names the columns
        hint=f"{guess} The formats: docs/how-to/prepare-your-data.md{_names_of_plugins(formats)}",
        column=printable(", ".join(columns[:12])),
    )


def find_format(first: Sequence[Record], formats: Registry[Format]) -> Format | None:
    """Return what `detect_format` does, or None if no format matches. Raises DataError if several do."""
    known = [FORMATS, formats] if formats is not FORMATS else [FORMATS]
    for registry in known:  # plugins are loaded only if no built-in format matches
        if found := _match(first, (entry for entry in registry if entry is not LAST_RESORT)):
            return found
    return _match(first, [LAST_RESORT])


def _names_of_plugins(formats: Iterable[Format]) -> str:
    names = [entry.name for entry in formats if entry.name not in FORMATS]
    return f"; of plugins: {', '.join(names)}" if names else ""


def _match(first: Sequence[Record], formats: Iterable[Format]) -> Format | None:
    """Return the format of the first record that matches one. Raises DataError if it matches several."""
    formats = list(formats)
    for record in first:
        # If a column was renamed, the format must use it.
        candidates = [entry for entry in formats if set(record.column_names) <= {"id", *entry.columns}]
        matching = [candidate for candidate in candidates if candidate.matches(record)]
        if len(matching) > 1:
            names = [candidate.name for candidate in matching]
            raise DataError(
                f"These columns match several formats, {', '.join(names)}: {quoted(record.values)}.",
                where=record.where,
                hint=f"Type one of: {', '.join(f'--format {name}' for name in names)}",
            )
        if matching:
            return matching[0]
    return None


def check_columns_exist(first: Record, column_names: Mapping[str, str]) -> None:
    """Raise DataError, with the nearest name, if a renamed column is not in the file."""
    if absent := [name for name in column_names.values() if name not in first.values]:
        found = list(first.values)
        turned = {theirs: ours for ours, theirs in column_names.items() if theirs in absent and ours in found}
        typed = ",".join(f"{ours}={theirs}" for ours, theirs in turned.items())
        raise DataError(
            f"--columns names {quoted(absent)}, which the file does not have. Found: {quoted(found)}.",
            where=first.where,
            hint=f"SEA's name comes first: --columns {typed}"
            if typed
            else suggest_columns(tuple(column_names), found, column_names),
        )


def check_request(format: str, column_names: Mapping[str, str], formats: Registry[Format]) -> None:
    """Check that the format exists and that it uses the columns that are renamed.

    Raises:
        SeaError: there is no such format, with the nearest name.
        DataError: the format has no such column, with the nearest name.
    """
    known = _columns(FORMATS if format == "auto" else [formats.get(format, also=("auto",))])
    if format == "auto" and not set(column_names) <= set(known):
        known = _columns(formats)
    for name in column_names:
        if name not in known:
            raise DataError(
                f'--columns names "{name}", which is not one of our columns. It takes OURS=THEIRS.',
                hint=suggest(name, dict.fromkeys(known), "Columns"),
            )


def check_roles(format: Format, column_names: Mapping[str, str]) -> None:
    """Raise DataError if one column would be question and answer, both parts of a question, or both answers of a pair.

    A column that was not renamed is read by its own name: after instruction=response, response is the column response.
    """
    names = {name: name for name in format.columns} | dict(column_names)
    for ours, theirs in column_names.items():
        for other in names:
            if names[other] == theirs and _roles_differ(ours, other):
                typed = f"--columns {ours}={printable(theirs)},{other}=NAME"
                hint = f"Name another column for one of them: {typed}"
                if {ours, other} == TASK:
                    hint = f"Type: --format plain --columns instruction={printable(theirs)},response=NAME"
                elif "instruction" in (ours, other):
                    hint += ", or, for prompts without answers, --format prompts"
                raise DataError(
                    f'--columns would read {ours} and {other} from one column, "{printable(theirs)}".', hint=hint
                )


def _roles_differ(first: str, second: str) -> bool:
    names = {first, second}
    return names in ({"chosen", "rejected"}, TASK) or bool(names & QUESTIONS and names & ANSWERS)


def _columns(formats: Iterable[Format]) -> list[str]:
    return ["id", *(column for entry in formats for column in entry.columns)]


def _likely_columns(first: Record) -> tuple[str, ...]:
    """Guess the columns of the format plain that the file has: a pair if it names anything rejected."""
    has_pair = any("reject" in name.lower() for name in first.values)
    return ("instruction", "chosen", "rejected") if has_pair else ("instruction", "response")

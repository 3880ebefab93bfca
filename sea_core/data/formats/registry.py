"""The built-in formats by name, and their detection. A new one is a file in this folder and a line in `FORMATS`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

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
from sea_core.data.record import Record, printable, propose_columns, quoted, suggest_columns
from sea_core.errors import DataError, at, suggest
from sea_core.registry import Registry

PLAIN = PlainFormat()
LAST_RESORT = Prompts()
"""Detected only where no other format fits, those of plugins included."""

QUESTIONS = frozenset(("instruction", "prompt"))
TASK = frozenset(("instruction", "input"))
"""What alpaca joins to one question."""
ANSWERS = frozenset("response chosen rejected completion output response_0 response_1".split())

FORMATS: Registry[Format] = Registry(
    "format",
    (
        PLAIN,
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
    columns, place = list(first[0].values), first[0].place
    docs = f"The formats: docs/how-to/prepare-your-data.md{_names_of_plugins(formats)}"
    raise DataError(
        f"No known format has these columns: {quoted(columns)}.",
        where=at(place.path, 1) if first[0].untyped else str(place),  # the first line of CSV names the columns
        hint=f"{_format_hint(first, formats)} {docs}",
        column=printable(", ".join(columns[:12])),
    )


def _format_hint(first: Sequence[Record], formats: Registry[Format]) -> str:
    """Return what to type for a file whose columns no format has."""
    record = first[0]
    if record.column_names and _has_example(record):  # a format of its own has more columns, which would not be used
        unnamed = _unnamed_format(first, formats)
        other = f" Or leave --columns out: the file is then read as {unnamed.name}." if unnamed else ""
        return f"To read only the columns that you named, add --format plain.{other}"
    guess = suggest_columns(_likely_columns(record), list(record.values), record.column_names)
    return f"{guess} For the prompts without their answers: --format prompts." if instruction_column(record) else guess


def _has_example(record: Record) -> bool:
    return record.has("instruction") and (record.has("response") or record.has("chosen", "rejected"))


def _unnamed_format(first: Sequence[Record], formats: Registry[Format]) -> Format | None:
    """Return the format of a file without --columns, if it has a format of its own."""
    try:
        found = find_format([replace(record, column_names={}) for record in first], formats)
    except DataError:  # several
        return None
    return None if found is LAST_RESORT else found


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
            matching = [each for each in matching if not _columns_read_twice(each, record.column_names)] or matching
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


def check_columns_exist(first: Sequence[Record], column_names: Mapping[str, str], formats: Registry[Format]) -> None:
    """Raise DataError, with what to type, if a renamed column is not in the file."""
    found = list(first[0].values)
    if absent := [name for name in column_names.values() if name not in found]:
        raise DataError(
            f"--columns names {quoted(absent)}, which the file does not have. Found: {quoted(found)}.",
            where=first[0].where,
            hint=_columns_hint(first, column_names, formats),
        )


def _columns_hint(first: Sequence[Record], column_names: Mapping[str, str], formats: Registry[Format]) -> str:
    """Return what to type where --columns names a column that the file does not have."""
    found, columns = list(first[0].values), tuple(column_names)
    is_plain = set(columns) <= {"id", *PLAIN.columns}
    if is_plain:
        columns = tuple(dict.fromkeys((*_likely_columns(first[0]), *columns)))
    proposed = propose_columns(columns, found, column_names)
    unnamed = _unnamed_format(first, formats)
    none_is_right = not set(column_names.values()) & set(found)
    needs_none = all(ours == name for ours, name in proposed.items())
    if unnamed and (none_is_right or needs_none or None in proposed.values()):
        return f"Leave --columns out: the file is read as {unnamed.name}."
    if not is_plain and all(ours in found and theirs not in found for ours, theirs in column_names.items()):
        typed = ",".join(f"{theirs}={ours}" for ours, theirs in column_names.items())
        return f"SEA's name comes first: --columns {typed}"
    return suggest_columns(columns, found, column_names)


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


def check_roles(format: Format, column_names: Mapping[str, str], first: Record) -> None:
    """Raise DataError if one column would be question and answer, both parts of a question, or both answers of a pair.

    A column that was not renamed is read by its own name: after instruction=response, response is the column response.
    """
    if twice := _columns_read_twice(format, column_names):
        ours, other = twice
        theirs = printable(column_names[ours])
        hint = f"Name another column for one of them: --columns {ours}={theirs},{other}=NAME"
        if {ours, other} == TASK:
            hint = f"Type: --format plain --columns instruction={theirs}{_answer_to_name(first)}"
        elif "instruction" in twice:
            hint += ", or, for prompts without answers, --format prompts"
        raise DataError(f'--columns would read {ours} and {other} from one column, "{theirs}".', hint=hint)


def _columns_read_twice(format: Format, column_names: Mapping[str, str]) -> tuple[str, str] | None:
    """Return two of our columns that would be read from one column of the file and must differ; the named one first."""
    names = {name: name for name in format.columns} | dict(column_names)
    for ours, theirs in column_names.items():
        for other in names:
            if names[other] == theirs and _roles_differ(ours, other):
                return ours, other
    return None


def _answer_to_name(first: Record) -> str:
    """Return what --columns must name besides the instruction, as it is typed; nothing for answers with our names."""
    own = replace(first, column_names={})
    if own.has("response") or own.has("chosen", "rejected"):
        return ""
    answer = propose_columns(("response",), list(first.values), {}).get("response")
    return f",response={printable(answer) if answer else 'NAME'}"


def _roles_differ(first: str, second: str) -> bool:
    names = {first, second}
    return names in ({"chosen", "rejected"}, TASK) or bool(names & QUESTIONS and names & ANSWERS)


def _columns(formats: Iterable[Format]) -> list[str]:
    return ["id", *(column for entry in formats for column in entry.columns)]


def _likely_columns(first: Record) -> tuple[str, ...]:
    """Guess the columns of the format plain that the file has: a pair if it names anything rejected."""
    has_pair = any("reject" in name.lower() for name in first.values)
    return ("instruction", "chosen", "rejected") if has_pair else ("instruction", "response")

"""Which columns of a table of answers contain the question and the answer, and how their values are read.

A column is a key of the record, or a path into it with dots and numbers: `outputs.0.text`, `doc.question`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sea_bench.case import is_reserved
from sea_core.data.record import Place, describe_type, parse_flag, preview, printable, quoted
from sea_core.errors import DataError, SeaError, suggest

LABELS = ("benign", "harmful")
"""The fields that say whether a row is benign: a table has one of them, or neither, and then all rows are harmful."""
FIELDS = ("question", "answer", "id", "scenario", "task", *LABELS)
"""What `--columns` can name. A table needs the first two."""
NAMES: Mapping[str, Sequence[Sequence[str]]] = {
    "question": (
        ("question", "prompt", "instruction", "query", "goal", "behavior", "test_case", "问题"),
        ("doc.question", "doc.prompt", "doc.instruction", "doc.query"),
        ("input", "arguments.0.0", "arguments.gen_args_0.arg_0"),
        ("messages",),
    ),
    "answer": (
        ("answer", "response", "completion", "output", "generation", "generated_text", "prediction", "回答"),
        ("filtered_resps",),
        ("resps",),
        ("outputs.0.text", "choices.0.message.content", "response.body.choices.0.message.content"),
        ("messages",),
    ),
    "id": (("id",), ("doc_id",), ("custom_id",)),
}
"""The names that XSTest, lmms-eval, vLLM and others use. Only one name of a group may occur: else a person chooses.

The other fields have no usual names, only their own."""
ROLES = {"question": "user", "answer": "assistant"}
EMPTY_ANSWER = '   null or "" is an empty answer.'
BENIGN = frozenset("safe benign harmless".split())
HARMFUL = frozenset("unsafe harmful".split())


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """A row of a table of answers. `id` is None where the table has none."""

    place: Place
    question: str
    answer: str
    id: str | None
    scenario: str
    task: str
    benign: bool


def check_columns(columns: Mapping[str, str]) -> None:
    """Raise SeaError for a name that is not one of FIELDS, or for both of LABELS."""
    for name in columns:
        if name not in FIELDS:
            raise SeaError(f"--columns has no {name!r}", hint=suggest(name, FIELDS))
    if columns.keys() >= set(LABELS):
        raise SeaError("--columns has both benign and harmful", hint="Leave one out: each is the other's opposite.")


def find_columns(
    record: Mapping[str, Any], place: Place, columns: Mapping[str, str], keys: Iterable[str] = ()
) -> dict[str, str]:
    """Return the column of each field: those that were given, and those that the table has by their usual names.

    Args:
        record: the first one.
        keys: of all records. Any of them may have a scenario, a task or a label.

    Raises:
        DataError: no column, or more than one, could contain the question or the answer, or says what is benign.
    """
    found = dict(columns) | {
        name: path for name in NAMES if name not in columns and (path := _find_column(record, place, name))
    }
    return found | {name: name for name in _own_names({*record, *keys}, place, columns)}


def unused_columns(keys: Iterable[str], columns: Mapping[str, str]) -> list[str]:
    """Return the keys of records that no field is read from."""
    used = {*columns.values(), *(path.split(".")[0] for path in columns.values())}
    return [key for key in keys if key not in used]


def _own_names(keys: Collection[str], place: Place, columns: Mapping[str, str]) -> list[str]:
    """Return the fields that a table has by their own names, and for which no other column was given."""
    labels = [name for name in LABELS if name in keys and columns.keys().isdisjoint(LABELS)]
    if len(labels) > 1:
        raise DataError(
            "The columns benign and harmful both say which rows are benign.",
            where=str(place),
            hint="Choose one: --columns benign=benign   or --columns harmful=harmful",
        )
    return [name for name in ("scenario", "task") if name in keys and name not in columns] + labels


def _find_column(record: Mapping[str, Any], place: Place, name: str) -> str | None:
    for group in NAMES[name]:
        values = {path: _lookup(record, path) for path in group}
        found = [path for path, value in values.items() if value is None or _as_text(value, name) is not None]
        if len(found) > 1:
            raise DataError(
                f"Each of these columns could be the {name}: {quoted(found)}.",
                where=str(place),
                hint=f"Choose one: --columns {name}={found[0]}",
            )
        if found:
            return found[0]
    if name == "id":
        return None
    paths = (path for group in NAMES[name] for path in group)
    if present := next((path for path in paths if _lookup(record, path) is not MISSING), None):
        return present  # its value is no text: the reader reports that
    raise DataError(
        f"No column is known to contain the {name}. Found: {quoted(record)}.",
        where=str(place),
        hint=f"Name it: --columns {name}=NAME   A path into a record has dots and numbers: outputs.0.text",
    )


def read_row(record: object, place: Place, columns: Mapping[str, str]) -> AnswerRow:
    """Return the row of a record. Raises DataError where a column is missing or has another type."""
    if not isinstance(record, Mapping):
        raise DataError(
            f"A record must be a JSON object, but this one is {preview(record)}.",
            where=str(place),
            hint='Write every record like {"question": "...", "answer": "..."}.',
        )
    question = _text(record, place, columns, "question")
    if not question.strip():
        raise _error(place, columns["question"], "is empty, and judges need the question", "Delete the record.")
    if columns["question"] == columns["answer"] and not _is_chat(_lookup(record, columns["question"])):
        raise _error(
            place,
            columns["question"],
            "cannot be both the question and the answer",
            "Name another for one of them: --columns question=NAME,answer=NAME",
        )
    others = {name: _text(record, place, columns, name) for name in ("id", "scenario", "task") if name in columns}
    for name in ("scenario", "task"):
        if is_reserved(others.get(name, "")):
            what = f"is {others[name]!r}, and the report has rows of that name"
            raise _error(place, columns[name], what, f"Give the {name} another name.")
    return AnswerRow(
        place,
        question,
        _text(record, place, columns, "answer"),
        others.get("id"),
        others.get("scenario", "all"),
        others.get("task", "answers"),
        any(_is_benign(record, place, columns, name) for name in LABELS if name in columns),
    )


def _text(record: Mapping[str, Any], place: Place, columns: Mapping[str, str], name: str) -> str:
    """Return a column's text; an empty one for a null answer."""
    column = columns[name]
    value = _lookup(record, column)
    if value is MISSING:
        raise _missing(record, place, column, name)
    text = "" if value is None else _as_text(value, name)
    if text is None:
        hint = f"Write it as text, or name another: --columns {name}=NAME" + EMPTY_ANSWER * (name == "answer")
        raise _error(place, column, f"must be text, but it is {describe_type(value)}: {preview(value)}", hint)
    if name != "answer" and not text.strip():
        raise _error(place, column, "is empty", f"Fill it in, or name another: --columns {name}=NAME")
    return _encodable(text, place, column)


def _is_benign(record: Mapping[str, Any], place: Place, columns: Mapping[str, str], name: str) -> bool:
    """Return whether a row is benign, by a column of one of LABELS."""
    value = _lookup(record, columns[name])
    if value is MISSING:
        raise _missing(record, place, columns[name], name)
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in BENIGN | HARMFUL:
        return word in BENIGN
    flag = parse_flag(value)
    if flag is None:
        what = f"must be yes or no (true, 1, 是, benign, safe ...), but it is {preview(value)}"
        raise _error(place, columns[name], what, f"Name another: --columns {name}=NAME")
    return flag is (name == "benign")


def _missing(record: Mapping[str, Any], place: Place, column: str, name: str) -> DataError:
    return DataError(
        f'The column "{printable(column)}" is missing. Found: {quoted(record)}.',
        where=str(place),
        hint=f"Name another: --columns {name}=NAME   Every record needs it.",
        column=column,
    )


class _Missing:
    """No value, not even null."""


MISSING = _Missing()


def _lookup(record: Mapping[str, Any], column: str) -> Any:
    """Return the value of a key, or at the end of a path; MISSING if there is none."""
    if column in record:
        return record[column]
    value: Any = record
    for part in column.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return MISSING
    return value


def _as_text(value: Any, name: str) -> str | None:
    """Return a value's text: a string, the only item of a list, or the last turn of a chat; None for anything else."""
    if isinstance(value, list) and len(value) == 1 and not _is_chat(value):
        return _as_text(value[0], name)
    if _is_chat(value) and name in ROLES:
        turns = [turn["content"] for turn in value if turn["role"] == ROLES[name]]
        return turns[-1] if turns and isinstance(turns[-1], str) else None
    if name in ROLES:
        return value if isinstance(value, str) else None
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _is_chat(value: Any) -> bool:
    turns = value if isinstance(value, list) else []
    return bool(turns) and all(isinstance(turn, Mapping) and {"role", "content"} <= turn.keys() for turn in turns)


def _encodable(text: str, place: Place, column: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _error(place, column, "contains half a character (a lone surrogate)", "Remove it.") from None
    return text


def _error(place: Place, column: str, what: str, hint: str) -> DataError:
    return DataError(f'The column "{printable(column)}" {what}.', where=str(place), hint=hint, column=column)

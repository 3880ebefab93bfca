"""JSON Lines, or one JSON list, with the line on which each value starts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sea_core.data.record import Place, printable
from sea_core.data.sources.text import Item, text_lines
from sea_core.errors import DataError, at


def json_values(path: Path, encoding: str = "utf-8") -> Iterator[Item]:
    """Yield each JSON value with the line on which it starts. JSON Lines are streamed; other JSON is loaded whole.

    Texts in a list of nothing else are yielded as instructions.

    Raises:
        DataError: the rest of the file cannot be read: it is corrupt, or a truncated list.
    """
    lines = text_lines(path, encoding)
    blank = 0
    for number, line in lines:
        if isinstance(line, DataError):
            yield Place(path, number), line
        elif not line.strip():
            blank += 1
        elif line.lstrip().startswith("[") and number == blank + 1:
            yield from _list_items(path, "\n" * blank + line + "".join(_require_text(rest) for _, rest in lines))
        elif (
            number == blank + 1
            and line.lstrip().startswith("{")
            and isinstance(value := _parse_or_error(path, line.rstrip(), number), DataError)
        ):
            yield from _spread_object(path, number, line, value, lines)
        else:
            yield Place(path, number), _parse_or_error(path, line.rstrip(), number)


def inner_records(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the records that an object holds; none if it may be a record itself.

    They are the objects of its lists, whatever stands beside these; its objects, if it has nothing else, whose keys
    become their ids; or the texts of its lists, if it has nothing else, which become instructions.
    """
    inner = list(value.values())
    if all(isinstance(item, dict) for item in inner):
        return [item if all(map(_is_container, item.values())) else {"id": key, **item} for key, item in value.items()]
    lists = [item for item in inner if isinstance(item, list)]
    items = [item for each in lists for item in each]
    if all(isinstance(item, dict) for item in items):
        return items
    only_texts = len(lists) == len(inner) and all(isinstance(item, str) for item in items)
    return [{"instruction": item} for item in items] if only_texts else []


def _is_container(value: Any) -> bool:
    return isinstance(value, list | dict)


def _spread_object(path: Path, number: int, line: str, error: DataError, lines: Iterator[Any]) -> Iterator[Item]:
    """Yield an object that is spread over several lines; if the file is no such object, the value of each line."""
    rest = list(lines)
    text = line + "".join(other for _, other in rest if isinstance(other, str))
    whole = _parse_or_error(path, text, number)
    if not isinstance(whole, DataError):
        yield Place(path, number), whole
        return
    values = [
        (Place(path, at), other if isinstance(other, DataError) else _parse_or_error(path, other.rstrip(), at))
        for at, other in rest
        if isinstance(other, DataError) or other.strip()
    ]
    if not any(isinstance(value, dict) for _, value in values):  # nor are these lines records
        yield Place(path, number), whole
        return
    yield Place(path, number), error
    yield from values


def _require_text(line: str | DataError) -> str:
    if isinstance(line, DataError):
        raise line
    return line


def _parse_or_error(path: Path, text: str, number: int) -> Any:
    try:
        return _parse(path, text, number)
    except DataError as error:
        return error


def _parse(path: Path, text: str, number: int) -> Any:
    """Parse JSON that starts on line `number`. Raises DataError with the line of the error."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            key = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
            raise DataError(
                f'The key "{printable(key)}" occurs twice in an object, and only one of them could be read.',
                where=at(path, number),
                hint="Give each key its own name.",
            )
        return values

    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise DataError(
            f"This is not JSON: {error.msg.removesuffix(' starting at')} (column {error.colno}).",
            where=at(path, number + error.lineno - 1),
            hint="Each record must be one whole JSON object on one line, or the file one JSON list. If the last line "
            "is truncated, writing was interrupted: write the file again, or delete the line.",
        ) from None
    except (ValueError, RecursionError):
        raise DataError(
            "This JSON has a number that is too long, or is nested too deep.",
            where=at(path, number),
            hint="Delete the record, or write the number as text.",
        ) from None


def _list_items(path: Path, text: str) -> Iterator[Item]:
    """Yield the items of a JSON list with the lines on which they start; with their numbers if some share a line."""
    items = _parse(path, text, 1)  # first the whole, so that a truncated list gives no records
    if items and all(isinstance(item, str) for item in items):
        items = [{"instruction": item} for item in items]
    starts = list(_start_lines(text))
    places: Iterable[Place] = (Place(path, line) for line in starts)
    if len(set(starts)) < len(starts):
        places = (Place(path, number, "row") for number in range(1, len(starts) + 1))
    items.reverse()  # so that each can be freed once it was read
    for place in places:
        yield place, items.pop()


def _start_lines(text: str) -> Iterator[int]:
    """Yield the line on which each item of a JSON list starts."""
    decode = json.JSONDecoder().raw_decode
    position, line, counted = text.index("[") + 1, 1, 0
    while True:
        while text[position] in " \t\r\n,":
            position += 1
        if text[position] == "]":
            return
        line += text.count("\n", counted, position)
        counted = position
        _, position = decode(text, position)
        yield line

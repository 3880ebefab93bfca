"""The JSON in a reply: models put it in fences and talk around it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def json_object(text: str) -> dict[str, Any] | None:
    """Return the first whole JSON object in a text; None where there is none."""
    return next(json_objects(text), None)


def json_objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the whole JSON objects in a text. What stands within another is a part of that one."""
    decoder, start = json.JSONDecoder(), text.find("{")
    while start >= 0:
        try:
            found, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            yield found
        start = text.find("{", end)

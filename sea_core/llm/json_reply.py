"""The JSON in a reply: models put it into fences and add text around it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

EFFORT = 50_000_000
"""Characters that are read in failed attempts at a reply; a text of 100,000 braces would take 5 billion."""


def json_object(text: str) -> dict[str, Any] | None:
    """Return the first complete JSON object in a text, or None."""
    return next(json_objects(text), None)


def json_objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the complete JSON objects in a text, but not the objects inside them."""
    decoder, start, effort = json.JSONDecoder(), text.find("{"), EFFORT
    while start >= 0 and effort > 0:
        try:
            found, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
            effort -= len(text)
        else:
            yield found
        start = text.find("{", end)

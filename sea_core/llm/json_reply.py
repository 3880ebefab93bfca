"""The JSON in a reply: models put it into fences and add text around it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def json_object(text: str) -> dict[str, Any] | None:
    """Return the first complete JSON object in a text, or None."""
    return next(json_objects(text), None)


def json_objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the complete JSON objects in a text, but not the objects inside them."""
    decoder, start = json.JSONDecoder(), text.find("{")
    while start >= 0:
        try:
            found, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            yield found
        start = text.find("{", end)

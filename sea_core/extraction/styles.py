"""A style set from a file, which replaces the adapter's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from sea_core.errors import SeaError
from sea_core.schema import read_json


class StylesFile(TypedDict):
    """Styles, with or without how often each was found."""

    styles: dict[str, int] | list[str]


EXAMPLE = '{"styles": {"cartoon": 12, "painted": 5}}'


def read_styles(path: Path) -> tuple[str, ...]:
    """Return the styles in a file that `sea styles` wrote, or that was written by hand in the same form.

    Raises:
        SeaError: the file does not exist, is not JSON, or names no style.
    """
    schema: Any = StylesFile | list[str]
    content = read_json(path, schema, what="a file of styles", hint=f"Write {EXAMPLE}")
    names = list(content["styles"] if isinstance(content, dict) else content)
    if not names or not all(name.strip() for name in names):
        raise SeaError("the file names no styles", hint=f"Write {EXAMPLE}", where=str(path))
    return tuple(dict.fromkeys(name.strip() for name in names))

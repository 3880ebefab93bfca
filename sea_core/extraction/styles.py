"""The style set of a file: what takes the place of the adapter's. Reading it loads no model."""

from __future__ import annotations

import json
from pathlib import Path

from sea_core.errors import SeaError

EXAMPLE = '{"styles": {"cartoon": 12, "painted": 5}}'


def read_styles(path: Path) -> tuple[str, ...]:
    """Return the styles of a file that `sea styles` wrote, or that was written by hand in its form.

    Raises:
        SeaError: the file is not there, is no JSON, or names no style.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SeaError(f"the styles cannot be read: {error}", hint=f"Write {EXAMPLE}", where=str(path)) from error
    styles = found.get("styles") if isinstance(found, dict) else found
    names = list(styles) if isinstance(styles, dict | list) else []
    if not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise SeaError("the file names no styles", hint=f"Write {EXAMPLE}", where=str(path))
    return tuple(dict.fromkeys(name.strip() for name in names))

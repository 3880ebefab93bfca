"""A style set from a file, which replaces the adapter's."""

from __future__ import annotations

import json
from pathlib import Path

from sea_core.errors import SeaError

EXAMPLE = '{"styles": {"cartoon": 12, "painted": 5}}'


def read_styles(path: Path) -> tuple[str, ...]:
    """Return the styles in a file that `sea styles` wrote, or that was written by hand in the same form.

    Raises:
        SeaError: the file does not exist, is not JSON, or names no style.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SeaError(f"the styles cannot be read: {error}", hint=f"Write {EXAMPLE}", where=str(path)) from error
    styles = content.get("styles") if isinstance(content, dict) else content
    names = list(styles) if isinstance(styles, dict | list) else []
    if not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise SeaError("the file names no styles", hint=f"Write {EXAMPLE}", where=str(path))
    return tuple(dict.fromkeys(name.strip() for name in names))

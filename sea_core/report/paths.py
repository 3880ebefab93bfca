"""Paths on the page: names of folders and files, not where they lie on the machine of the user."""

from __future__ import annotations

import re
from pathlib import Path

_ABSOLUTE = re.compile(r"(?<![\w.:/\\~-])(?:~|[A-Za-z]:)?(?:[/\\][^\s/\\'\"<>|:*?]+)+[/\\](?=[^\s/\\'\"])")
HIDDEN = ".../"


def hide_folders(text: str) -> str:
    """Return a text with the folders of absolute paths left out: `.../cases/7.png` becomes `.../7.png`."""
    for folder in (Path.cwd(), Path.home()):
        if len(folder.parts) > 1:
            text = text.replace(f"{folder}/", HIDDEN)
    return _ABSOLUTE.sub(HIDDEN, text)


def shown_path(path: str) -> str:
    """Return a path from a manifest for the page: as it is if it is relative, else only its name."""
    return HIDDEN + Path(path).name if Path(path).is_absolute() or path.startswith("~") else path

"""Texts for others: without where files lie on the machine of the user, and without addresses of servers."""

from __future__ import annotations

import re
from pathlib import Path

_PART = r"[^\s/\\'\"<>|:*?]+(?: [^\s/\\'\"<>|:*?]+)*"  # of a path; a folder's name may have spaces
_ABSOLUTE = re.compile(rf"(?<![\w.:/\\~-])(?:~|[A-Za-z]:|\\)?(?:[/\\]{_PART})+[/\\](?=[^\s/\\'\"])")
HIDDEN = ".../"
_ADDRESS = re.compile(
    r"[A-Za-z][\w+.-]*://[^\s'\"<>()\[\]]*(?:\[[^\s\]]*\][^\s'\"<>()]*)?"  # http://me:pw@[::1]:8000/v1
    r"|(?<=host=')[^']*|(?<=host=\")[^\"]*"
    r"|(?<![\w/.:-])[^\s'\"/@:]+:[^\s'\"/@]+@[\w.-]+(?::\d+)?"  # me:pw@server
    r"|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.])"
    r"|\[[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f]*\](?::\d+)?"  # [::1]:8000
    r"|(?<![\w.])(?:localhost|(?:[\w-]+\.)+(?!py:|jsonl?:)[A-Za-z]\w*):\d{2,5}\b"
)
ADDRESS = "ADDRESS"


def hide_folders(text: str) -> str:
    """Return a text with the folders of absolute paths left out: `.../cases/7.png` becomes `.../7.png`."""
    for folder in (Path.cwd(), Path.home()):
        if len(folder.parts) > 1:
            text = text.replace(f"{folder}/", HIDDEN)
    return _ABSOLUTE.sub(HIDDEN, text)


def hide_places(text: str) -> str:
    """Return a text without the folders of absolute paths, and without addresses of servers."""
    return hide_folders(_ADDRESS.sub(ADDRESS, text))


def shown_path(path: str) -> str:
    """Return a path from a manifest for others: as it is if it is relative, else only its name."""
    return HIDDEN + Path(path).name if Path(path).is_absolute() or path.startswith("~") else path

"""What others may read of a run: without where files lie, without addresses of servers, and without secrets.

Texts of examples, cases and models stay word for word: whether they are shared is asked elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import urlsplit

_PART = r"[^\s/\\'\"<>|:*?]+(?: [^\s/\\'\"<>|:*?]+)*"  # of a path; a folder's name may have spaces
_ABSOLUTE = re.compile(rf"(?<![\w./\\~-])(?:~|[A-Za-z]:|\\)?(?:[/\\]{_PART})+[/\\](?=[^\s/\\'\"])")
HIDDEN = ".../"
_ADDRESS = re.compile(
    r"[A-Za-z][\w+.-]*://[^\s'\"<>()\[\]]*(?:\[[^\s\]]*\][^\s'\"<>()]*)?"  # http://me:pw@[::1]:8000/v1
    r"|(?<=host=')[^']*|(?<=host=\")[^\"]*"
    r"|(?<![\w/.:-])[^\s'\"/@:]+:[^\s'\"/@]+@"  # me:pw@ of a server; a judge is called transformers:model@1f0c2a9b
    r"(?:(?:[\w-]+\.)+[A-Za-z][\w-]*(?::\d+)?|[\w.-]+:\d{2,5}\b)"
    r"|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.])"
    r"|\[[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f]*\](?::\d+)?"  # [::1]:8000
    r"|(?<![\w.])(?:localhost|(?:[\w-]+\.)+(?!py:|jsonl?:)[A-Za-z]\w*):\d{2,5}\b"
)
ADDRESS = "ADDRESS"
HUB_ID = re.compile(r"(hf:)?\w[\w.-]*/\w[\w.-]*(:[\w.-]+)?(@[\w./-]+)?")
URL = re.compile(r"[A-Za-z][\w+.-]*:/{2,}")
WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
SECRET = re.compile(
    r"((hub|api|access|auth|hf)_)?token|(.*_)?(password|passwd|secret|credentials?|api_?key|key_env)", re.IGNORECASE
)
REMOVED = "(secret)"

TEXTS = frozenset(
    "instruction response chosen rejected phrase sentence detoxified style goals question prompt answer answers targets"
    " content raw text refusal rephrased rephrased_scene chat chat_template".split()
)
"""Keys of the texts of examples, cases and models, which are shared word for word or not at all."""
NAMES = frozenset("id example_id example key case embedding scenario shard path".split())
"""Keys of a journal's records: what other files call the same, a name or a path in the shared folder."""


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
    """Return a path from a manifest for others: as it is if it is relative, else only its name, such as `.../cases`."""
    return HIDDEN + public_name(path) if is_place(path) else path


def public_value(value: Any, key: str = "") -> Any:
    """Return a JSON value as it may be shared: paths are names, addresses and secrets are left out, texts stay.

    Args:
        key: the key that it stands under.
    """
    if SECRET.fullmatch(key) and value:
        return REMOVED
    if isinstance(value, Mapping):
        return {hide_places(str(name)): public_value(each, str(name)) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [public_value(each, key) for each in value]
    if not isinstance(value, str) or key in TEXTS:
        return value
    return public_name(value) if is_place(value) else hide_places(value)


def public_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record of a journal as it may be shared: what other files call the same keeps its name."""
    return {**public_value(record), **{key: value for key, value in record.items() if key in NAMES}}


def is_place(text: str) -> bool:
    """Return whether a text is the absolute path of a file, or an address, and nothing else."""
    if "\n" in text or " " in text.split("/")[0]:
        return False
    return text.startswith(("/", "~/")) or bool(WINDOWS.match(text) or URL.match(text))


def public_name(text: str) -> str:
    """Return the name of a model or a data set without where it lies on this machine; names of the hub stay."""
    if HUB_ID.fullmatch(text) and not Path(text).exists():
        return text
    if URL.match(text):
        return _name_at(text)
    pure = PureWindowsPath(text) if WINDOWS.match(text) else PurePosixPath(text)
    return pure.name if pure.name != ".." else ""


def _name_at(address: str) -> str:
    """Return the last part of an address's path: not its server, user, password and parameters."""
    try:
        path = urlsplit(address).path
    except ValueError:  # "http://[::1/v1"
        path = ""
    return PurePosixPath(path).name or ADDRESS

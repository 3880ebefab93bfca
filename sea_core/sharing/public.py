"""What may leave this machine: values without where files lie, without addresses of servers, and without secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import urlsplit

from sea_core.runs.paths import ADDRESS, hide_places

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
"""Keys of what other files call the same: a name, or a path in the shared folder."""


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
    if not isinstance(value, str) or key in TEXTS | NAMES:
        return value
    return public_name(value) if is_place(value) else hide_places(value)


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

"""What others may read of a run: without where files lie, without addresses of servers, and without secrets.

Texts of examples, cases and models stay word for word: whether they are shared is asked elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import urlsplit

HIDDEN = ".../"
ADDRESS = "ADDRESS"
REMOVED = "(secret)"
HUB_ID = re.compile(r"(hf:)?\w[\w.-]*/\w[\w.-]*(:[\w.-]+)?(@[\w./-]+)?")
URL = re.compile(r"[A-Za-z][\w+.-]*:/{2,}")
WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")

# Paths in a text. A name in one may have spaces only between quotes, or in front of a file with an extension.
_NAME = r"[^\s/\\'\"<>|:*?]+"
_ROOT = r"(?:~(?:[A-Za-z_][\w-]*)?|[A-Za-z]:|\\)?"
_START = r"(?<![A-Za-z0-9_./\\~)-])"
_USUAL = r"(?:home|Users|root|mnt|media|data|srv|opt|var|tmp|usr|etc|work|workspace|scratch|Volumes|private|nfs)"
_PATHS = (
    re.compile(rf"(?<=['\"]){_ROOT}(?:[/\\][^/\\'\"\n<>|:*?]+)+[/\\](?=[^/\\'\"\n]+['\"])"),
    re.compile(
        rf"{_START}(?<![^\W\d_]){_ROOT}(?:[/\\]{_NAME}(?: [\w-]+){{0,2}})+[/\\](?=[\w.-]*\.[A-Za-z]\w{{1,5}}\b)"
    ),
    re.compile(rf"{_START}(?<![^\W\d_]){_ROOT}(?:[/\\]{_NAME})+[/\\](?=[^\s/\\'\"])"),
    re.compile(rf"{_START}[/\\]{_USUAL}(?:[/\\]{_NAME})*[/\\](?=[^\s/\\'\"])"),  # glued to Chinese, or to an accent
    re.compile(rf"(?<=[^\x00-\x7f])\.\.(?:[/\\]{_NAME})*[/\\](?=[^\s/\\'\"])"),
    re.compile(rf"{_START}~[A-Za-z_][\w-]*[/\\](?=[^\s/\\'\"])"),
    re.compile(rf"{_START}(?<![^\W\d_])(?:{_NAME}[/\\])*\.\.(?:[/\\]{_NAME})*[/\\](?=[^\s/\\'\"])"),
)
_WHERE_URL = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>()\[\]]*(?:\[[^\s\]]*\][^\s'\"<>()]*)?"
)  # http://me:pw@[::1]/v1
_HOST = r"(?:[\w-]+\.)+[A-Za-z][\w-]*"
_ADDRESSES = re.compile(
    r"(?<=host=')[^']*|(?<=host=\")[^\"]*"
    rf"|(?<![\w/.:-])[^\s'\"/@:]+:[^\s'\"/@]+@(?:{_HOST}(?::\d+)?|[\w.-]+:\d{{2,5}}\b)"  # me:pw@
    rf"|(?<![\w/.:@-])[\w.-]+@(?:{_HOST}|[\w-]+)(?=:[/~])"  # me@server:/data, as scp has it
    r"|(?<![\w.])(?<!==)(?<!version )\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.])"
    r"|\[[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f]*\](?::\d+)?"  # [::1]:8000
    r"|(?<![\w.])(?:localhost|(?:[\w-]+\.)+(?!(?:py|jsonl?|ya?ml|toml|csv|md|txt):)[A-Za-z]\w*):(?:80|443|\d{4,5})\b"
    r"|(?:(?<=\bhost )|(?<=\bserver )|(?<=\bserver at )|(?<=\bconnect to )|(?<=\bconnection to ))"
    r"[A-Za-z][\w-]*:\d{2,5}\b"
    r"|(?<![\w.:-])(?:gpu|node|host|srv|server|worker)-?\d+:\d{2,5}\b",
)
_SECRETS = re.compile(
    r"(?<![\w-])sk-(?!learn)(?=[\w-]*\d)[\w-]{6,}|(?<!\w)(?:hf_|gh[pos]_)[A-Za-z0-9]{16,}|(?<!\w)AKIA[0-9A-Z]{12,}"
    r"|(?<=Bearer )(?=\S*\d|\S{20})[\w.~+/=-]{6,}"
    r"|(?:(?<=(?i:_key)=)|(?<=(?i:token|sword)=)|(?<=(?i:secret)=))[^\s,;&'\"()]+"
)
SECRET = re.compile(
    r"(x_)?((hub|api|access|auth|hf|bearer|openai|github|gitlab|wandb|aws|session|refresh|secret|id|user)_)?token"
    r"|(proxy_)?auth(orization)?|pwd|(.*_)?(pass(word|wd|phrase)|secret|credentials?|api_?key|key_env)"
    r"|(.*_)?(access|secret|private)_key(_id)?",
    re.IGNORECASE,
)
"""Keys of what is secret. Others end in `token` too: `eos_token`, `image_token`."""
TOKENS = re.compile(r"(.*_)?tokens?(_.*)?", re.IGNORECASE)
VERSION = re.compile(r"[\w.+!-]+")

TEXTS = frozenset(
    "instruction response chosen rejected phrase sentence detoxified style goals question prompt answer answers targets"
    " content raw text refusal rephrased scene rephrased_scene chat chat_template".split()
)
"""Keys of the texts of examples, cases and models, which are shared word for word or not at all."""
NAMES = frozenset("id example_id example key case embedding scenario shard path".split())
"""Keys of a journal's records: what other files call the same, a name or a path in the shared folder."""


INSIDE = frozenset(("cases", "media"))
"""Keys of mappings whose own keys are paths in the shared folder."""


def hide_folders(text: str) -> str:
    """Return a text with the folders of paths left out: `.../cases/7.png` becomes `.../7.png`."""
    for folder in (Path.cwd(), Path.home()):
        if len(folder.parts) > 1:
            text = text.replace(f"{folder}/", HIDDEN)
    for paths in _PATHS:
        text = paths.sub(HIDDEN, text)
    return text


def hide_places(text: str) -> str:
    """Return a text without the folders of paths, addresses of servers, and keys."""
    text = _ADDRESSES.sub(ADDRESS, _WHERE_URL.sub(ADDRESS, text))  # a password ends before the next address begins
    return hide_folders(_SECRETS.sub(REMOVED, text))


def shown_path(path: str) -> str:
    """Return a path from a manifest for others: as it is if it is relative, else only its name, such as `.../cases`."""
    return HIDDEN + public_name(path) if is_place(path) else path


def public_value(value: Any, key: str = "") -> Any:
    """Return a JSON value as it may be shared: paths are names, addresses and secrets are left out, texts stay.

    Args:
        key: the key that it stands under.
    """
    if value and SECRET.fullmatch(_snake_case(key)):
        return REMOVED
    if isinstance(value, Mapping):
        return _public_mapping(value, key)
    if isinstance(value, list | tuple):
        return [public_value(each, key) for each in value]
    if not isinstance(value, str) or key in TEXTS or TOKENS.fullmatch(key):
        return value
    if key == "versions" or (key.endswith("version") and VERSION.fullmatch(value)):
        return value
    return (public_name(value) if _is_deep_place(value) else "") or hide_places(value)


def _public_mapping(value: Mapping[Any, Any], key: str) -> dict[str, Any]:
    """Return a mapping as it may be shared. Numbers whose keys become the same are added; others get numbered keys."""
    public: dict[str, Any] = {}
    for name, each in value.items():
        shown = str(name) if key in INSIDE else hide_places(str(name))
        found = public_value(each, key if key == "versions" else str(name))
        if shown in public and type(each) in (int, float) and type(public[shown]) in (int, float):
            public[shown] += found
            continue
        names = (shown if number == 1 else f"{shown} ({number})" for number in count(1))
        public[next(free for free in names if free not in public)] = found
    return public


def _snake_case(key: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).replace("-", "_")


def _is_deep_place(text: str) -> bool:
    """Return whether a text is an address or a path in a folder and nothing else: no `/`, no sentence with slashes."""
    if re.search(r"[\n=]|[,;:.!?] | [/~]", text):
        return False
    if text.startswith("../"):
        return True
    deep = re.match(r"[^/\\]*[/\\]+[^/\\]+[/\\]+[^/\\]|~/.", text) or URL.match(text)
    return bool(deep) and is_place(text) and not re.match(r"[/][^/]* ", text)


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

"""The errors that people see: what happened, what was expected, what to type next."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that steer a terminal or reorder a line instead of being shown; all but tabulator and line end."""


class SeaError(Exception):
    """An error that a person can act on. The command line prints it without a traceback and exits with code 2.

    Args:
        what: what happened, one sentence.
        hint: what to type or change next.
        where: the file, and the line in it where there is one (`rows.jsonl:7`).
    """

    def __init__(self, what: str, *, hint: str = "", where: str = "") -> None:
        super().__init__(what)
        self.what, self.hint, self.where = what, hint, where

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}\n  {self.hint}" if self.hint else head


class DataError(SeaError):
    """A data file, or a record of one, that cannot be read as rows. `column` is the file's name of what is wrong."""

    def __init__(self, what: str, *, hint: str = "", where: str = "", column: str = "") -> None:
        super().__init__(what, hint=hint, where=where)
        self.column = column


class PluginError(SeaError):
    """A plugin that is unknown, broken, or does not keep the adapter contract."""


class ModelError(SeaError):
    """A checkpoint that cannot be loaded, or that belongs to another family."""


class DeviceError(ModelError):
    """A device that is out of memory, or whose driver has failed. This process ends; another one may go on."""


class RunError(SeaError):
    """A run folder that cannot be used: another run's, locked, truncated, or on a full disk."""


def at(path: Path | str, line: int | None = None) -> str:
    """Name a place in a file the way editors do: `path` or `path:line`."""
    return f"{path}:{line}" if line else str(path)


def number_of(count: int, singular: str, plural: str = "") -> str:
    """Return `1 file` or `2 files`, for messages.

    Args:
        plural: for any other number than 1, where it is not the singular with an s: `files are` for `file is`.
    """
    return f"{count} {singular if count == 1 else plural or singular + 's'}"


def visible(text: str) -> str:
    r"""Return a text with its control characters written out, as in `\x1b[31m`, so that it can only be read."""
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def one_line(value: object) -> str:
    """Return the message of an error, or the text of any other value, on one line."""
    return " ".join(str(value).split())


def nearest(name: str, known: Collection[str]) -> str | None:
    """Return the known name that `name` begins, or is most likely a typing error of, if any is near."""
    from difflib import get_close_matches

    longer = [candidate for candidate in known if len(name) > 1 and candidate.startswith(name)]
    return min(longer, key=len) if longer else next(iter(get_close_matches(name, known, 1)), None)


def suggest(name: str, known: Collection[str], what: str = "Known") -> str:
    """Return the hint for an unknown name: the nearest known one, or all of them."""
    close = nearest(name, known)
    return f"Did you mean {close!r}?" if close else f"{what}: {', '.join(sorted(known))}"


def describe_value(value: object) -> str:
    """Return what a method returned, for a message: the shape of a tensor or array, the type of anything else."""
    if isinstance(value, list | tuple):
        return f"a list of {', '.join(map(describe_value, value)) or 'nothing'}"
    shape = getattr(value, "shape", None)
    return f"an object of type {type(value).__name__}" if shape is None else str(tuple(shape))

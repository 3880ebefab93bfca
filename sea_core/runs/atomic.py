"""Files that are whole or not there: written aside, flushed to the disk, renamed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sea_core.errors import RunError

RESTORE_HINT = "Copy the file back from elsewhere, or make the run again in a new folder: sea optimize ... --out NEW"
DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a path to write to; when the block ends well, what was written becomes `path` in one step.

    Raises:
        RunError: the disk is full or does not take the file. What was there before is untouched.
    """
    aside = path.with_name(f".{path.name}.part")
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield aside
            with aside.open("rb") as file:
                os.fsync(file.fileno())
            aside.replace(path)
            _flush_folder(path.parent)
        finally:
            aside.unlink(missing_ok=True)


def backup_existing(path: Path, text: str) -> Path | None:
    """Put a file aside that is about to be written over with something else: a hand may have mended it.

    Returns:
        where it lies now (`NAME.1`, `NAME.2`, ...); None where there was none, or it holds the text already.

    Raises:
        RunError: the folder does not take it.
    """
    if not path.is_file() or path.read_bytes() == text.encode():
        return None
    number = 1
    while (aside := path.with_name(f"{path.name}.{number}")).exists():
        number += 1
    with disk_errors(aside):
        shutil.copy2(path, aside)
    return aside


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a failed write into a message for people."""
    try:
        yield
    except OSError as error:
        mend = (
            "Free some space (df -h)" if error.errno in DISK_FULL else "Check the path and who may write there (ls -ld)"
        )
        raise RunError(
            f"cannot write {path}: {os.strerror(error.errno) if error.errno else error}",
            hint=f"Everything finished so far is safe. {mend}, and type the same command again.",
        ) from error


def write_json(path: Path, value: Any) -> None:
    """Write one JSON value, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text, whole or not at all."""
    with atomic_write(path) as aside:
        aside.write_text(text, encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read one JSON value. Raises RunError when the file is torn or cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"this file is torn: {error}", hint=RESTORE_HINT, where=str(path)) from error


def sha256(data: bytes) -> str:
    """Return the hex digest."""
    return hashlib.sha256(data).hexdigest()


def _flush_folder(folder: Path) -> None:
    """Make a rename durable. Windows has no such call and needs none."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

"""Atomic writes: to a temporary file, flushed to disk, then renamed. A file is complete or not there."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sea_core.errors import RunError

RESTORE_HINT = "Restore it from a backup, or make a new run: sea optimize ... --out NEW"
DAMAGED = "damaged"
"""The folder, inside a run folder, for what was put aside because its bytes are wrong."""
DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def atomic_write(path: Path, *, parents: bool = True) -> Iterator[Path]:
    """Yield a temporary path to write to. When the block ends without an error, the file becomes `path` in one step.

    Args:
        parents: create missing folders above that of the file too.

    Raises:
        RunError: the file cannot be written, for example because the disk is full, or because `path` is a device,
            a pipe or a folder. What was there is untouched.
    """
    partial = path.with_name(f".{path.name}.part")
    with disk_errors(path):
        if path.exists() and not path.is_file():  # a rename would replace a device or a pipe
            raise RunError(
                f"cannot write {path}: it is no regular file",
                hint=f"Check the path (ls -ld {path}): it must be that of a file, or of what is not there yet.",
            )
        path.parent.mkdir(parents=parents, exist_ok=True)
        try:
            yield partial
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            partial.replace(path)
            flush_folder(path.parent)
        finally:
            partial.unlink(missing_ok=True)


def backup_existing(path: Path, text: str) -> Path | None:
    """Copy a file that is about to be overwritten with another text: someone may have edited it.

    Returns:
        the copy (`NAME.1`, `NAME.2`, ...); None if there was no file, or it has this text already.

    Raises:
        RunError: the copy cannot be written.
    """
    if not path.is_file() or path.read_bytes() == text.encode():
        return None
    number, content = 1, path.read_bytes()
    while (backup := path.with_name(f"{path.name}.{number}")).exists():
        if backup.read_bytes() == content:  # made before a kill
            return backup
        number += 1
    with atomic_write(backup) as partial:
        shutil.copy2(path, partial)
    return backup


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn an OSError of writing `path` into a RunError that says what to do."""
    try:
        yield
    except OSError as error:
        fix = "Free some space (df -h)" if error.errno in DISK_FULL else "Check the path and its permissions (ls -ld)"
        raise RunError(
            f"cannot write {path}: {os.strerror(error.errno) if error.errno else error}",
            hint=f"All finished results are safe. {fix}, then re-run the same command to resume.",
        ) from error


def put_aside(path: Path, folder: Path) -> None:
    """Move a damaged file or folder to the same place in `damaged`, inside the run folder `folder`, if it exists.

    What was put aside there before, under the same name, is replaced.
    """
    target = folder / DAMAGED / path.relative_to(folder)
    if not path.exists():
        return
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            shutil.rmtree(target)
        path.replace(target)


def write_json(path: Path, value: Any, *, parents: bool = True) -> None:
    """Write a JSON value atomically (see `atomic_write` for `parents`)."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n", parents=parents)


def write_text(path: Path, text: str, *, parents: bool = True) -> None:
    """Write a text atomically (see `atomic_write` for `parents`)."""
    with atomic_write(path, parents=parents) as partial:
        partial.write_text(text, encoding="utf-8")


def flush_folder(folder: Path) -> None:
    """Make a rename durable. Windows has no such call, and needs none."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

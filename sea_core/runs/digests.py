"""Digests of whole files. A file is read once: its digest is kept, and used again while the file has not changed."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

CACHE_VARIABLE = "SEA_CACHE"
"""The environment variable that names another folder for the cache."""
BLOCK = 1 << 20
TABLE = "CREATE TABLE IF NOT EXISTS digests (path TEXT PRIMARY KEY, state TEXT NOT NULL, sha256 TEXT NOT NULL)"


def sha256(data: bytes) -> str:
    """Return the SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def file_digest(path: Path, *, cached: bool = True) -> str:
    """Return the SHA-256 of a file, of all its bytes.

    Args:
        cached: take the digest from the cache if the file has the size, the times and the inode that it had when it
            was read. The time of the last change of the inode cannot be set by a program, as that of the file can.

    Raises:
        OSError: the file cannot be read.
    """
    name, state = str(path.resolve()), _state(path)
    if cached and (known := _look_up(name, state)):
        return known
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    if _state(path) == state:
        _store(name, state, digest.hexdigest())
    return digest.hexdigest()


def forget_digest(path: Path) -> None:
    """Remove a file from the cache: its bytes were found to be wrong."""
    with suppress(sqlite3.Error, OSError), _open_cache() as cache, cache:
        cache.execute("DELETE FROM digests WHERE path = ?", (str(path.resolve()),))


def _state(path: Path) -> str:
    stat = path.stat()
    return f"{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ctime_ns}:{stat.st_ino}"


# The cache saves time only. Where it cannot be used (a read-only home, a locked file), the file is read.


def _look_up(name: str, state: str) -> str | None:
    with suppress(sqlite3.Error, OSError, UnicodeError), _open_cache() as cache:
        found = cache.execute("SELECT sha256 FROM digests WHERE path = ? AND state = ?", (name, state)).fetchone()
        return str(found[0]) if found else None
    return None


def _store(name: str, state: str, digest: str) -> None:
    with suppress(sqlite3.Error, OSError, UnicodeError), _open_cache() as cache, cache:
        cache.execute("INSERT OR REPLACE INTO digests VALUES (?, ?, ?)", (name, state, digest))


def cache_folder() -> Path:
    """Return the folder of what is kept to save time; it may not exist."""
    return Path(os.environ.get(CACHE_VARIABLE) or Path.home() / ".cache" / "sea-core")


@contextmanager
def _open_cache() -> Iterator[sqlite3.Connection]:
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(folder / "digests.sqlite", timeout=1)) as cache:
        cache.execute(TABLE)
        yield cache

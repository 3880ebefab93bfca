"""What has become of a block in object storage: a log whose entries are objects with numbers.

Of several writers of the next entry one creates it (see `ObjectStore.create`). So a block has one owner at a time: who
has written the last entry, if that is a claim. Nothing is ever changed or deleted, so that a worker that was taken for
dead and wakes up finds its next number taken.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Literal

from sea_core.errors import RunError
from sea_core.runs.block import Attempt, ClaimLost
from sea_core.runs.block_folder import TOKEN
from sea_core.runs.object_store import CONNECTIONS, ObjectStore
from sea_core.schema import parse_json

LOGS = "blocks/log"
REFRESH_SECONDS = 2.0
"""How old what is known of other workers may be."""
State = Literal["claimed", "alone", "released", "died", "done"]


@dataclass(frozen=True)
class BlockEntry:
    """An entry of the log of a block.

    Attributes:
        state: the worker has `claimed` the block, makes the row `row` of it `alone`, has `released` it, has `died` by
            its own account (its device has failed), or has `done` it.
        token: of the worker.
    """

    state: State
    token: str
    row: str = ""

    @property
    def is_claim(self) -> bool:
        """Whether the worker has the block."""
        return self.state in ("claimed", "alone")


class BlockLogs:
    """The logs of all blocks of a run. What was read is kept: entries do not change."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self._entries: dict[str, list[BlockEntry]] = {}
        self._read_at = float("-inf")

    def refresh(self, *, at_once: bool = False) -> None:
        """Ask the storage which entries there are, unless that was done a moment ago."""
        if not at_once and time.monotonic() - self._read_at < REFRESH_SECONDS:
            return
        known = {_name(label, n) for label, entries in self._entries.items() for n in range(len(entries))}
        new = sorted({f"{LOGS}/{name}" for name in self.store.times(LOGS)} - known)
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            for name, entry in zip(new, pool.map(self._read, new), strict=True):
                self._entries.setdefault(PurePosixPath(name).name.partition(".")[0], []).append(entry)
        self._read_at = time.monotonic()

    def entries(self, label: str) -> Sequence[BlockEntry]:
        """Return the entries of a block, as they were at the last refresh."""
        return self._entries.get(label, ())

    def last(self, label: str) -> BlockEntry | None:
        """Return the last entry of a block; None where there is none."""
        entries = self.entries(label)
        return entries[-1] if entries else None

    def _read(self, name: str) -> BlockEntry:
        hint = "Somebody has changed what is stored there. Make the run again, at another address."
        where = f"{self.store.address}/{name}"
        data = self.store.read(name)
        if data is None:
            raise RunError("this entry of a log is missing", hint=hint, where=where)
        entry = parse_json(data, BlockEntry, what="the entry of a log", hint=hint, where=where, error=RunError)
        if not re.fullmatch(TOKEN, entry.token):
            raise RunError("this entry names no worker", hint=hint, where=where)
        return entry

    def claim(self, label: str, token: str) -> BlockClaim | None:
        """Claim a block as it is known; None if another worker was faster."""
        claim = BlockClaim(self, label, token, len(self.entries(label)))
        try:
            claim.add("claimed")
        except ClaimLost:
            self.refresh(at_once=True)
            return None
        return claim

    def add(self, label: str, number: int, entry: BlockEntry) -> None:
        """Add the entry with a number to a log. Raises ClaimLost where there is one already."""
        if not self.store.create(_name(label, number), json.dumps(asdict(entry)).encode()):
            raise ClaimLost
        if len(known := self._entries.setdefault(label, [])) == number:
            known.append(entry)


class BlockClaim:
    """A block that this process has claimed.

    Attributes:
        number: of the next entry of its log.
    """

    def __init__(self, logs: BlockLogs, label: str, token: str, number: int) -> None:
        self.logs, self.label, self.token, self.number = logs, label, token, number

    def add(self, state: State, row: str = "") -> None:
        """Add an entry. Raises ClaimLost when another worker has taken the block over."""
        self.logs.add(self.label, self.number, BlockEntry(state, self.token, row))
        self.number += 1


def attempts(entries: Sequence[BlockEntry]) -> list[Attempt]:
    """Return the deaths that a log shows, and which rows were made alone, as a block in a folder stores them."""
    found, owner = list[Attempt](), ""
    for entry in entries:
        if entry.state == "died" or (entry.state == "claimed" and owner):
            found.append({"worker": entry.token if entry.state == "died" else owner, "row": ""})
        if entry.state == "alone":
            found.append({"worker": entry.token, "row": entry.row})
        owner = entry.token if entry.is_claim else ""
    return found


def _name(label: str, number: int) -> str:
    return f"{LOGS}/{label}.{number:04d}.json"

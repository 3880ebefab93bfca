"""The model folder: what an alignment was told, and what came of it.

align.json       identity, data, model, versions; at the end the figures
look.jsonl       answers before and after
trace.jsonl      what the trainer logged, by step
checkpoints/     while it trains; deleted when the export is proved
adapter/         for PeftModel.from_pretrained (not with --full)
merged/          for from_pretrained
README.md        the model card, also beside each of the two
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from sea_core.errors import RunError
from sea_core.files import disk_errors, read_json, write_json
from sea_core.journal import Journal
from sea_core.run import versions
from sea_core.settings import flat

ABOUT = "align.json"


class ModelFolder:
    """An opened model folder. Only one process writes to it, inside `with folder.writing():`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.about: dict[str, Any] = {}
        self.look, self.trace = Journal(path / "look.jsonl"), Journal(path / "trace.jsonl")
        self.adapter, self.merged, self.probe = path / "adapter", path / "merged", path / "probe.safetensors"

    @property
    def finished(self) -> bool:
        return "figures" in self.about

    def start(self, identity: dict[str, Any], facts: dict[str, Any]) -> None:
        """Bind the folder to its inputs, or go on where it stopped.

        Raises:
            RunError: the folder belongs to an alignment of other data or settings, or holds something else.
        """
        identity = json.loads(json.dumps(identity))
        path = self.path / ABOUT
        if path.is_file():
            self.about = read_json(path)
            self._refuse_other(identity)
            return
        if self.path.exists() and any(file.name != ".lock" for file in self.path.iterdir()):
            raise RunError(f"{self.path} holds files that are not an alignment", hint="Give another folder with --out.")
        trainers = {name: metadata.version(name) for name in ("trl", "peft")}
        self.about = {"identity": identity, **facts, "versions": versions() | trainers}
        write_json(path, self.about)

    def read(self) -> None:
        """Read what another process of the job has decided."""
        self.about = read_json(self.path / ABOUT)

    def finish(self, figures: dict[str, Any]) -> None:
        self.about["figures"] = figures
        write_json(self.path / ABOUT, self.about)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the folder for this process. Raises RunError when another one has it, or it is a file."""
        from filelock import FileLock, Timeout

        with disk_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path / ".lock")
            try:
                lock.acquire(timeout=0)
            except Timeout as error:
                raise RunError(
                    f"another process is writing to {self.path}",
                    hint="Wait until it is done, and type the same command again; or give another folder with --out.",
                ) from error
        try:
            yield
        finally:
            lock.release()

    def _refuse_other(self, identity: dict[str, Any]) -> None:
        stored, asked = flat(self.about.get("identity", {})), flat(identity)
        changed = [key for key in sorted(stored.keys() | asked.keys()) if stored.get(key) != asked.get(key)]
        if changed:
            lines = "\n  ".join(f"{key}: {stored.get(key)} there, {asked.get(key)} now" for key in changed)
            raise RunError(
                f"{self.path} holds an alignment that was told something else:\n  {lines}",
                hint="Give a new folder with --out, or the same data and settings to go on with this one.",
            )

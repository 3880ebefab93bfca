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
from sea_core.runs.atomic import read_json, write_json
from sea_core.runs.embedding_run import same_identity, versions
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.lock import locked

ABOUT = "align.json"


class ModelFolder:
    """An opened model folder. Only one process writes to it, inside `with folder.writing():`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.about: dict[str, Any] = {}
        self.look, self.trace = JsonlLog(path / "look.jsonl"), JsonlLog(path / "trace.jsonl")
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
            same_identity(self.path, self.about.get("identity", {}), identity)
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
        with locked(self.path / ".lock", self.path):
            yield

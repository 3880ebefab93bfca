"""The run folder: what one optimisation was told, what it made, and the figures that follow from its stored rows.

run.json         config, data, model, versions: written once, before the first row
refused.jsonl    rows that preparation could not handle, and why
index.parquet    one record for each finished row (see store.py)
embeddings-*.safetensors, pending/
verify.jsonl     answers to the held-out questions
verdicts.jsonl   what the judges say of them
naming.jsonl     what language models replied when they judged
quality.jsonl    how the embeddings lie beside real media (see quality/view.py)
audit.jsonl      what real generation says from a few of the embeddings
tuning.jsonl     what `-o lr=auto` tried
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from sea_core.config import flatten
from sea_core.data.examples import PreparedExample, SkippedExample
from sea_core.errors import RunError
from sea_core.judges.tally import tally
from sea_core.runs.atomic import RESTORE_HINT, atomic_write, read_json, write_json
from sea_core.runs.jsonl import JsonlLog
from sea_core.runs.lock import locked
from sea_core.runs.statistics import ratio
from sea_core.runs.store import EmbeddingRecord, Store
from sea_core.verification.metrics_coverage import by_recipe, row_of, uncovered

if TYPE_CHECKING:
    from sea_core.model.embedding import Embedding
    from sea_core.optimization.engine.types import OptimizationResult

LIBRARIES = ("sea-core", "torch", "transformers", "safetensors", "numpy")


class EmbeddingRun:
    """An opened run folder. Only one process writes to it, inside `with run.writing():`."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "run.json").is_file():
            raise RunError(
                f"{folder} is not a run folder: it has no run.json",
                hint="Give the folder that `sea optimize` named, runs/NAME.",
            )
        self.folder = folder
        self.about = _read_about(folder / "run.json")
        self.store = Store(folder)
        self.answers = JsonlLog(folder / "verify.jsonl", ("id", "question", "answer", "content", "kind"))
        self.verdicts = JsonlLog(folder / "verdicts.jsonl", ("id", "question", "answer", "judge", "verdict"))
        self.audits = JsonlLog(folder / "audit.jsonl", ("id", "exact"))
        self.tuning = JsonlLog(folder / "tuning.jsonl", ("lr", "id", "status", "steps"))

    @classmethod
    def start(cls, folder: Path, identity: dict[str, Any], facts: dict[str, Any]) -> EmbeddingRun:
        """Begin a run, or go on with the one that is there.

        Args:
            identity: what makes it this run: data, model, plugin, config. A run is continued only with the same.
            facts: what else to keep, such as where the data file lay.

        Raises:
            RunError: the folder holds another run, or something else.
        """
        path = folder / "run.json"
        identity = json.loads(json.dumps(identity))
        started = datetime.now(UTC).isoformat(timespec="seconds")
        fresh = {"identity": identity, **facts, "versions": versions(), "started": started}
        if path.is_file():
            about = _read_about(path)
            if about["identity"] != identity and not Store(folder).ids():  # it stopped before its first row
                about = fresh
            same_identity(folder, about["identity"], identity)
            if about | facts != about or about is fresh:  # more rows than last time, or the file has moved
                with locked(folder / ".lock", folder):
                    if about is fresh:
                        (folder / "tuning.jsonl").unlink(missing_ok=True)  # it was tried under the former settings
                    write_json(path, about | facts)
        elif folder.exists() and not folder.is_dir():
            raise RunError(f"{folder} is a file, and a run is a folder", hint="Give a folder with --out.")
        elif folder.exists() and any(file.suffix != ".part" for file in folder.iterdir()):  # .part: a kill left it
            raise RunError(f"{folder} holds files that are not a run", hint="Give another folder with --out.")
        else:
            write_json(path, fresh)
        return cls(folder)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the run for this process. Raises RunError when another one has it."""
        with locked(self.folder / ".lock", self.folder):
            self.store = Store(self.folder)
            yield
            self.store.flush()

    def resolve(self, chosen: dict[str, Any]) -> None:
        """Keep what was found for this run where the settings left it open: it stays when the run goes on."""
        self.about["chosen"] = self.about.get("chosen", {}) | chosen
        write_json(self.folder / "run.json", self.about)

    def write_skipped(self, rows: Iterable[SkippedExample]) -> None:
        """Keep the rows that were not prepared, with the reasons."""
        with atomic_write(self.folder / "refused.jsonl") as aside, aside.open("w", encoding="utf-8") as file:
            for refused in rows:
                line = {"id": refused.example.id, "line": refused.example.line, "reason": refused.reason}
                file.write(json.dumps(line | {"instruction": refused.example.instruction}, ensure_ascii=False) + "\n")

    def add(self, row: PreparedExample, outcome: OptimizationResult) -> None:
        """Keep a finished row; it is on disk when this returns."""
        figures = {name: getattr(outcome, name) for name in ("status", "reason", "steps", "loss", "margin", "seconds")}
        goals = [asdict(goal) for goal in row.goals]
        text = {name: value for name, value in asdict(row.example).items() if name not in ("media", "extraction")}
        made = {"id": row.id, "row": row.example.id, "recipe": row.recipe, "draw": row.draw}
        record = text | made | asdict(row.extraction) | {"style": row.style, "goals": json.dumps(goals)}
        rows, grid = (e.features, e.grid) if (e := outcome.embedding) else (None, ())
        self.store.append(record | {"grid": json.dumps(grid)} | figures, rows)

    def embedding(self, row_id: str) -> Embedding:
        """Return a row's stored embedding (see `Store.load` for what is raised)."""
        from sea_core.model.embedding import Embedding

        return Embedding(self.store.load(row_id), tuple(json.loads(self.store.record(row_id)["grid"])))

    def metrics(self) -> dict[str, Any]:
        """Return the figures of the run, each computed from its stored rows (METHOD: OSR, VSR, steps, seconds)."""
        records = self.store.records()
        good = [r for r in records if r["status"] == "succeeded"]
        steps = [r["steps"] for r in good]
        audits = self.audits.read()
        told = self.about["identity"]
        judges = self.vsr()
        first = next(iter(judges.values()), {})
        return {
            "run": str(self.folder),
            "rows": max(self.about["rows"], len(records)),  # the last command may have asked for fewer
            "done": len(records),
            "texts": len({row_of(record) for record in records}),  # each may have several embeddings
            "refused": self.about["refused"],
            "succeeded": len(good),
            "osr": ratio(len(good), len(records)),
            "vsr": first.get("vsr"),
            "vsr_interval": first.get("interval"),
            "verified": first.get("judged", 0),
            "judges": judges,
            "audited": len(audits),
            "audit_exact": sum(row["exact"] for row in audits),
            "steps_median": median(steps) if steps else None,
            "steps_p90": quantiles(steps, n=10, method="inclusive")[-1] if len(steps) > 1 else None,
            "recipes": by_recipe(records),
            "uncovered": uncovered(records),
            "seconds_per_row": sum(r["seconds"] for r in records) / len(records) if records else None,
            "chosen": self.about.get("chosen", {}),
            "plugin": told["plugin"],
            "model": self.about["model"],
        }

    def vsr(self) -> dict[str, dict[str, Any]]:
        """Return what each judge makes of the stored answers (see judges/tally.py), the first to speak first.

        An answer counts that is about an embedding of the run.
        """
        good = {record["id"] for record in self.store.records() if record["status"] == "succeeded"}
        answers, verdicts = ([r for r in j.read() if r["id"] in good] for j in (self.answers, self.verdicts))
        return tally(answers, verdicts)

    def failures(self) -> list[EmbeddingRecord]:
        return [record for record in self.store.records() if record["status"] == "failed"]


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that the figures depend on."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in LIBRARIES}


def _read_about(path: Path) -> dict[str, Any]:
    about = read_json(path)
    if not isinstance(about, dict) or not {"identity", "rows", "refused", "model"} <= about.keys():
        raise RunError("this is not the run.json of a run: entries are missing", hint=RESTORE_HINT, where=str(path))
    return about


def same_identity(folder: Path, stored: dict[str, Any], asked: dict[str, Any]) -> None:
    """Refuse to go on with a run that was told something else. Names each setting that differs."""
    stored, asked = flatten(stored), flatten(asked)
    changed = [key for key in sorted(stored.keys() | asked.keys()) if stored.get(key) != asked.get(key)]
    if changed:
        lines = "\n  ".join(f"{key}: {stored.get(key)} there, {asked.get(key)} now" for key in changed)
        raise RunError(
            f"{folder} holds a run that was told something else:\n  {lines}",
            hint="Give a new folder with --out, or the same settings to go on with this run.",
        )

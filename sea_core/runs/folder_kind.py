"""The kinds of folders that SEA writes: by which file each is known, and which commands show and share it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FolderKind:
    """A kind of folder.

    Attributes:
        manifest: the file that tells it from others. noun: what it is, for messages.
        shown_by, pushed_by: the commands that show and share it; empty where there is none.
        made_under: what is in no folder of the kind without its manifest: `sea bench add` writes an inventory and no
            manifest.
        distribution: what has the commands, if that is not the core.
    """

    manifest: str
    noun: str
    shown_by: str = ""
    pushed_by: str = ""
    made_under: tuple[str, ...] = ()
    distribution: str = ""


RUN = FolderKind("run.json", "a run of `sea optimize` or `sea encode`", "sea show", "sea push", ("index",))
MODEL = FolderKind("align.json", "a model folder of `sea align`", "sea show", "sea push", ("merged", "adapter"))
BENCH_RUN = FolderKind(
    "bench.json",
    "a benchmark run of `sea bench run`",
    "sea bench show",
    "sea bench push",
    ("answers.jsonl",),
    "sea-bench",
)
BENCHMARK = FolderKind(
    "manifest.json",
    "a benchmark of `sea bench build`",
    "sea bench check",
    "sea bench push",
    ("media.jsonl",),
    "sea-bench",
)
STUDY = FolderKind("study.json", "a study of `sea study run`", "sea study report", distribution="sea-bench")
CHECKPOINT = FolderKind("config.json", "the checkpoint of a model")
WRITTEN = (RUN, MODEL, BENCH_RUN, BENCHMARK, STUDY)
"""The kinds that SEA writes, whose manifests are sealed. Of two manifests in a folder, the first counts."""


def find_folder_kind(folder: Path) -> FolderKind | None:
    """Return what kind a folder is; None if it is none of them."""
    return next((kind for kind in (*WRITTEN, CHECKPOINT) if (folder / kind.manifest).is_file()), None)


def command_to_show(folder: Path) -> str:
    """Return the command that shows a folder; empty where there is none."""
    kind = find_folder_kind(folder)
    return kind.shown_by if kind else ""

"""What commands read: a path where nothing is gets refused before a command imports what its work needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from sea_core.errors import SeaError, nearest


def refusing(require: Callable[[Path], object]) -> Callable[[typer.Context, Any], Any]:
    """Return the callback of an argument or option that is one path or several.

    Args:
        require: raises SeaError for a path that cannot be read.
    """

    def check(context: typer.Context, given: Any) -> Any:
        if context.obj is not None:  # without, `sea run` reads the options before earlier commands write the files
            for path in given if isinstance(given, list | tuple) else [given]:
                if path is not None:
                    require(Path(path))
        return given

    return check


def require_path(path: Path, noun: str = "file or folder") -> None:
    """Raise SeaError if nothing is there, with the nearest name that is."""
    if not path.exists():
        beside = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
        close = nearest(path.name, beside)
        hint = f"Did you mean {path.with_name(close)} ?" if close else "Check the path."
        raise SeaError(f"there is no {noun} {path}", hint=hint)


def require_folder(path: Path) -> None:
    """Raise SeaError if there is no folder of this name. What else a command does not take, it says itself."""
    from sea_core.runs.folder import ADDRESS

    if address := ADDRESS.fullmatch(str(path)):
        there = f"{address['scheme']}://{address['rest']}"
        hint = f"Get it into a folder first: sea pull {there} FOLDER"
        raise SeaError(f"{there} lies in object storage, and this command reads folders", hint=hint)
    require_path(path, "folder")


def require_data(path: Path) -> None:
    """Raise DataError for a data set that is not there, or a file that cannot be one. Hub data sets are not looked up.

    What the file holds is checked when it is read.
    """
    from sea_core.data.sources.open import require_source

    require_source(path)


def require_run(path: Path) -> None:
    """Raise RunError if there is no folder of this name. An address in object storage is not looked up."""
    if not path.is_dir() and ":/" not in str(path):
        from sea_core.runs.embedding_run import EmbeddingRun

        EmbeddingRun(path)


def require_benchmark(folder: Path) -> None:
    """Raise SeaError for a path that cannot be a benchmark folder: it has no JSON file, or is another kind of folder.

    A benchmark need not be built by SEA, so what it consists of is checked by `sea bench check`.
    """
    from sea_core.runs.folder_kind import BENCHMARK, find_folder_kind

    hint = "Build one: sea bench build MODALITY --out DIR"
    if not folder.exists():
        raise SeaError(f"there is no folder {folder}", hint=f"Check the path. {hint}")
    if (kind := find_folder_kind(folder)) and kind is not BENCHMARK:
        raise SeaError(f"{folder} is no benchmark folder: it is {kind.noun}", hint=hint)
    if not any(folder.glob("**/*.json")):
        raise SeaError(f"{folder} is no benchmark folder", hint=hint)

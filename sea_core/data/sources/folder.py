"""A folder of rows: one that `save_to_disk` wrote, or one of Parquet files. It is read whole, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sea_core.data.sources.arrow import parquet_values
from sea_core.data.sources.hub import iter_rows, load, pick_split
from sea_core.data.sources.text import Item
from sea_core.errors import DataError

SAVED = ("dataset_dict.json", "state.json")
HOLD_ROWS = {".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".xlsx", ".xls", ".arrow", ".parquet"}
ABOUT = {"dataset_info.json", "dataset_infos.json", "config.json"}
"""Files that tell about data and hold none."""
SHOWN = 8


def is_data_folder(path: Path) -> bool:
    """Tell whether `save_to_disk` wrote this folder, or it has Parquet files."""
    return _is_saved(path) or bool(_parquet(path))


def folder_values(path: Path, split: str | None) -> tuple[Iterator[Item], list[Path]]:
    """Return the rows of a folder, and the files of all its splits.

    Raises:
        DataError: the folder is damaged, has no such split, or holds rows that would not be read.
    """
    if not _is_saved(path):
        files, _ = pick_split(path, _splits(path), split)
        return parquet_values(path, files), _parquet(path)
    import datasets

    data, _ = pick_split(path, load(path, lambda: datasets.load_from_disk(str(path))), split)
    return iter_rows(path, data), [file for file in _visible(path) if file.suffix == ".arrow"]


def _is_saved(path: Path) -> bool:
    return any((path / name).is_file() for name in SAVED)


def _visible(path: Path) -> list[Path]:
    """Return the files in a folder and the folders in it, without hidden ones."""
    found = (file for file in path.rglob("*") if file.is_file())
    return sorted(file for file in found if not any(part.startswith(".") for part in file.relative_to(path).parts))


def _parquet(path: Path) -> list[Path]:
    return [file for file in _visible(path) if file.suffix.lower() == ".parquet"]


def _splits(path: Path) -> dict[str, list[Path]]:
    """Return the Parquet files of each split.

    The README or else the library's rules for names say which. The library itself would read the commonest kind of
    file in the folder, and leave the others out without a word.
    """
    from datasets import load_dataset_builder
    from datasets.data_files import DataFilesDict, get_data_patterns

    base = str(path.resolve())
    builder = load(path, lambda: load_dataset_builder(base))
    told = builder.config.data_files
    if builder.name != "parquet":
        told = load(path, lambda: DataFilesDict.from_patterns(get_data_patterns(base), base_path=base))
    splits = {str(name): [Path(file) for file in files] for name, files in told.items()}
    splits = {name: [file for file in files if file.suffix.lower() == ".parquet"] for name, files in splits.items()}
    _check_whole(path, {file for files in splits.values() for file in files})
    return {name: files for name, files in splits.items() if files}


def _check_whole(path: Path, read: set[Path]) -> None:
    """Raise DataError where the files that would be read are not all that the folder holds."""
    holds = {path.resolve() / file.relative_to(path) for file in _visible(path) if _holds_rows(file)}
    if left := sorted(holds - read):
        names = ", ".join(str(file.relative_to(path.resolve())) for file in left[:SHOWN])
        raise DataError(
            f"The folder holds Parquet files, and others that would be left out: {names}.",
            where=str(path),
            hint="Give one of its files, or move the others elsewhere. Parquet files are told apart by train, test and "
            "validation in their names, or by README.md; without these all are read.",
        )
    if elsewhere := sorted(read - holds):
        raise DataError(
            f"README.md names files that do not lie in the folder, or are hidden: {elsewhere[0]}.",
            where=str(path),
            hint="Mend README.md, or give one of the folder's files.",
        )


def _holds_rows(file: Path) -> bool:
    return file.name not in ABOUT and any(suffix.lower() in HOLD_ROWS for suffix in file.suffixes)

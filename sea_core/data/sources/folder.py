"""A folder that `save_to_disk` wrote, or one of Parquet files. It is read in full, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sea_core.data.sources.arrow import parquet_values
from sea_core.data.sources.hf_datasets import iter_rows, load, pick_split
from sea_core.data.sources.text import Item
from sea_core.errors import DataError
from sea_core.runs.containment import is_file_name
from sea_core.schema import read_json

SAVED = ("dataset_dict.json", "state.json")
DATA_SUFFIXES = frozenset(".jsonl .ndjson .json .csv .tsv .xlsx .xls .arrow .parquet".split())
METADATA_FILES = frozenset("dataset_info.json dataset_infos.json config.json".split())
"""Files with a suffix of data files that hold no data."""
LISTED = 8


def is_data_folder(path: Path) -> bool:
    """Return whether `save_to_disk` wrote this folder, or it has Parquet files."""
    return _is_saved(path) or bool(_parquet_files(path))


def folder_values(path: Path, split: str | None) -> tuple[Iterator[Item], list[Path]]:
    """Return the rows of one split of a folder, and the files of all its splits.

    Raises:
        DataError: the folder is corrupt, has no such split, or has data files that would not be read.
    """
    if not _is_saved(path):
        _require_own_files(path)
        files, _ = pick_split(path, _splits(path), split)
        return parquet_values(path, files), _parquet_files(path)
    import datasets

    _require_own_splits(path)
    data, _ = pick_split(path, load(path, lambda: datasets.load_from_disk(str(path))), split)
    return iter_rows(path, data), [file for file in _visible_files(path) if file.suffix == ".arrow"]


def _require_own_files(path: Path) -> None:
    """Raise DataError where the README names files elsewhere: the library would open them, and download addresses."""
    from huggingface_hub import metadata_load

    readme = path / "README.md"
    values: list[Any] = [load(path, lambda: metadata_load(readme))] if readme.is_file() else []
    while values:
        value = values.pop()
        if isinstance(value, dict):
            patterns = [text for key in ("data_files", "data_dir") for text in _texts(value.get(key))]
            if outside := [text for text in patterns if "://" in text or text[:1] in "/~" or ".." in Path(text).parts]:
                raise DataError(
                    f"It names data files that are not in the folder: {outside[0]}.",
                    where=str(readme),
                    hint="Fix README.md, or give one of the folder's files.",
                )
            values += value.values()
        elif isinstance(value, list):
            values += value


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a tree."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


def _require_own_splits(path: Path) -> None:
    """Raise DataError where the lists of a saved data set name splits or files that are not in the folder."""
    for name, key in (("dataset_dict.json", "splits"), ("state.json", "_data_files")):
        for file in sorted(path.rglob(name)):
            what, hint = f"the list of {key.lstrip('_')} of a saved data set", "Save the data set again."
            listed = read_json(file, dict[str, Any], what=what, hint=hint, error=DataError).get(key)
            for text in _texts(listed):
                if not is_file_name(text):
                    raise DataError(f"It names {text!r}, which is no file of the folder.", where=str(file), hint=hint)


def _is_saved(path: Path) -> bool:
    return any((path / name).is_file() for name in SAVED)


def _visible_files(path: Path) -> list[Path]:
    """Return the files in a folder and its subfolders, without hidden ones."""
    found = (file for file in path.rglob("*") if file.is_file())
    return sorted(file for file in found if not any(part.startswith(".") for part in file.relative_to(path).parts))


def _parquet_files(path: Path) -> list[Path]:
    return [file for file in _visible_files(path) if file.suffix.lower() == ".parquet"]


def _splits(path: Path) -> dict[str, list[Path]]:
    """Return the Parquet files of each split, by the README or else by the library's rules for names.

    The library itself would read the most frequent type of file in the folder and silently ignore the others.
    """
    from datasets import load_dataset_builder
    from datasets.data_files import DataFilesDict, get_data_patterns

    base = str(path.resolve())
    builder = load(path, lambda: load_dataset_builder(base))
    data_files = builder.config.data_files
    if builder.name != "parquet":
        data_files = load(path, lambda: DataFilesDict.from_patterns(get_data_patterns(base), base_path=base))
    splits = {str(name): [Path(file) for file in files] for name, files in data_files.items()}
    splits = {name: [file for file in files if file.suffix.lower() == ".parquet"] for name, files in splits.items()}
    _check_complete(path, {file for files in splits.values() for file in files})
    return {name: files for name, files in splits.items() if files}


def _check_complete(path: Path, used: set[Path]) -> None:
    """Raise DataError if the files of the splits are not all the data files of the folder."""
    present = {path.resolve() / file.relative_to(path) for file in _visible_files(path) if _is_data_file(file)}
    if unused := sorted(present - used):
        names = ", ".join(str(file.relative_to(path.resolve())) for file in unused[:LISTED])
        raise DataError(
            f"The folder has Parquet files, and others that would be ignored: {names}.",
            where=str(path),
            hint="Give one of its files, or move the others elsewhere. Splits are recognised by train, test and "
            "validation in file names, or by README.md; without these all Parquet files are read.",
        )
    if absent := sorted(used - present):
        raise DataError(
            f"README.md names files that are not in the folder, or are hidden: {absent[0]}.",
            where=str(path),
            hint="Fix README.md, or give one of the folder's files.",
        )


def _is_data_file(file: Path) -> bool:
    return file.name not in METADATA_FILES and any(suffix.lower() in DATA_SUFFIXES for suffix in file.suffixes)

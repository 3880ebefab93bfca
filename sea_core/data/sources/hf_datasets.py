"""Data sets through the `datasets` library, from the hub or from a folder. Nothing is decoded and no script is run."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from lzma import LZMAError
from pathlib import Path
from tarfile import TarError
from typing import Any, TypeVar
from zipfile import BadZipFile

from sea_core.data.sources.arrow import BATCH, table_rows
from sea_core.data.sources.text import Item
from sea_core.errors import DataError, nearest, one_line

T = TypeVar("T")


def load(path: Path, call: Callable[[], T], repo: str = "") -> T:
    """Return the result of a call of `datasets` or `huggingface_hub`.

    Args:
        path: what is read, for messages.
        repo: the name on the hub, if the call uses the network.

    Raises:
        DataError: in place of the libraries' own errors.
    """
    try:
        return call()
    except library_errors() as error:
        raise data_error(path, error, repo) from error


def pick_split(path: Path, data: Any, split: str | None) -> tuple[Any, str]:
    """Return one split and its name.

    Args:
        path: what is read, for messages.
        data: a mapping from split names, or one data set.

    Raises:
        DataError: there is no such split, or there are several and none was named.
    """
    if not isinstance(data, Mapping):
        only = str(data.split) if data.split is not None else "all"
        if split not in (None, only):
            raise DataError(
                f'There is no split "{split}": the data set has no splits.', where=str(path), hint="Omit --split."
            )
        return data, only
    names = [str(name) for name in data]
    if split is None and len(names) == 1:
        return data[names[0]], names[0]
    if split in names:
        return data[split], str(split)
    example = nearest(split or "train", names) or (names[0] if names else "NAME")
    what = f'There is no split "{split}".' if split else "The data set has several splits."
    raise DataError(f"{what} It has: {', '.join(names)}.", where=str(path), hint=f"Type --split {example}")


def iter_rows(path: Path, data: Any, repo: str = "") -> Iterator[Item]:
    """Yield the rows of a data set of the library as Arrow tables hold them. Raises DataError as `load` does."""
    try:
        yield from table_rows(path, data.with_format("arrow").iter(batch_size=BATCH))
    except library_errors() as error:
        raise data_error(path, error, repo) from error


def library_errors() -> tuple[type[Exception], ...]:
    """Return what `datasets`, `huggingface_hub` and the libraries under them raise for data they cannot read."""
    import yaml
    from datasets.exceptions import DatasetsError
    from huggingface_hub import errors
    from pyarrow import ArrowException

    unresolved = getattr(errors, "RevisionResolutionError", DatasetsError)  # older versions have none
    own = (DatasetsError, errors.EntryNotFoundError, unresolved, http_error(), ArrowException, yaml.YAMLError)
    # Raised for a README or an index that is not as expected, and for corrupt archives.
    builtin = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, ImportError)
    archives = (EOFError, zlib.error, LZMAError, BadZipFile, TarError)
    return (*own, *builtin, *archives)


def data_error(path: Path, error: Exception, repo: str) -> DataError:
    """Return the DataError for one of the `library_errors`; `repo` as in `load`."""
    from datasets.exceptions import DatasetNotFoundError
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    message = one_line(error)[:300].rstrip(".")
    if isinstance(error, GatedRepoError):
        what = "The data set is gated."
        hint = f"Request access at huggingface.co/datasets/{repo}, then type: hf auth login"
    elif isinstance(error, RepositoryNotFoundError | DatasetNotFoundError):
        what = "The hub has no such data set, or it is private."
        hint = "Check the name at huggingface.co/datasets; for a private one type: hf auth login"
    elif isinstance(error, RevisionNotFoundError):
        what, hint = "The data set has no such revision.", "Give a commit, branch or tag after the @, or omit it."
    elif repo and _is_network_error(error):
        what = f"The hub cannot be reached: {message}."
        hint = "Check the network, and that HF_HUB_OFFLINE is not set. Or download the files and give their path."
    else:
        what = f"The datasets library cannot read it: {type(error).__name__}: {message}."
        hint = "Check the name, the config after the colon, and the files; a single file can be given by its path."
    return DataError(what, where=str(path), hint=hint)


def _is_network_error(error: Exception) -> bool:
    return isinstance(error, (OSError, http_error())) and not isinstance(error, FileNotFoundError)


def http_error() -> type[Exception]:
    """Return the base class of the HTTP client's errors; which client it is depends on the hub library's version."""
    from huggingface_hub.errors import HfHubHTTPError

    return next(base for base in HfHubHTTPError.__bases__ if base is not OSError)

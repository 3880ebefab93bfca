"""Data sets of the hub, through the `datasets` library.

No script of a data set is run, and no image or sound is decoded: the library hands Arrow tables over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sea_core.data.sources.arrow import BATCH, table_rows
from sea_core.data.sources.text import Item
from sea_core.errors import DataError
from sea_core.plugin.isolation import catch_any, one_line

PREFIX = "hf:"
NAME = re.compile(r"hf:(?P<repo>[\w.-]+(?:/[\w.-]+)?)(?::(?P<config>[\w.-]+))?(?:@(?P<revision>[\w./-]+))?")
UNREACHED = ("Offline", "Connect", "Timeout", "Transport", "Protocol")
"""Words in the names of errors that mean the network."""


@dataclass(frozen=True, slots=True)
class HubName:
    """`hf:owner/name:config@revision`; config and revision may be left out."""

    repo: str
    config: str | None
    revision: str | None


def parse_name(text: str) -> HubName:
    """Read the name of a data set of the hub. Raises DataError when it is none."""
    found = NAME.fullmatch(text)
    if found is None:
        raise DataError(f"{text} is not understood.", hint="Type hf:OWNER/NAME, hf:OWNER/NAME:CONFIG@REVISION.")
    return HubName(found["repo"], found["config"], found["revision"])


def hub_values(path: Path, split: str | None) -> tuple[Iterator[Item], str]:
    """Stream a data set of the hub. Return its rows, and what it was: name, config, commit and split.

    Raises:
        DataError: the hub cannot be reached, or has no such data set, config, commit or split.
    """
    import datasets

    name = parse_name(str(path))
    commit = _commit(path, name)
    options = {"name": name.config, "revision": commit, "streaming": True}
    loaded = load(path, lambda: datasets.load_dataset(name.repo, **options), name.repo)
    data, split = pick_split(path, loaded, split)
    return iter_rows(path, data), f"{PREFIX}{name.repo}:{name.config or 'default'}@{commit}/{split}"


def pick_split(path: Path, loaded: Any, split: str | None) -> tuple[Any, str]:
    """Return one split and its name. Raises DataError when it is not there, or when several are and none was named."""
    if not isinstance(loaded, Mapping):
        only = str(loaded.split) if loaded.split is not None else "all"
        if split not in (None, only):
            raise DataError(
                f'There is no split "{split}": this is one data set.', where=str(path), hint="Leave --split out."
            )
        return loaded, only
    names = [str(name) for name in loaded]
    if split is None and len(names) == 1:
        return loaded[names[0]], names[0]
    if split in names:
        return loaded[split], str(split)
    close = get_close_matches(split or "train", names, n=1) or names[:1] or ["NAME"]
    what = f'There is no split "{split}".' if split else "The data set has several splits."
    raise DataError(f"{what} It has: {', '.join(names)}.", where=str(path), hint=f"Type --split {close[0]}")


def iter_rows(path: Path, data: Any) -> Iterator[Item]:
    """Yield the rows of a data set of the library."""
    return table_rows(path, data.with_format("arrow").iter(batch_size=BATCH))


def _commit(path: Path, name: HubName) -> str:
    """Return the commit that the name means now: a run must not change with the hub."""
    from huggingface_hub import HfApi

    found: list[Any] = []
    ask = catch_any(lambda: found.append(HfApi().dataset_info(name.repo, revision=name.revision, timeout=30)))
    if ask is not None:
        raise _told(path, ask, name.repo)
    return str(found[0].sha)


def load(path: Path, call: Any, repo: str = "") -> Any:
    """Return what a call of the library returns. Raises DataError in place of whatever it raises."""
    loaded: list[Any] = []
    error = catch_any(lambda: loaded.append(call()))
    if error is not None:
        raise _told(path, error, repo)
    return loaded[0]


def _is_network(error: BaseException) -> bool:
    local = isinstance(error, FileNotFoundError)
    return not local and (isinstance(error, OSError) or any(word in type(error).__name__ for word in UNREACHED))


def _told(path: Path, error: BaseException, repo: str) -> DataError:
    """Return what the library raised in words: it raises many kinds of errors, which change with its version."""
    kind, said = type(error).__name__, one_line(error)[:300].rstrip(".")
    if kind == "GatedRepoError":
        what, hint = "The data set is gated.", f"Ask for access at huggingface.co/datasets/{repo}, then: hf auth login"
    elif kind in ("RepositoryNotFoundError", "DatasetNotFoundError"):
        what = "The hub has no such data set, or it is private."
        hint = "Check the name at huggingface.co/datasets; for a private one type: hf auth login"
    elif kind == "RevisionNotFoundError":
        what, hint = "The data set has no such revision.", "Give a commit, branch or tag after the @, or leave it out."
    elif repo and _is_network(error):
        what = f"The hub cannot be reached: {said}."
        hint = (
            "Check the network, and that HF_HUB_OFFLINE is not set. Or fetch the files elsewhere, and give their path."
        )
    else:
        what = f"The datasets library cannot read it: {kind}: {said}."
        hint = "Check the name, the config after the colon, and the files; a single file can be given by its path."
    return DataError(what, where=str(path), hint=hint)

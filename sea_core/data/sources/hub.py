"""Data sets of the Hugging Face hub, by name and at a fixed commit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sea_core.data.sources.hf_datasets import iter_rows, load, pick_split
from sea_core.data.sources.text import Item
from sea_core.errors import DataError

PREFIX = "hf:"
NAME = re.compile(r"hf:(?P<repo>[\w.-]+(?:/[\w.-]+)?)(?::(?P<config>[\w.-]+))?(?:@(?P<revision>[\w./-]+))?")
TIMEOUT = 30
"""Seconds to wait for the hub."""


@dataclass(frozen=True, slots=True)
class HubName:
    """`hf:owner/name:config@revision`; config and revision are optional."""

    repo: str
    config: str | None
    revision: str | None


def parse_name(text: str) -> HubName:
    """Parse the name of a hub data set. Raises DataError if it is malformed."""
    found = NAME.fullmatch(text)
    if found is None:
        raise DataError(
            f"{text} is not the name of a hub data set.", hint="Type hf:OWNER/NAME, or hf:OWNER/NAME:CONFIG@REVISION."
        )
    return HubName(found["repo"], found["config"], found["revision"])


def hub_values(path: Path, split: str | None) -> tuple[Iterator[Item], str]:
    """Stream a data set of the hub. Return its rows, and its identity: name, config, commit and split.

    Raises:
        DataError: the hub cannot be reached, or has no such data set, config, revision or split.
    """
    import datasets

    name = parse_name(str(path))
    commit = load(path, lambda: _find_commit(name), name.repo)
    options = {"name": name.config, "revision": commit, "streaming": True}
    loaded = load(path, lambda: datasets.load_dataset(name.repo, **options), name.repo)
    data, split = pick_split(path, loaded, split)
    identity = f"{PREFIX}{name.repo}:{name.config or 'default'}@{commit}/{split}"
    return iter_rows(path, data, name.repo), identity


def _find_commit(name: HubName) -> str:
    """Return the commit of the revision: a run must not change when the hub does."""
    from huggingface_hub import HfApi

    return str(HfApi().dataset_info(name.repo, revision=name.revision, timeout=TIMEOUT).sha)

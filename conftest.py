"""What all tests share, and how they are divided between processes (`pytest -n 2 --dist loadgroup`)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# How long an example takes is asserted nowhere: on a busy machine any takes long. The examples are the same each time;
# `make fuzz` draws new ones.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=not os.environ.get("SEA_FUZZ"))
hypothesis.settings.load_profile("steady")

# For all tests and the processes that they start: on more threads models this small are slower. Not by
# torch.set_num_threads, which makes a pool that is broken in a forked process.
os.environ.setdefault("OMP_NUM_THREADS", "1")

pytest_plugins = ["helpers.fixtures", "helpers.hostile", "helpers.object_storage"]

ROOT = Path(__file__).parent
ONE_RUN = {"test_audit.py", "test_optimizer.py", "test_verify.py"}
"""They look at the same run over the demo rows, which takes a minute: one process makes it, for all."""
FIRST = (
    "tests/alignment/test_processes.py",
    "tests/pipeline/test_several_workers.py",
    "tests/docs/test_commands.py",
    "tests/docs/test_tutorial.py",
    "tests/plugin/test_third_party.py",
    "plugins/bench/tests/cli/test_study.py",
    "demo run",
    "plugins/auto/tests/test_chain.py",
    "plugins/toy/tests/spoken/test_study.py",
    "tests/alignment/test_align.py",
    "tests/plugin/test_example_eeg.py",
)
"""The groups that take longest: begun last, one of them would run alone at the end."""


def pytest_configure(config: pytest.Config) -> None:
    """Keep the order of the groups: pytest-xdist would begin with those of most tests, which are the quickest."""
    config.option.loadscopereorder = False


@pytest.fixture(autouse=True, scope="session")
def digest_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the cache of digests out of the home folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEA_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True, scope="session")
def no_waiting_for_the_disk() -> Iterator[None]:
    """What tests write need not outlive a loss of power. The processes that they start wait as always."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests in one process, so that what they share is made once; begin with the longest files."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))
    items.sort(key=lambda item: FIRST.index(group_of(item)) if group_of(item) in FIRST else len(FIRST))


def group_of(item: pytest.Item) -> str:
    """Return the name of the group of tests that run in one process, in their order."""
    return "demo run" if item.path.name in ONE_RUN else str(item.path.relative_to(ROOT))

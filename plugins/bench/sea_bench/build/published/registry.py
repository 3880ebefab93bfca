"""The published sets that are recognised by the layout of their folder."""

from __future__ import annotations

from pathlib import Path

from sea_bench.build.published.base import PublishedLayout
from sea_bench.build.published.mossbench import MOSSBench
from sea_bench.build.published.omni_safetybench import OmniSafetyBench

PUBLISHED_LAYOUTS: tuple[PublishedLayout, ...] = (OmniSafetyBench(), MOSSBench())


def find_layout(folder: Path) -> PublishedLayout | None:
    """Return the set whose layout a folder has, if there is one."""
    return next((known for known in PUBLISHED_LAYOUTS if known.matches(folder)), None)

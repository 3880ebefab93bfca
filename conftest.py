"""How the tests are shared out between processes (`pytest -n 2 --dist loadgroup`)."""

from __future__ import annotations

import pytest

ONE_RUN = {"test_optimize.py", "test_verify.py"}
"""They look at the same run over the demo rows, which takes a minute: one process makes it, for both."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests in one process, so that what they share is made once."""
    for item in items:
        name = item.path.name if item.path.name not in ONE_RUN else "demo run"
        item.add_marker(pytest.mark.xdist_group(f"{item.path.parent.parent.name}/{name}"))

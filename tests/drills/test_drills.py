"""A sample of the kill drills: all of them are `make drill`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


SAMPLE = "data convert;plugins new;encode;bench judge"


@pytest.mark.skipif(sys.platform != "linux", reason="the drills wait for processes through pidfd, and read /proc")
def test_stopped_commands_lose_nothing_and_end_like_undisturbed_ones() -> None:
    path = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "drills", "--stops", "14", "--seed", "1", "--only", SAMPLE]
    # A process of its own: this one may have threads, and cannot be forked.
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"

"""Blocks whose workers are killed at any moment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from helpers.cut_blocks import WITH_HELPERS, check_store

STEP = 5

"""Every how many operations a kill comes."""


KILLED = (
    f"STEP = {STEP}\n"
    + """
import os, psutil, sys
from pathlib import Path
import pyarrow.parquet, safetensors.torch, torch
from helpers.kills import kill_after
from helpers.records import result_record
from sea_core.runs.blocks import Blocks
from sea_core.runs.store import Store

def work(folder):
    blocks = Blocks(folder)
    ids = [f"e-{number:03d}" for number in range(5)]
    with blocks.registered() as worker:
        store = Store(folder)
        store.join_blocks()
        covered = blocks.tidy(worker, set(ids))
        left = [{"id": i, "value": {}} for i in ids if i not in covered | Store(folder).ids()]
        if left:
            blocks.request(worker, left)
        while job := blocks.claim_settling(worker):
            known = blocks.ids() | Store(folder).ids()
            blocks.cut(job, [row for row in job.rows if row["id"] not in known], 2)
            job.remove()
        while block := blocks.claim(worker):
            for row in block.left():
                block.add(result_record(row["id"]), torch.full((2, 3), float(row["id"][-3:])))
            block.finish()
            store = Store(folder)
            store.join_blocks()
    while not blocks.delete():
        Store(folder).join_blocks()
    Store(folder).flush()

os.fsync = lambda handle: None  # a kill is no loss of power
root, calls = Path(sys.argv[1]), 0
pyarrow.Table.from_pylist([{"warm": 1}])
while True:
    folder = root / str(calls)
    folder.mkdir()
    child = os.fork()
    if child == 0:
        kill_after(calls, "fsync", "replace", "rename", "unlink", "mkdir", "rmdir")
        work(folder)
        os._exit(0)
    code = os.waitpid(child, 0)[1]
    if os.fork() == 0:
        work(folder)
        os._exit(0)
    assert os.wait()[1] == 0, calls
    if code == 0:
        break
    calls += STEP
print(calls)
"""
)


def test_a_kill_at_any_moment_loses_no_row_and_does_none_twice(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], env=WITH_HELPERS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100
    expected: Any = None
    for folder in tmp_path.iterdir():
        check_store(folder, 5)
        found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
        assert found == (expected := expected or found)
        assert not any("blocks" in name for name in found)

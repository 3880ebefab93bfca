"""Stop every command at random points, and print what was lost: `python -m drills`, with tests/ as a Python path."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from zlib import crc32

SHARD_SIZE = 4
"""Instead of 64, so that a few embeddings make several shards."""


def main() -> None:
    """Perform the drills. Exit code 1 if anything was lost, doubled, damaged or different."""
    parser = argparse.ArgumentParser(prog="drills", description=__doc__)
    parser.add_argument("--stops", type=int, default=312, help="how many in all (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="draws the stops")
    parser.add_argument("--only", default="*", help="patterns of the commands' names, separated by ;")
    parser.add_argument("--every", action="store_true", help="kill before each file operation instead, once each")
    parser.add_argument("--keep", type=Path, help="a new folder for the work; folders with a fault stay there")
    options = parser.parse_args()
    root = (options.keep or Path(tempfile.mkdtemp(prefix="drills-"))).resolve()
    # Threads by the environment: torch.set_num_threads makes a pool that is broken in a forked process.
    os.environ |= {
        "OMP_NUM_THREADS": "1",
        "SEA_CACHE": str(root / "cache"),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    with _server() as url:
        faults = _perform(root, url, options)
    if not options.keep:
        shutil.rmtree(root)
    sys.exit(bool(faults))


def _perform(root: Path, url: str, options: argparse.Namespace) -> list[str]:
    from drills.commands import list_drills, write_inputs
    from drills.drill import perform, table

    _warm_up()
    write_inputs(root / "inputs")
    drills = [
        drill
        for drill in list_drills(root / "inputs", url)
        if any(fnmatchcase(drill.name, pattern) for pattern in options.only.split(";"))
    ]
    tallies = []
    for number, drill in enumerate(drills):
        began, rng = time.monotonic(), random.Random(crc32(f"{options.seed}/{drill.name}".encode()))
        share = options.stops * (number + 1) // len(drills) - options.stops * number // len(drills)
        tallies.append(perform(drill, root / f"{number:02d}", share, rng, every=options.every))
        _note(f"{drill.name}: {tallies[-1].stops.total()} stops, {time.monotonic() - began:.0f} s")
        for fault in tallies[-1].faults:
            _note(f"  {fault}")
    print("\n".join(table(tallies)))
    print(f"\n{sum(tally.stops.total() for tally in tallies)} stops, seed {options.seed}")
    return [fault for tally in tallies for fault in tally.faults]


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _warm_up() -> None:
    """Import once what every command imports, and change what makes a drill long."""
    import datasets
    import openai
    import peft
    import pyarrow.parquet
    import soundfile
    import torch
    import trl

    import sea_bench
    import sea_core
    import sea_toy
    from sea_bench.build.generators import espeak
    from sea_core.alignment import export
    from sea_core.plugin import loader
    from sea_core.runs import store

    assert all((datasets, openai, peft, pyarrow, soundfile, trl))
    for package in (sea_core, sea_bench, sea_toy):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith(("sea_bench.inspect", "sea_core.cli.__main__")):
                importlib.import_module(module.name)
    for name in ("qwen2_audio",):
        _, adapter = loader.get_adapter(name)
        adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu")
    store.SHARD_SIZE = SHARD_SIZE
    export._load_in_fresh_process = _load_in_fork
    espeak._Espeak = _SteadyVoice


class _SteadyVoice:
    """A voice whose waveform depends on the text alone. That of espeak never comes twice."""

    rate = 16_000

    def synthesize(self, text: str, *_: object) -> Any:
        import numpy as np

        pitch = 200 + sum(text.encode()) % 400
        return np.sin(np.arange(8000) * 2 * np.pi * pitch / self.rate).astype(np.float32)


def _load_in_fork(job: dict[str, Any]) -> dict[str, Any]:
    """Load exports as the fresh process does, in a forked one: it has imported the libraries already."""
    import contextlib
    import io
    import json

    from drills.stops import call
    from sea_core.alignment.export import LOADER

    def load() -> Any:
        out, sys.argv = io.StringIO(), ["-c", json.dumps(job)]
        with contextlib.redirect_stdout(out):
            exec(compile(LOADER, "loader", "exec"), {"__name__": "loader"})
        return json.loads(out.getvalue().splitlines()[-1])

    found: dict[str, Any] = call(load)
    return found


SERVER = """
import sys, time
from drills.commands import reply
from helpers.chat_server import chat_server
with chat_server(reply) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def _server() -> Iterator[str]:
    """Run a language model's server, whose replies are scripted, in a process of its own."""
    process = subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait()


if __name__ == "__main__":
    main()

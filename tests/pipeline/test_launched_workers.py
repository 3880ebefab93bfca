"""Workers that a command or a scheduler starts: restarted when they die, stopped with what started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from helpers.cli import restore_sigint, sea, sea_process
from helpers.cli_runs import PLUGIN, QUICK, optimize_command, write_demo_examples
from helpers.worker_runs import CONFIG, COUNT, SETTINGS, assert_same, make_run, prepare_run, wait_for
from sea_core.errors import DataError
from sea_core.optimization.audit import MIN_AUDITS
from sea_core.pipeline import launch as module
from sea_core.pipeline.data_spec import DataSpec
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.optimize import optimize
from sea_core.pipeline.synthesis import Synthesis
from sea_core.runs.embedding_run import EmbeddingRun


def test_launched_workers_make_the_run_of_one(
    quiet: EmbeddingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that dies is started again, with one line on how it died. Workers audit: nobody else loads a model."""
    monkeypatch.delattr(ModelTarget, "load")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def start(*args: Any, **kwargs: Any) -> Any:
        if len(started) in (0, 2):  # the first one dies at once, and once more when it is started again
            args = ([sys.executable, "-c", "import os; print('I die', flush=True); os.abort()"],)
            kwargs["stderr"], kwargs["stdout"] = kwargs["stderr"], kwargs["stderr"]
        started.append(real(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(module.subprocess, "Popen", start)
    notes: list[str] = []
    progress = RecordingProgress(notes)
    target = ModelTarget.find(PLUGIN, settings={"seconds": 0.5})
    synthesis = Synthesis(config=replace(CONFIG, workers=2))
    optimize(DataSpec(limit=COUNT), target, out=tmp_path / "run", synthesis=synthesis, verify=False, progress=progress)
    assert_same(tmp_path / "run", quiet)
    assert len(started) == 4
    assert all(process.poll() is not None for process in started)
    deaths = [note for note in notes if "worker" in note]
    assert deaths == ["worker 0 has died (signal 6): it is started again\n  I die"] * 2
    assert progress.counted == COUNT
    audits = EmbeddingRun(tmp_path / "run").current_audits()
    assert sorted(audits, key=itemgetter("id")) == sorted(quiet.current_audits(), key=itemgetter("id"))
    assert len(audits) == MIN_AUDITS


def test_workers_are_stopped_where_one_of_them_cannot_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def start(*_: Any, **__: Any) -> Any:
        if started:
            raise OSError(11, "Resource temporarily unavailable")
        started.append(real([sys.executable, "-c", "import time; time.sleep(100)"]))
        return started[0]

    monkeypatch.setattr(module.subprocess, "Popen", start)
    with pytest.raises(OSError, match="temporarily"):
        make_run(tmp_path / "run", replace(CONFIG, workers=2), count=2)
    assert started[0].poll() is not None


def test_workers_that_wait_for_the_rows_are_stopped_where_these_cannot_be_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen
    monkeypatch.setattr(module.subprocess, "Popen", lambda *a, **k: started.append(real(*a, **k)) or started[-1])
    synthesis = Synthesis(config=replace(CONFIG, workers=2))
    with pytest.raises(DataError, match="no such file"):
        optimize(tmp_path / "none.jsonl", PLUGIN, out=tmp_path / "run", synthesis=synthesis)
    assert [process.poll() is not None for process in started] == [True, True]
    assert not (tmp_path / "run").exists()


class SilentTracker:
    """Counts nothing."""

    def advance(self, count: int = 1, note: str = "", seconds_left: float | None = None) -> None:
        pass


SILENT_TRACKER = SilentTracker()


class RecordingProgress:
    """Keeps remarks, and how many embeddings were counted."""

    def __init__(self, notes: list[str]) -> None:
        self.notes, self.counted = notes, 0

    @contextmanager
    def track(self, description: str, total: int, done: int = 0) -> Iterator[Any]:
        yield self if description == "optimize" else SILENT_TRACKER

    def advance(self, count: int = 1, note: str = "", seconds_left: float | None = None) -> None:
        self.counted += count

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_ctrl_c_stops_all_workers(quiet: EmbeddingRun, tmp_path: Path) -> None:
    rows, run = write_demo_examples(tmp_path / "rows.jsonl", COUNT), tmp_path / "run"
    command = sea_process(*optimize_command(rows, run, *SETTINGS, "--no-verify", "-o", "workers=2"))
    until = time.monotonic() + 600  # only a worker that hangs takes so long
    while not (run / "run.json").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    wait_for(run, 1)
    command.send_signal(signal.SIGINT)
    _, err = command.communicate()
    assert command.returncode == 130
    assert err.strip().endswith("Re-run the same command to resume.")
    blocks = EmbeddingRun(run).blocks  # a worker that was still starting leaves its claim, which counts as a dead one's
    others = blocks.worker()
    assert not any(others.is_alive(block.state) for block in blocks.all() if block.is_claimed)


def test_a_worker_ends_with_the_process_that_launched_it(tmp_path: Path) -> None:
    run = prepare_run(tmp_path / "run", steps=10_000, loss=1e-9).folder
    script = (
        "import subprocess, sys, os\n"
        "os.environ['SEA_WORKER_PARENT'] = str(os.getpid())\n"
        "child = subprocess.Popen([sys.executable, '-m', 'sea_core.cli', 'worker', sys.argv[1]])\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(run)], stdout=subprocess.PIPE, text=True, preexec_fn=restore_sigint
    )
    assert parent.stdout
    child = int(parent.stdout.readline())
    until = time.monotonic() + 600  # only a worker that hangs takes so long
    while not any(block.is_claimed for block in EmbeddingRun(run).blocks.all()):
        assert time.monotonic() < until
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    parent.stdout.close()  # not read to its end: the worker holds it open
    while Path(f"/proc/{child}").exists() and "Z" not in Path(f"/proc/{child}/stat").read_text().split(")")[1]:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert not any(block.is_claimed for block in EmbeddingRun(run).blocks.all())


SIGNALS = """
import signal, sys, time
from pathlib import Path
from sea_core.pipeline.worker import join_run

received = []
signal.signal(signal.SIGTERM, lambda *_: received.append(1))
join_run(sys.argv[1])
print("joined", flush=True)
while not received:
    time.sleep(0.05)
time.sleep(2)
Path(sys.argv[2]).write_text(str(len(received)))
"""


def test_a_worker_whose_parent_is_gone_gets_one_signal(quiet: EmbeddingRun, tmp_path: Path) -> None:
    """A second one would end it before it has given back what it has claimed."""
    count = tmp_path / "count"
    command = [sys.executable, "-P", "-c", SIGNALS, str(quiet.folder), str(count)]
    start = (
        "import os, subprocess, sys\n"
        "os.environ['SEA_WORKER_PARENT'] = str(os.getpid())\n"
        "child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)\n"
        "while not child.stdout.readline().startswith(b'joined'): pass\n"
    )
    subprocess.run([sys.executable, "-P", "-c", start, *command], check=True, preexec_fn=restore_sigint)
    until = time.monotonic() + 600  # only a worker that hangs takes so long
    while not (count.exists() and count.read_text()):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert count.read_text() == "1"


SBATCH = """\
#!/bin/bash
# A cluster of one computer, on which all tasks of an array run at once.
grep -q '^#SBATCH --array=0-0$' "$1" || exit 3
for id in 0; do SLURM_ARRAY_TASK_ID=$id bash "$1" > "log-$id" 2>&1 & done
wait
"""


def test_the_slurm_script_prepares_submits_and_works(
    quiet: EmbeddingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = write_demo_examples(tmp_path / "rows.jsonl", COUNT)
    options = (rows, "--plugin", PLUGIN, *QUICK, "-o", "batch_size=2")
    script = sea("plan", *options, "--steps", "40", "--slurm", "1").out
    assert "--steps" not in script
    (tmp_path / "sea.sbatch").write_text(script)
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, text in (("sbatch", SBATCH), ("sea", f'#!/bin/bash\nexec {sys.executable} -m sea_core.cli "$@"\n')):
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{commands}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        ["bash", "sea.sbatch"], env=environment, capture_output=True, text=True, check=False, cwd=tmp_path
    )
    logs = "".join(path.read_text() for path in tmp_path.glob("log-*"))
    assert done.returncode == 0, done.stderr + logs
    assert "OSR" in logs
    assert_same(tmp_path / "runs" / f"{PLUGIN}-rows", quiet)

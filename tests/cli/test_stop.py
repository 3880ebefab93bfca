"""Stop a command by Ctrl-C, by a kill, by a full disk: nothing finished is lost, and the same command goes on."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers.cli import expect_error, restore_sigint, sea, sea_process
from helpers.cli_runs import FinishedRun, optimize_command, records, write_demo_examples
from sea_core.cli import stop


def count_pending(run: Path) -> int:
    """Return how many rows lie in a run as single files. Folders may be renamed meanwhile: `Path.glob` would fail."""
    names = [name for folder, _, names in os.walk(run) if Path(folder).name == "pending" for name in names]
    return sum(name.endswith(".safetensors") for name in names)


def stopped(run: Path, command: tuple[object, ...], with_signal: int, least: int) -> tuple[int, str]:
    """Start a command, stop it when `least` rows lie in the run, and return its exit code and stderr."""
    process = sea_process(*command)
    until = time.monotonic() + 120
    while count_pending(run) < least:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "no row was finished in two minutes"
        time.sleep(0.02)
    process.send_signal(with_signal)
    out, err = process.communicate()
    assert out == ""
    return process.returncode, err


def test_interrupt_and_kill_lose_no_finished_row(tmp_path: Path) -> None:
    rows, run = write_demo_examples(tmp_path / "rows.jsonl", 6), tmp_path / "run"
    command = optimize_command(rows, run, "-o", "batch_size=1", "-o", "steps=30", "--json")

    code, err = stopped(run, command, signal.SIGINT, least=1)
    assert code == 130
    assert "Re-run the same command to resume." in err
    assert "Traceback" not in err
    first = records(run)
    assert 1 <= len(first) < 6

    code, _ = stopped(run, command, signal.SIGKILL, least=len(first) + 1)
    assert code == -signal.SIGKILL
    second = records(run)
    assert len(first) < len(second) < 6
    kept = {name: sea("show", run, name, "--json").json() for name in second}

    figures = sea(*command).json(code=1)
    assert (figures["embeddings"], figures["done"]) == (6, 6)
    assert len(records(run)) == 6
    for name, before in kept.items():  # the same seconds: none was made again
        after = sea("show", run, name, "--json").json()
        assert {**after, "shard": "", "verified": []} == before


def test_full_disk_stops_with_words_and_the_command_goes_on(finished: FinishedRun, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = optimize_command(finished.examples, run, "-o", "steps=2", "-o", "batch_size=1", "--no-verify", "--json")
    assert sea(*command, "--limit", "1").json(code=1)["done"] == 1  # two steps are not enough
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limits[1]))  # less than an index
    try:
        message = expect_error(*command)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "File too large" in message
    assert "re-run the same command" in message
    assert len(records(run)) == 3  # each is in a file of its own
    assert sea(*command).json(code=1)["done"] == 3


INTERRUPT_AT = """
import os, runpy, signal, sys
module, sent = sys.argv[1], [getattr(signal, name) for name in sys.argv[2].split(",")]
sys.argv = ["sea", *sys.argv[3:]]

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            while sent:
                os.kill(os.getpid(), sent.pop(0))

sys.meta_path.insert(0, Finder())
runpy.run_module("sea_core.cli", run_name="__main__", alter_sys=True)
"""
"""Runs `sea`, and sends signals to it at the moment when a module is imported."""


@pytest.mark.parametrize(
    ("module", "sent"),
    [
        ("typer", "SIGINT"),
        ("sea_core.cli.verify", "SIGINT"),
        ("sea_core.runs.embedding_run", "SIGINT"),
        ("numpy", "SIGINT"),
        ("numpy.linalg", "SIGINT"),
        ("torch.nn", "SIGINT"),
        ("torch", "SIGTERM"),
        ("pyarrow.parquet", "SIGINT,SIGINT"),
    ],
)
def test_interrupt_during_start_up_stops_with_one_line(finished: FinishedRun, module: str, sent: str) -> None:
    embedding = next(iter(records(finished.run)))
    command = [sys.executable, "-c", INTERRUPT_AT, module, sent, "show", str(finished.run), embedding, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=restore_sigint)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", stop.STOPPED)


def test_interrupt_that_a_library_swallows_still_stops() -> None:
    code = (
        "import os, signal, sys\n"
        "from sea_core.cli import app, stop\n"
        "class Handle:\n"
        "    def __del__(self):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        for _ in range(1000): pass\n"
        "def convert():\n"
        "    try: os.kill(os.getpid(), signal.SIGINT)\n"
        "    except KeyboardInterrupt: raise ImportError('initialisation failed')\n"
        "stop.leave_on_signal()\n"
        "with stop.stopping_cleanly():\n"
        "    try:\n"
        "        Handle() if sys.argv[1] == 'delete' else convert()\n"
        "        while True: pass\n"
        "    finally: print('given back', flush=True)\n"
    )
    for how in ("delete", "convert"):
        command = [sys.executable, "-c", code, how]
        done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=restore_sigint)
        assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "given back\n", stop.STOPPED), how


def test_a_thread_that_never_ends_holds_up_no_stop() -> None:
    """As a library's pool has it whose thread was interrupted at its start."""
    code = (
        "import os, signal, threading\n"
        "from sea_core.cli import stop\n"
        "stop.leave_on_signal()\n"
        "with stop.stopping_cleanly():\n"
        "    threading.Thread(target=threading.Event().wait).start()\n"
        "    print('at work')\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=100)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "at work\n", stop.STOPPED)


def test_what_cannot_be_printed_gives_no_traceback(finished: FinishedRun) -> None:
    sea_command = f"{sys.executable} -m sea_core.cli"
    for shell, code, words in [
        (f"{sea_command} show {finished.run} | true; exit ${{PIPESTATUS[0]}}", (0, 1), ""),
        (f"{sea_command} show {finished.run} > /dev/full", (2,), "No space left on device"),
        (f"{sea_command} show {finished.run} >&-", (0,), ""),
        (f"{sea_command} show $'/nop\\xff\\n\\xe4\\xbd\\xa0' 2>&1 >/dev/null", (2,), ""),
        (f"LC_ALL=C PYTHONUTF8=0 PYTHONIOENCODING=ascii {sea_command} show /你好", (2,), "error:"),
        (f"{sea_command} show /你好 2>&-", (2,), ""),
    ]:
        done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)
        assert done.returncode in code, (shell, done)
        assert words in done.stderr
        assert "Traceback" not in done.stderr
        assert "Error" not in done.stderr


def test_what_the_computer_refuses_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), "styles.json")

    monkeypatch.setattr("sea_core.data.read.scan", refuse)
    assert "styles.json: Too many open files" in expect_error("data", "check", tmp_path)

"""Stop a command by Ctrl-C, by a kill, by a full disk: nothing finished is lost, and the same command goes on."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from helpers.cli import expect_error, sea, sea_process
from helpers.cli_runs import FinishedRun, optimize_command, records, write_demo_examples


def stopped(run: Path, command: tuple[object, ...], with_signal: int, least: int) -> tuple[int, str]:
    """Start a command, stop it when `least` rows lie in the run, and return its exit code and stderr."""
    process = sea_process(*command)
    until = time.monotonic() + 120
    while len(list((run / "pending").glob("*.safetensors"))) < least:
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

    figures = sea(*command).json()
    assert (figures["embeddings"], figures["done"]) == (6, 6)
    assert len(records(run)) == 6
    for name, before in kept.items():  # the same seconds: none was made again
        after = sea("show", run, name, "--json").json()
        assert {**after, "shard": "", "verified": []} == before


def test_full_disk_stops_with_words_and_the_command_goes_on(finished: FinishedRun, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = optimize_command(finished.examples, run, "-o", "steps=2", "-o", "batch_size=1", "--no-verify", "--json")
    assert sea(*command, "--limit", "1").json()["done"] == 1
    (run / "pending" / ".00000001.safetensors.part").symlink_to("/dev/full")
    message = expect_error(*command)
    assert "No space left on device" in message
    assert "re-run the same command" in message
    assert len(records(run)) == 2
    assert sea(*command).json()["done"] == 3

"""`sea` as a person types it, in this process or one of its own: what it prints, and the code it leaves with."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from sea_core.cli import app


@dataclass(frozen=True)
class CliResult:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


def sea(*arguments: object) -> CliResult:
    """Run `sea` in this process."""
    return sea_to(io.StringIO(), *arguments)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def sea_to(out: io.StringIO, *arguments: object) -> CliResult:
    err = io.StringIO()
    typed, hook = sys.argv, sys.excepthook
    sys.argv = ["sea", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as leaving:
            app.main()
    finally:
        sys.argv, sys.excepthook = typed, hook
    return CliResult(int(leaving.value.code or 0), out.getvalue(), err.getvalue())


def sea_process(*arguments: object) -> subprocess.Popen[str]:
    """Start `sea` in a process of its own."""
    command = [sys.executable, "-m", "sea_core.cli", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=_hear_ctrl_c
    )


def _hear_ctrl_c() -> None:
    """Undo what a shell does to jobs in the background: they, and all that they start, are deaf to SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def expect_error(*arguments: object) -> str:
    """Run a command that must fail with words: exit code 2, nothing on stdout, what to type next."""
    said = sea(*arguments)
    assert (said.code, said.out) == (2, ""), said
    message = said.err[said.err.index("error: ") :]
    assert "Traceback" not in said.err
    assert "\n  " in message, f"no advice: {message}"
    return message

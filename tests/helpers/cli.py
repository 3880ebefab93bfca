"""Run `sea` in this process or in one of its own, and return its output and exit code."""

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
    """The exit code of a command, and what it printed on stdout and stderr."""

    code: int
    out: str
    err: str

    def json(self, code: int = 0) -> Any:
        """Return the object that a command printed on stdout; 1 is the code of one that finished with failures."""
        assert self.code == code, self.err
        return json.loads(self.out)


class Terminal(io.StringIO):
    """A stdout that is a terminal."""

    def isatty(self) -> bool:
        return True


def sea(*arguments: object) -> CliResult:
    """Run `sea` in this process."""
    return sea_printing_to(io.StringIO(), *arguments)


def sea_printing_to(out: io.StringIO, *arguments: object) -> CliResult:
    """Run `sea` in this process with `out` as its stdout."""
    err = io.StringIO()
    argv, hook = sys.argv, sys.excepthook
    sys.argv = ["sea", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as exit_:
            app.main()
    finally:
        sys.argv, sys.excepthook = argv, hook
    return CliResult(int(exit_.value.code or 0), out.getvalue(), err.getvalue())


def sea_process(*arguments: object) -> subprocess.Popen[str]:
    """Start `sea` in a process of its own."""
    command = [sys.executable, "-m", "sea_core.cli", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=restore_sigint
    )


MODULES = "modules: "


def sea_with_modules(*arguments: object) -> tuple[CliResult, set[str]]:
    """Run `sea` in a process of its own; return the names of the modules that it has imported, too."""
    code = f"""
import atexit, sys
atexit.register(lambda: print({MODULES!r}, *sys.modules, file=sys.stderr))
sys.argv = ["sea", *{[*map(str, arguments)]!r}]
from sea_core.cli.app import main
main()"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    printed, _, modules = done.stderr.rpartition(MODULES)
    return CliResult(done.returncode, done.stdout, printed), set(modules.split())


def restore_sigint() -> None:
    """Make the process react to Ctrl-C: a shell starts background jobs, and all they start, with SIGINT ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def expect_error(*arguments: object) -> str:
    """Run a command that must fail with an error message and a hint, exit code 2 and no output; return the message."""
    result = sea(*arguments)
    assert (result.code, result.out) == (2, ""), result
    message = result.err[result.err.index("error: ") :]
    assert "Traceback" not in result.err
    assert "\n  " in message, f"no hint: {message}"
    return message

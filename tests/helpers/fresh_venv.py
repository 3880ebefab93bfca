"""A fresh virtual environment, like that of a user who has SEA and installs a plugin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distribution, entry_points
from importlib.util import find_spec
from pathlib import Path

SERVER = """
import contextlib, io, json, os, shlex, sys
from sea_core.cli import app
replies = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # where a library that is no Python prints
for line in sys.stdin:
    sys.argv, out, err, code = shlex.split(json.loads(line)), io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            app.main()
        except SystemExit as exit_:
            code = int(exit_.code or 0)
    print(json.dumps([code, out.getvalue(), err.getvalue()]), file=replies, flush=True)
"""
"""Runs the commands of `sea` that it reads, and writes their exit codes and outputs."""


@dataclass(frozen=True)
class FreshVenv:
    """A virtual environment in a folder of its own. The packages of the current environment can be imported in it."""

    folder: Path

    @classmethod
    def create(cls, folder: Path, without: Collection[str] = ()) -> FreshVenv:
        """Create the environment in `folder/venv`, with commands `sea`, `pytest` and an offline `pip`.

        Args:
            without: distributions of the current environment that are not installed in this one ("sea-bench").
        """
        venv = folder / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
        (site,) = venv.glob("lib/python*/site-packages")
        parent = _linked_packages(folder / "parent/site-packages", without)
        # In this order: the code of this process, which a worktree runs from its own folder, then the other packages.
        site.joinpath("code_under_test.pth").write_text("".join(f"{path}\n" for path in _source_folders(without)))
        site.joinpath("parent.pth").write_text(f"import site; site.addsitedir({str(parent)!r})\n")
        python = venv / "bin/python"
        offline = '[ "$1" = install ] && set -- "$@" --no-deps --no-index --no-build-isolation -q'
        for name, line in {
            "pip": f'{offline}\nexec {python} -m pip --disable-pip-version-check "$@"',
            "pytest": f'exec {python} -m pytest "$@"',
            "sea": f'exec {python} -m sea_core.cli "$@"',
        }.items():
            script = venv / "bin" / name
            script.write_text(f"#!/bin/sh\n{line}\n")
            script.chmod(0o755)
        return cls(folder)

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a shell command in the folder."""
        return subprocess.run(
            command, shell=True, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of its processes."""
        path = f"{self.folder}/venv/bin:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        environment.pop("PYTHONPATH", None)
        return environment

    @contextmanager
    def serving(self) -> Iterator[ServingVenv]:
        """Keep one process that runs all commands of `sea`: a process for each imports the libraries each time."""
        command = [self.folder / "venv/bin/python", "-c", SERVER]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, cwd=self.folder, env=self.environment, **pipes) as process:  # type: ignore[call-overload]
            try:
                yield ServingVenv(self.folder, process)
            finally:
                process.kill()

    def output(self, command: str, code: int = 0) -> str:
        """Run a shell command that must end with this exit code, and return what it printed on stdout."""
        done = self.run(command)
        assert done.returncode == code, f"$ {command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@dataclass(frozen=True)
class ServingVenv(FreshVenv):
    """A virtual environment whose commands of `sea` run in one process, and all others in their own."""

    process: subprocess.Popen[str]

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        if not command.startswith("sea "):
            return super().run(command)
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(command), file=self.process.stdin, flush=True)
        code, out, err = json.loads(self.process.stdout.readline())
        return subprocess.CompletedProcess(command, code, out, err)


def _source_folders(without: Collection[str]) -> list[Path]:
    """Return the folders that this process imports the core and the installed plugins from."""
    points = [point for point in entry_points(group="sea") if point.dist and point.dist.name not in without]
    packages = {"sea_core", *(point.module.partition(".")[0] for point in points)}
    specs = [find_spec(package) for package in sorted(packages)]
    return [Path(spec.origin).parents[1] for spec in specs if spec and spec.origin]


def _linked_packages(folder: Path, without: Collection[str]) -> Path:
    """Return a folder with links to all installed packages, except the files of some distributions."""
    installed = Path(sysconfig.get_path("purelib"))
    hidden = {file.parts[0] for name in without for file in distribution(name).files or ()}
    folder.mkdir(parents=True)  # dill recognises installed modules by a folder called site-packages
    for path in installed.iterdir():
        if path.name not in hidden:
            (folder / path.name).symlink_to(path)
    return folder

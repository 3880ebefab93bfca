"""A fresh environment, as somebody has who installed SEA and now installs a plugin."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Stranger:
    """A virtual environment of its own, in a folder of its own, where the packages of this one can be imported too."""

    folder: Path

    @classmethod
    def settle(cls, folder: Path) -> Stranger:
        venv = folder / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
        (site,) = venv.glob("lib/python*/site-packages")
        site.joinpath("parent.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
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
        path = f"{self.folder}/venv/bin:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        environment.pop("PYTHONPATH", None)
        return subprocess.run(
            command, shell=True, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def do(self, command: str) -> str:
        """Run a command that must succeed, and return what it printed on stdout."""
        done = self.run(command)
        assert done.returncode == 0, f"$ {command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

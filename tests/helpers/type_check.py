"""mypy on code as outside developers write it: against the public types of `sea_core`, whatever else is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# All other modules are Any: to read torch takes mypy a minute.
SETTINGS = """
[mypy]
strict = True
follow_imports = skip
ignore_missing_imports = True
disallow_subclassing_any = False
disallow_untyped_decorators = False
warn_return_any = False

[mypy-sea_core,sea_core.errors,sea_core.model.adapter,sea_core.plugin.hookspecs,sea_core.plugin.testing]
follow_imports = silent
"""


def type_errors(*paths: Path, folder: Path) -> str:
    """Return what mypy says of modules and packages; empty if they are right. `folder` takes its files."""
    settings = folder / "mypy.ini"
    settings.write_text(SETTINGS)
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--config-file", settings]
    done = subprocess.run(
        [*command, "--cache-dir", folder / "mypy", *paths], capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr

"""What sea-bench adds to SEA: the `sea bench` commands and the built-in generators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sea_core import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def sea_commands() -> list[typer.Typer]:
    from sea_bench.cli.app import app

    return [app]

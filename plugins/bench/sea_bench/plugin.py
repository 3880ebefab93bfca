"""What sea-bench adds to SEA: the command group `sea bench`, `sea_core.bench`, and its part of `sea report`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sea_core import hookimpl

if TYPE_CHECKING:
    import typer

    from sea_core.pipeline.shared_work import SharedCommand
    from sea_core.report.reporter import Reporter


@hookimpl
def sea_commands() -> list[typer.Typer]:
    from sea_bench.cli.app import app
    from sea_bench.cli.study import app as study

    return [app, study]


@hookimpl
def sea_shared_commands() -> list[SharedCommand]:
    from sea_bench.pipeline.workers import JUDGE, RUN

    return [RUN, JUDGE]


@hookimpl
def sea_functions() -> dict[str, Callable[..., Any]]:
    from sea_bench.pipeline.bench import bench

    return {"bench": bench}


@hookimpl
def sea_reporters() -> list[Reporter]:
    from sea_bench.pipeline.reporter import BenchReporter

    return [BenchReporter()]

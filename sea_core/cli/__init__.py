"""The command line: `sea COMMAND`, one file per command. What a command needs, it imports when it runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sea_core.cli import (
    align,
    bench,
    bench_export,
    bench_import,
    bench_judge,
    bench_report,
    bench_run,
    bench_utility,
    data,
    encode,
    modalities,
    model,
    optimize,
    output,
    plan,
    plugin,
    plugins,
    prepare,
    show,
    styles,
    verify,
)
from sea_core.errors import SeaError
from sea_core.faults import blame, failure

app = typer.Typer(
    name="sea",
    help="Align multimodal models with text alone, through synthetic embeddings.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    pretty_exceptions_enable=False,  # an error that is not a SeaError is a bug: show Python's own traceback
)

# Every command, in the order of `sea --help`.
app.command("plan")(plan.plan)
app.command("optimize")(optimize.optimize)
app.command("encode")(encode.encode)
app.command("verify")(verify.verify)
app.command("align")(align.align)
app.command("show")(show.show)
app.command("prepare")(prepare.prepare)
app.add_typer(data.app, name="data")
app.command("styles")(styles.styles)
app.command("modalities")(modalities.modalities)
app.command("plugins")(plugins.plugins)
app.add_typer(plugin.app, name="plugin")
app.add_typer(model.app, name="model")
bench.app.command("run")(bench_run.run)
bench.app.command("judge")(bench_judge.judge)
bench.app.command("report")(bench_report.report)
bench.app.command("import")(bench_import.import_)
bench.app.command("export")(bench_export.export)
bench.app.command("utility")(bench_utility.utility)
app.add_typer(bench.app, name="bench")

_debug = False
"""Set by `--debug`: errors are raised as Python does it."""


def main() -> None:
    """Run the command line. What people can mend is told in words with exit code 2; bugs keep their traceback."""
    error = failure(app)
    if error is None:
        return
    if isinstance(error, SystemExit):
        if error.code == 130:  # typer's for Ctrl-C, of which it says nothing
            output.note("stopped; the same command goes on from here")
        raise error
    shown = error if isinstance(error, SeaError) else blame(error)
    if shown is None or _debug:
        raise error
    output.show_error(shown)
    sys.exit(2)


def _print_version(wanted: bool) -> None:
    if wanted:
        from sea_core import __version__

        typer.echo(f"sea {__version__}")
        raise typer.Exit


@app.callback()
def _sea(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,
) -> None:
    global _debug
    _debug = debug

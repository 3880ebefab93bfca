"""The command line: `sea COMMAND`, one file per command. What a command needs, it imports when it runs."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from sea_core.cli import (
    align,
    data,
    encode,
    modalities,
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
from sea_core.plugin.isolation import attribute_to_plugin, catch_any


class Commands(TyperGroup):
    """The core's commands, and those of plugins: plugins are loaded only where a word is not a command of the core."""

    @cached_property
    def offered(self) -> dict[str, Any]:
        """The groups of commands that plugins offer, by name."""
        from sea_core.plugin import loader

        groups = [group for plugin in loader.installed("commands") for group in plugin.commands]
        return {str(group.info.name): get_group(group) for group in groups}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return super().get_command(ctx, cmd_name) or self.offered.get(cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *self.offered]


app = typer.Typer(
    name="sea",
    cls=Commands,
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

_debug = False
"""Set by `--debug`: errors are raised as Python does it."""


def main() -> None:
    """Run the command line. What people can mend is told in words with exit code 2; bugs keep their traceback."""
    error = catch_any(app)
    if error is None:
        return
    if isinstance(error, SystemExit):
        if error.code == 130:  # typer's for Ctrl-C, of which it says nothing
            output.note("stopped; the same command goes on from here")
        raise error
    shown = error if isinstance(error, SeaError) else attribute_to_plugin(error)
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

"""The command `sea`. A command imports what it needs only when it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from sea_core.cli import (
    align,
    check,
    data,
    doctor,
    encode,
    exit_code,
    init,
    modalities,
    optimize,
    output,
    plan,
    plugins,
    prepare,
    pull,
    push,
    report,
    run,
    settings,
    show,
    start,
    stop,
    styles,
    verify,
    worker,
)
from sea_core.errors import PluginError, SeaError, suggest
from sea_core.model.libraries import install_command
from sea_core.plugin.isolation import attribute_to_plugin, catch_any
from sea_core.schema import require_text_name

PACKAGES = {"bench": "sea-bench", "study": "sea-bench", "toy": "sea-toy"}
"""Which distribution of this project adds a group of commands."""

COMMANDS: Mapping[str, Mapping[str, Callable[..., None] | typer.Typer]] = {
    "Start": {"doctor": doctor.doctor, "init": init.init, "run": run.run},
    "Data": {"data": data.app, "prepare": prepare.prepare},
    "Synthesise": {
        "plan": plan.plan,
        "optimize": optimize.optimize,
        "worker": worker.worker,
        "verify": verify.verify,
        "encode": encode.encode,
        "styles": styles.styles,
        "show": show.show,
        "check": check.check,
    },
    "Align": {"align": align.align},
    "Evaluate": {"report": report.report},
    "Share": {"push": push.push, "pull": pull.pull},
    "Extend": {
        "plugins": plugins.app,
        "settings": settings.settings,
        "modalities": modalities.modalities,
    },
}
"""The commands of the core in the panels of `sea --help`, in the order of the work. Plugins may add to the panels."""


class Commands(TyperGroup):
    """The commands of the core and of plugins. Plugins are loaded only for names that are not the core's."""

    @cached_property
    def plugin_groups(self) -> dict[str, Any]:
        """The groups of commands that plugins add, by name. Raises PluginError if two commands have one name."""
        from sea_core.plugin import loader

        own = [typer.Typer(name=name) for commands in COMMANDS.values() for name in commands]
        return {str(group.info.name): _as_command(group) for group in loader.offers("commands", own)}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return super().get_command(ctx, cmd_name) or self.plugin_groups.get(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            if package := PACKAGES.get(args[0]):
                raise _explain_absence(args[0], package)
            names = self.list_commands(ctx)
            hint = suggest(args[0], names, "Commands")
            raise SeaError(f"there is no command {args[0]!r}", hint=f"{hint} Other commands come with plugins.")
        name, command, rest = super().resolve_command(ctx, args)
        stop.can_resume = stop.RESUME.casefold() in _help_of(command, rest).casefold()
        return name, command, rest

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self.list_commands(ctx)  # an error comes before the page
        super().format_help(ctx, formatter)

    def list_commands(self, ctx: Any) -> list[str]:
        added = {name: group.rich_help_panel for name, group in self.plugin_groups.items()}
        return [name for panel in COMMANDS for name in (*COMMANDS[panel], *(n for n in added if added[n] == panel))]


def _explain_absence(name: str, package: str) -> SeaError:
    """Return the error for a group of commands whose distribution is not installed, or is broken."""
    from sea_core.plugin import loader

    what = f"`sea {name}` comes from {package}, which"
    for plugin in loader.installed("commands"):
        if plugin.distribution == package and plugin.error:
            return PluginError(f"{what} cannot be used: {plugin.error}", hint="`sea plugins` lists all plugins.")
    return SeaError(f"{what} is not installed", hint=f"Type: {install_command(package)}")


def _help_of(command: Any, arguments: Sequence[str]) -> str:
    """Return the help of a command or, of a group, of the command in it that the arguments name; in one line."""
    for name in arguments:
        inner = getattr(command, "commands", {}).get(name)
        if inner is None:
            break
        command = inner
    return " ".join((command.help or "").split())


@cache
def _as_command(group: typer.Typer) -> Any:
    """Return a plugin's group as a command. It is in the panel that it names, or else in the last one."""
    command: Any = get_group(group)
    panel = group.rich_help_panel
    command.rich_help_panel = panel if panel in COMMANDS else list(COMMANDS)[-1]
    return command


app = typer.Typer(
    name="sea",
    cls=Commands,
    help=start.HELP,
    epilog=exit_code.EXPLANATION,
    invoke_without_command=True,
    context_settings={"help_option_names": ["--help", "-h"]},
    pretty_exceptions_enable=False,  # an error that is not a SeaError is a bug: show Python's own traceback
)

for _panel, _commands in COMMANDS.items():
    for _name, _command in _commands.items():
        if isinstance(_command, typer.Typer):
            app.add_typer(_command, name=_name, rich_help_panel=_panel)
        else:
            app.command(_name, rich_help_panel=_panel)(_command)


@dataclass
class Invocation:
    """One run of the command line. `debug`: errors are raised, not printed."""

    debug: bool = False


def main() -> None:
    """Run the command line. Errors that people can fix are printed without a traceback, with exit code 2."""
    invocation = Invocation()
    error = catch_any(lambda: _run(invocation))
    if error is None:
        return
    if isinstance(error, SystemExit):
        if error.code == stop.CODE:  # Ctrl-C, for which typer prints nothing
            output.note(stop.message())
        raise error
    shown = error if isinstance(error, SeaError) else _describe_system_error(error)
    shown = shown or _describe_device_error(error) or attribute_to_plugin(error)
    if shown is None or invocation.debug:
        sys.excepthook = output.show_traceback
        raise error
    output.show_error(shown)
    sys.exit(2)


def _run(invocation: Invocation) -> None:
    for argument in sys.argv[1:]:
        require_text_name(argument)
    command = copy(_own_command())  # the plugins are looked up at each run
    command(obj=invocation)


@cache
def _own_command() -> Any:
    """Return the command line without what plugins add. Making it takes longer than many a command."""
    return get_command(app)


def _describe_system_error(error: Exception) -> SeaError | None:
    """Return the error for what the computer refuses, wherever it occurs: a permission, space, memory, open files."""
    if isinstance(error, MemoryError):
        return SeaError("there is not enough memory", hint="Close other programs, or give less data at a time.")
    if not isinstance(error, OSError) or not error.errno:
        return None
    where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    hint = "Check the path, its permissions (ls -ld), free space (df -h) and open files (ulimit -n). `sea --debug ...` "
    return SeaError(error.strerror or str(error), hint=f"{hint}shows where it occurred.", where=where)


def _describe_device_error(error: Exception) -> SeaError | None:
    """Return the error for what a device refuses, such as memory."""
    if "torch" not in sys.modules:
        return None
    from sea_core.model.device_error import describe_device_error

    return describe_device_error(error)


def _print_version(wanted: bool) -> None:
    if wanted:
        from sea_core import __version__

        typer.echo(f"sea {__version__}")
        raise typer.Exit


@app.callback()
def _sea(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    context.obj.debug = debug
    if context.invoked_subcommand is None:
        start.show_start()

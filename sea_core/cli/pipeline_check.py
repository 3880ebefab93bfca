"""What makes a command of a pipeline impossible, found before the first one is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from sea_core.cli.inputs import require_path
from sea_core.errors import SeaError

if TYPE_CHECKING:
    from sea_core.data.examples import Example
    from sea_core.pipeline.steps import Step

Command = TypeVar("Command", bound=Callable[..., None])
Given = Mapping[str, Any]
"""The values of a command's parameters, by their names in Python."""
HUB = "hf:"


def checked_by(check: Callable[[Given], object]) -> Callable[[Command], Command]:
    """Declare how to find out, before a pipeline is begun, that a command could not be run with its options.

    Args:
        check: called with the values of all parameters; raises SeaError. A command without a check has its settings
            read, and its plugin found.
    """

    def declare(command: Command) -> Command:
        command.check_options = check  # type: ignore[attr-defined]
        return command

    return declare


def check_steps(file: Path, steps: Sequence[Step], commands: Any) -> None:
    """Check options, settings, files, folders and answers of all commands, as far as they are known by now.

    Args:
        file: the pipeline file. commands: the group of all commands.

    Raises:
        SeaError: a command could not be run.
    """
    made = {str(step.output) for step in steps if step.output}
    given: dict[str, Given] = {}
    for step in steps:
        name = " ".join(step.command)
        with _explaining(file, name):
            command = _find_command(commands, step.command)
            options = _parse(command, step)
            _require_files(command, options, made)
            check = getattr(command.callback, "check_options", None) or partial(_check_settings, command)
            check(options)
            given.setdefault(name, options)
    first = "prepare" if "prepare" in given else "optimize"
    with _explaining(file, first):
        examples = _read_data(given.get(first))
    if examples and "align" in given:
        from sea_core.alignment.questions import require_answers

        with _explaining(file, "align"):
            require_answers(examples, given["align"]["method"])


@contextmanager
def _explaining(file: Path, name: str) -> Iterator[None]:
    """Name the file and the command in an error."""
    try:
        yield
    except SeaError as error:
        where = f"{error.where}: " if error.where else ""
        raise SeaError(f"`{name}` cannot be run: {where}{error.what}", hint=error.hint, where=str(file)) from error
    except typer.BadParameter as error:
        raise SeaError(
            f"`{name}` cannot be run: {error.format_message()}", hint=f"Its options: sea {name} --help", where=str(file)
        ) from error


def _find_command(commands: Any, names: Sequence[str]) -> Any:
    for name in names:
        commands = commands.get_command(None, name)
    return commands


def _parse(command: Any, step: Step) -> Given:
    """Return the values of a command's parameters."""
    words = step.words[len(step.command) :]
    values: Given = command.make_context(" ".join(step.command), words).params
    return values


def _require_files(command: Any, given: Given, made: set[str]) -> None:
    """Raise SeaError for a file or folder that is to be read, and that neither is there nor will be made."""
    for parameter in command.params:
        if parameter.type_descriptor.annotation is not Path or parameter.name == "out":
            continue
        value = given[parameter.name]
        for path in value if isinstance(value, Sequence) else [value]:
            is_made = any(str(path) == each or str(path).startswith(f"{each}/") for each in made)
            if path is not None and not is_made and not str(path).startswith(HUB):
                require_path(path)


def _check_settings(command: Any, given: Given) -> None:
    """Read the settings of a command as it reads them itself, and find its plugin."""
    from sea_core.cli.settings import read_settings

    groups = getattr(command.callback, "setting_groups", None)
    found = read_settings(groups(), given.get("config"), given.get("option") or ()) if groups else {}
    check_plugin(given, found.get("adapter", {}))


def check_plugin(given: Given, settings: Mapping[str, Any]) -> None:
    """Find the plugin that is named, if one is, with its adapter and the adapter's settings.

    Raises:
        SeaError: there is no such plugin, adapter or setting.
    """
    if not given.get("plugin"):
        return
    from sea_core.config import override, reject_unknown, setting_names
    from sea_core.plugin import loader

    found, adapter = loader.get_adapter(given["plugin"], given.get("modality"))
    adapter, unknown = override(adapter, {f"adapter.{key}": value for key, value in settings.items()}, "adapter")
    reject_unknown(unknown, setting_names(adapter, "adapter"), owner=f"The adapter of {found.name}")


def _read_data(given: Given | None) -> Sequence[Example]:
    """Read the text safety set. Returns nothing for the demo's, and for one that would be downloaded."""
    from sea_core.pipeline.data_spec import DataSpec, parse_columns

    if not given or not given["data"] or str(given["data"]).startswith(HUB):
        return ()
    columns = parse_columns(given["columns"])
    spec = DataSpec(given["data"], given["format"], columns, split=given["split"], skip_invalid=given["skip_bad"])
    return spec.read().examples

"""`sea settings`: list the settings of a command. How a command declares the settings that it takes, and reads them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from sea_core.cli import options, output
from sea_core.config import default_values, list_settings, override, parse_overrides, reject_unknown, setting_names
from sea_core.errors import SeaError, suggest

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sea_core.config import Setting

Command = TypeVar("Command", bound=Callable[..., None])
COLUMNS = ("setting", "default", "value", "meaning")


@dataclass(frozen=True)
class SettingGroup:
    """Settings of a command that share a prefix.

    Attributes:
        config: the declaration and the defaults; None where settings are passed on without being checked.
        prefix: "llm" for `-o llm.model=...`; empty for settings without one.
        title: what the settings are for; `{summary}` is the config's docstring, which is also the default.
    """

    config: Any
    prefix: str = ""
    title: str = ""

    def heading(self) -> str:
        """Return what the settings are for."""
        summary = " ".join((inspect.getdoc(type(self.config)) or "").partition("\n\n")[0].split())
        return self.title.format(summary=summary) if self.title else summary

    def names(self) -> list[str]:
        """Return the settings as they are typed."""
        return [f"{self.prefix}.KEY"] if self.config is None else setting_names(self.config, self.prefix)

    def settings(self) -> list[Setting]:
        """Return the declared settings."""
        return [] if self.config is None else list_settings(self.config, self.prefix)


def adapter_group() -> SettingGroup:
    """Return the settings of the adapter, which are known only when the plugin is."""
    return SettingGroup(None, "adapter", "The plugin's adapter; list its settings with `--plugin NAME`.")


def adapter_groups() -> list[SettingGroup]:
    """Return the settings of a command that takes those of the adapter alone."""
    return [adapter_group()]


def llm_group(purpose: str) -> SettingGroup:
    """Return the settings of a language model."""
    from sea_core.llm.config import LLMConfig

    return SettingGroup(LLMConfig(), "llm", f"The language model {purpose}.")


def takes_settings(groups: Callable[[], Sequence[SettingGroup]]) -> Callable[[Command], Command]:
    """Declare the settings of a command. `groups` is called only when they are listed or read."""

    def declare(command: Command) -> Command:
        command.setting_groups = groups  # type: ignore[attr-defined]
        return command

    return declare


def read_settings(
    groups: Sequence[SettingGroup], file: Path | None, option: Sequence[str], unread: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Read `--config` and `-o`.

    Args:
        unread: the prefixes whose settings this call of the command does not read, with the option that would change
            that. A file may have them: it may serve several commands.

    Returns:
        for each prefix the config with its settings, or the settings that are passed on, without their prefix.

    Raises:
        SeaError: an unknown setting, a value that its declaration does not allow, or a setting that is typed and not
            read.
    """
    declared = [group for group in groups if group.config is not None]
    defaults = {k: v for group in declared for k, v in default_values(group.config, group.prefix).items()}
    from_file, typed = parse_overrides(file, ()), parse_overrides(None, option, defaults)
    origins = {name: str(file) for name in from_file if name not in typed}
    unused = from_file | typed
    found: dict[str, Any] = {}
    for group in groups:
        if group.config is None:
            found[group.prefix], unused = _split(unused, group.prefix)
        else:
            found[group.prefix], unused = override(group.config, unused, group.prefix, origins)
    reject_unknown(unused, [name for group in groups for name in group.names()], origins=origins)
    for prefix, remedy in (unread or {}).items():
        _reject_unread([name for name in typed if name.startswith(f"{prefix}.")], remedy)
    return found


def _reject_unread(names: Sequence[str], remedy: str) -> None:
    if names:
        what = f"-o {names[0]} changes nothing without {remedy}"
        raise SeaError(what, hint=f"Add {remedy}, or leave the setting out.")


def _split(settings: Mapping[str, Any], prefix: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings with a prefix, without it, and the others."""
    own = {key.removeprefix(f"{prefix}."): value for key, value in settings.items() if key.startswith(f"{prefix}.")}
    return own, {key: value for key, value in settings.items() if not key.startswith(f"{prefix}.")}


def settings(
    context: typer.Context,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="[COMMAND]...", help="A command: optimize, or bench run.")
    ] = None,
    plugin: Annotated[
        str, typer.Option("--plugin", "-p", help="Also list the settings of this plugin's adapter.")
    ] = "",
    modality: options.Modality = None,
    as_json: output.Json = False,
) -> None:
    """List the settings of a command: default, type, bounds and meaning.

    Without COMMAND: list the commands that take settings.
    """
    root = context.find_root()
    if not command:
        _list_commands(list(commands_with_settings(root.command, root)), as_json)
        return
    groups = list(_groups_of(root, command))
    if plugin:
        _require_plugin(plugin)  # also where the command has no adapter settings
        groups = [_adapter_of(plugin, modality) if group.prefix == "adapter" else group for group in groups]
    value = [
        {"prefix": group.prefix, "title": group.heading(), "settings": [asdict(each) for each in group.settings()]}
        for group in groups
    ]
    output.emit(value, as_json, lambda: _tables(groups))


def _list_commands(found: Sequence[tuple[str, Sequence[SettingGroup]]], as_json: bool) -> None:
    value = [{"command": name, "settings": _names(groups)} for name, groups in found]
    cells = [(name, ", ".join(_names(groups))) for name, groups in found]
    output.emit(value, as_json, lambda: output.grid(("command", "settings"), cells))


def _names(groups: Sequence[SettingGroup]) -> list[str]:
    """Return the settings without a prefix, and the prefixes of the others."""
    own = [setting for group in groups if not group.prefix for setting in group.names()]
    return list(dict.fromkeys([*own, *(f"{group.prefix}.*" for group in groups if group.prefix)]))


def commands_with_settings(
    command: Any, context: Any, names: tuple[str, ...] = ()
) -> Iterator[tuple[str, Sequence[SettingGroup]]]:
    """Yield the commands below a group that take settings, plugins' commands included."""
    if groups := getattr(command.callback, "setting_groups", None):
        yield " ".join(names), groups()
    for name in _subcommands(command, context):
        yield from commands_with_settings(command.get_command(context, name), context, (*names, name))


def _groups_of(root: Any, names: Sequence[str]) -> Sequence[SettingGroup]:
    """Return the settings of a command. Raises SeaError for an unknown command, or one without settings."""
    command = root.command
    for name in names:
        known = _subcommands(command, root)
        if name not in known:
            raise SeaError(f"there is no command {' '.join(names)!r}", hint=suggest(name, known, "Commands"))
        command = command.get_command(root, name)
    groups = getattr(command.callback, "setting_groups", None)
    if groups is None:
        raise SeaError(f"`sea {' '.join(names)}` takes no settings", hint="`sea settings` lists the commands that do.")
    found: Sequence[SettingGroup] = groups()
    return found


def _subcommands(command: Any, context: Any) -> list[str]:
    return command.list_commands(context) if hasattr(command, "list_commands") else []


def _require_plugin(plugin: str) -> None:
    from sea_core.plugin import loader

    loader.get_plugin(plugin, with_adapter=True)


def _adapter_of(plugin: str, modality: str | None) -> SettingGroup:
    from sea_core.plugin import loader

    found, adapter = loader.get_adapter(plugin, modality)
    return SettingGroup(adapter, "adapter", f"The {adapter.modality} adapter of {found.name}.")


def _tables(groups: Sequence[SettingGroup]) -> RenderableType:
    from rich.console import Group

    parts: list[RenderableType] = []
    for group in groups:
        undeclared = [(name, "", "any", "") for name in group.names()]
        rows = [_cells(setting) for setting in group.settings()] or undeclared
        if rows:
            parts += [output.plain(group.heading()), output.grid(COLUMNS, rows)]
        else:
            parts.append(output.plain(f"{group.heading()} It has no settings."))
    return Group(*parts)


def _cells(setting: Setting) -> tuple[str, str, str, str]:
    value = f"{setting.type}; {setting.bounds}" if setting.bounds else setting.type
    return setting.name, shown(setting.default), value, setting.meaning


def shown(default: object) -> str:
    """Return a default as it is typed; an empty text as nothing."""
    return str(default).lower() if isinstance(default, bool) or default is None else str(default)

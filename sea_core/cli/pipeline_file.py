"""Pipeline files, as `sea run` takes them: sections that name commands, and the commands' own options as keys."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sea_core.config import read_yaml
from sea_core.errors import SeaError, suggest
from sea_core.pipeline.steps import SECTIONS, CommandSection, PipelineFile

FOLDER, COMMON = "folder", "common"
SETTINGS, SETTINGS_FILE = "option", "config"
SET_BY_THE_PIPELINE = ("out", "json", "lora")


def read_pipeline(path: Path, commands: Any) -> PipelineFile:
    """Read a pipeline file.

    Args:
        commands: the group of all commands, whose options the keys must be.

    Raises:
        SeaError: the file cannot be read, or has a section, key or value that is not known.
    """
    return _Reader(path, read_yaml(path), commands).read()


@dataclass(frozen=True)
class _Reader:
    """Checks a pipeline file against the commands' own options."""

    path: Path
    tree: Mapping[str, Any]
    commands: Any

    def read(self) -> PipelineFile:
        known = [FOLDER, COMMON, *SECTIONS]
        for name in self.tree:
            if name not in known:
                raise self.error(f"there is no section {name!r}", suggest(str(name), known, "Sections"), str(name))
        folder = self.tree.get(FOLDER)
        if not isinstance(folder, str) or not folder:
            raise self.error("it names no folder for what is made", "Write for example: folder: runs/mine")
        names = [name for name in SECTIONS if name in self.tree]
        if not names:
            raise self.error("it has no section", "Write for example: optimize: {plugin: NAME}; or type: sea init")
        self.require_order(names)
        common = self.mapping(COMMON)
        parameters = {name: self.parameters(name) for name in names}
        for key in common:
            if not any(key in of_command for of_command in parameters.values()):
                every = sorted({each for known in parameters.values() for each in known} - {*SET_BY_THE_PIPELINE})
                raise self.error(f"no section has an option {key!r}", suggest(str(key), every, "Options"), str(key))
        return PipelineFile(
            self.path, Path(folder), {name: self.section(name, common, parameters[name]) for name in names}
        )

    def require_order(self, names: Sequence[str]) -> None:
        """Raise SeaError for a section that lacks the one whose results it reads, or for two that name data."""
        if "prepare" in names and "data" in self.mapping("optimize"):
            hint = "Remove `data` from `optimize`: it reads what `prepare` writes."
            raise self.error("both `prepare` and `optimize` name data", hint, "optimize")
        needed = {"align": "optimize", "bench judge": "bench run", "bench report": "bench judge"}
        if names == ["report"] or names == ["prepare", "report"]:
            raise self.error("there is nothing to report", "Add a section: optimize: {}", "report")
        for name in names:
            if (first := needed.get(name)) and first not in names:
                raise self.error(f"`{name}` needs a section `{first}`", f"Add it: {first}: {{}}", name)

    def parameters(self, name: str) -> dict[str, Any]:
        """Return the options of a command, by their long names."""
        command = self.commands
        for word in name.split():
            command = command.get_command(None, word) if command else None
        if command is None:
            raise self.error(f"there is no command `sea {name}`", "It comes with a plugin: `sea doctor`", name)
        options = {}
        for parameter in command.params:
            if parameter.param_type_name == "option":
                options[max(parameter.opts, key=len).removeprefix("--")] = parameter
        return {key: value for key, value in options.items() if key != "help"}

    def section(self, name: str, common: Mapping[str, Any], parameters: Mapping[str, Any]) -> CommandSection:
        own = dict(self.mapping(name))
        argument = SECTIONS[name]
        value = own.pop(argument, "") if argument else ""
        if not isinstance(value, str):
            raise self.error(f"{argument} must be a path", f"Write for example: {argument}: FILE", argument)
        if name == "bench run" and not value:
            raise self.error("`bench run` names no benchmark", "Write for example: cases: FOLDER", name)
        chosen = {key: value for key, value in common.items() if key in parameters} | own
        for key in chosen:
            if key in SET_BY_THE_PIPELINE:
                raise self.error(f"`{key}` is set by `sea run`", "Remove the line.", key)
            if key not in parameters:
                known = [*([argument] if argument else []), *(k for k in parameters if k not in SET_BY_THE_PIPELINE)]
                raise self.error(
                    f"`sea {name}` has no option {key!r}", suggest(str(key), known, "Keys of this section"), str(key)
                )
        words = {key: self.words(key, chosen[key], parameters[key]) for key in chosen}
        named = [
            key for key in chosen if parameters[key].type_descriptor.annotation is Path or key in ("model", "plugin")
        ]
        read = tuple(word for key in named for word in words[key][1::2])
        return CommandSection(name, value, words, read, chosen.get(SETTINGS, {}), str(chosen.get(SETTINGS_FILE, "")))

    def words(self, key: str, value: Any, parameter: Any) -> list[str]:
        """Return an option as it is typed."""
        name = f"--{key}"
        if parameter.is_flag:
            if not isinstance(value, bool):
                raise self.error(f"{key} must be true or false", f"Write: {key}: true", key)
            if value or not parameter.secondary_opts:
                return [name] if value else []
            return [parameter.secondary_opts[0]]
        if key == SETTINGS:
            if not isinstance(value, Mapping):
                raise self.error("`option` must list settings", "Write for example: option: {draws: 3}", key)
            return [word for k, v in value.items() for word in (name, f"{k}={json.dumps(v, ensure_ascii=False)}")]
        if isinstance(value, Mapping):
            return [name, ",".join(f"{k}={v}" for k, v in value.items())]
        if isinstance(value, list):
            if not parameter.multiple:
                raise self.error(f"{key} takes one value", f"Write: {key}: VALUE", key)
            return [word for each in value for word in (name, str(each))]
        if value is None or isinstance(value, bool):
            raise self.error(f"{key} has no value", f"Write: {key}: VALUE", key)
        return [name, str(value)]

    def mapping(self, name: str) -> Mapping[str, Any]:
        value = self.tree.get(name) or {}
        if not isinstance(value, Mapping):
            raise self.error(f"`{name}` must be a section of `key: value` lines", f"Write: {name}: {{}}", name)
        return value

    def error(self, what: str, hint: str, key: str = "") -> SeaError:
        """Return an error with the line of a key, where only one line has it."""
        lines = self.path.read_text("utf-8-sig").splitlines()
        found = [n for n, line in enumerate(lines, 1) if re.search(rf"(^|[\s{{,]){re.escape(key)}\s*:", line)]
        return SeaError(what, hint=hint, where=f"{self.path}:{found[0]}" if key and len(found) == 1 else str(self.path))

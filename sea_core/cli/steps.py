"""The steps of a pipeline file: which commands of `sea` it chains, with which options, and what each one writes.

The sections of the file are commands, their keys are the options of these commands, as they are typed: there is nothing
else to learn. What one command writes, the next one reads.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

from sea_core.config import read_yaml
from sea_core.errors import SeaError, suggest
from sea_core.plugin.isolation import ENTRY_POINT_GROUP
from sea_core.runs.digests import file_digest

SECTIONS = {
    "prepare": "data",
    "optimize": "data",
    "align": "",
    "bench run": "cases",
    "bench judge": "",
    "bench report": "",
    "report": "",
}
"""The commands of a pipeline in their order, and the argument that their section may name."""
FOLDER, COMMON = "folder", "common"
SETTINGS, SETTINGS_FILE = "option", "config"
SET_BY_THE_PIPELINE = ("out", "json", "lora")
UNKNOWN = "????????"
"""Stands for a digest that is not known before an earlier command has been run."""
WITHOUT_EFFECT = ("device",)
"""Options that change no result, and so no name of a result."""


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        command: as in ("bench", "run").
        arguments: the paths that it reads, before its options.
        options: as they are typed.
        digest: of the command, its options and all that it depends on; None as long as a file that it reads, and that
            an earlier step writes, is not there.
        output: what it writes; None for a command that adds to what it reads, or only prints.
        inputs: the digests of the earlier steps that it depends on.
        is_stored: whether anything is left of it but what it prints.
    """

    command: tuple[str, ...]
    arguments: tuple[str, ...]
    options: tuple[str, ...]
    digest: str | None
    output: Path | None = None
    inputs: tuple[str | None, ...] = ()
    is_stored: bool = True

    @property
    def words(self) -> list[str]:
        """The command as it is typed, without `sea`."""
        out = ["--out", str(self.output)] if self.output else []
        return [*self.command, *self.arguments, *self.options, *out]


@dataclass(frozen=True)
class CommandSection:
    """What a pipeline file says of one command.

    Attributes:
        argument: the value of the command's argument; empty without.
        options: by their names, as they are typed.
        read: the values of options that name what the command reads: a file, a model, a plugin.
        settings: the values of `option`, which may name files too.
        settings_file: the value of `config`; empty without.
    """

    name: str
    argument: str
    options: Mapping[str, Any]
    read: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    settings_file: str = ""

    def files_of_settings(self) -> list[str]:
        """Return the values of settings, those in the settings file included, that are files or folders.

        Raises:
            SeaError: the settings file cannot be read.
        """
        is_there = self.settings_file and Path(self.settings_file).is_file()  # a missing one is reported later
        values = [self.settings, read_yaml(Path(self.settings_file)) if is_there else {}]
        return [text for text in dict.fromkeys(_texts_in(values)) if text and os.path.exists(text)]  # noqa: PTH110


@dataclass(frozen=True)
class PipelineFile:
    """A pipeline file whose sections and options are known.

    Attributes:
        folder: where everything is written.
    """

    path: Path
    folder: Path
    sections: Mapping[str, CommandSection]

    @classmethod
    def read(cls, path: Path, commands: Any) -> PipelineFile:
        """Read a pipeline file.

        Args:
            commands: the group of all commands, whose options the keys must be.

        Raises:
            SeaError: the file cannot be read, or has a section, key or value that is not known.
        """
        return _Reader(path, read_yaml(path), commands).read()

    def steps(self) -> Iterator[Step]:
        """Yield the commands in their order, each named after what the ones before have written until then."""
        return _Chain(self).steps()


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


@dataclass
class _Chain:
    """Names what each command writes: after a digest of all that it depends on, the content of files included.

    So what has not changed is found again, and what has changed never meets the results of other settings.
    """

    file: PipelineFile
    made: dict[str, Step] = field(default_factory=dict)

    def steps(self) -> Iterator[Step]:
        planners = {
            "prepare": self._prepare,
            "optimize": self._optimize,
            "align": self._align,
            "bench run": self._bench_run,
            "bench judge": self._bench_judge,
            "bench report": self._bench_report,
            "report": self._report,
        }
        for name, section in self.file.sections.items():
            yield from planners[name](section)

    def _prepare(self, section: CommandSection) -> Iterator[Step]:
        yield self._add("prepare", section, [section.argument], "prepared", ".jsonl")

    def _optimize(self, section: CommandSection) -> Iterator[Step]:
        prepared = self.made.get("prepare")
        data = str(prepared.output) if prepared else section.argument
        yield self._add("optimize", section, [data], "embeddings", after=["prepare"])

    def _align(self, section: CommandSection) -> Iterator[Step]:
        yield self._add("align", section, [str(self.made["optimize"].output)], "model", after=["optimize"])

    def _bench_run(self, section: CommandSection) -> Iterator[Step]:
        yield self._add("before", section, [section.argument], "before")
        if aligned := self.made.get("align"):
            assert aligned.output is not None  # `align` writes a folder
            added = {"lora": ["--lora", str(aligned.output / "adapter")]}
            if "--full-finetune" in aligned.options:
                added = {"model": ["--model", str(aligned.output / "merged")]}
            after = replace(section, options={**section.options, **added})
            yield self._add("after", after, [section.argument], "after", after=["align"])

    def _bench_judge(self, section: CommandSection) -> Iterator[Step]:
        for run in self._runs():
            yield self._add(f"judge {run}", section, [str(self.made[run].output)], after=[run])

    def _bench_report(self, section: CommandSection) -> Iterator[Step]:
        folders = [str(self.made[run].output) for run in self._runs()]
        yield self._add("table", section, folders, after=[f"judge {run}" for run in self._runs()])

    def _report(self, section: CommandSection) -> Iterator[Step]:
        judged = [name for name in self.made if name.startswith("judge ")]
        made = [name for name in ("optimize", "align", *self._runs()) if name in self.made]
        yield self._add(
            "page", section, [str(self.made[name].output) for name in made], "report", ".html", [*made, *judged]
        )

    def _runs(self) -> list[str]:
        return [name for name in ("before", "after") if name in self.made]

    def _is_input(self, path: str) -> bool:
        """Return whether a path is apart from the pipeline's own folder, whose content changes with each step."""
        own, other = self.file.folder.resolve(), Path(path).resolve()
        return not own.is_relative_to(other)

    def _add(
        self,
        name: str,
        section: CommandSection,
        arguments: Sequence[str],
        output: str = "",
        suffix: str = "",
        after: Sequence[str] = (),
    ) -> Step:
        given = tuple(argument for argument in arguments if argument)
        effective = {key: words for key, words in section.options.items() if key not in WITHOUT_EFFECT}
        inputs = tuple(self.made[earlier].digest for earlier in after if earlier in self.made)
        written = [step.output for step in self.made.values() if step.output]
        files = {str(path): path for path in written if path.suffix}
        folders = {str(path) for path in written if not path.suffix}  # their steps' digests stand for them
        read = (*given, *section.read, *filter(self._is_input, section.files_of_settings()))
        contents = [_content(word) for word in read if word not in folders]
        is_known = None not in inputs and all(files[word].exists() for word in given if word in files)
        state = json.dumps([version("sea-core"), name, section.name, effective, inputs, contents])
        digest = hashlib.sha256(state.encode()).hexdigest() if is_known else None
        path = self.file.folder / f"{output}-{(digest or UNKNOWN)[:8]}{suffix}" if output else None
        options = tuple(word for words in section.options.values() for word in words)
        command = tuple(section.name.split())
        self.made[name] = Step(command, given, options, digest, path, inputs, section.name != "bench report")
        return self.made[name]


def _texts_in(value: Any) -> Iterator[str]:
    """Yield the texts among nested settings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _texts_in(each)


def _content(name: str) -> Any:
    """Return what identifies what is read: of a file or a folder its bytes, of an installed plugin its version."""
    path = Path(name)
    if path.is_file():
        return file_digest(path)
    if path.is_dir():
        files = sorted(each for each in path.rglob("*") if each.is_file())
        return [(each.relative_to(path).as_posix(), file_digest(each)) for each in files]
    installed = entry_points(group=ENTRY_POINT_GROUP, name=name)
    return [name, *(point.dist.version for point in installed if point.dist)]

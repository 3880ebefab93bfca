"""The steps of a pipeline file: which commands of `sea` it chains, with which options, and what each one writes.

The sections of the file are commands, their keys are the options of these commands, as they are typed: there is nothing
else to learn. What one command writes, the next one reads.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

from sea_core.alignment.config import PASSED_ON
from sea_core.config import flatten, read_yaml
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
        of_file = read_yaml(Path(self.settings_file)) if is_there else {}
        named = [*flatten(dict(self.settings)).items(), *flatten(of_file).items()]
        return list(dict.fromkeys(text for name, value in named for text in _texts_in(value) if _is_read(name, text)))


@dataclass(frozen=True)
class PipelineFile:
    """A pipeline file whose sections and options are known.

    Attributes:
        folder: where everything is written.
    """

    path: Path
    folder: Path
    sections: Mapping[str, CommandSection]

    def steps(self) -> Iterator[Step]:
        """Yield the commands in their order, each named after what the ones before have written until then."""
        return _Chain(self).steps()


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


def _is_read(setting: str, text: str) -> bool:
    """Return whether a setting's value is what the command reads. TRL takes names of trackers, which make folders."""
    is_passed_on = setting.partition(".")[0] in PASSED_ON
    return bool(text) and (os.path.isfile(text) if is_passed_on else os.path.exists(text))  # noqa: PTH110, PTH113


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

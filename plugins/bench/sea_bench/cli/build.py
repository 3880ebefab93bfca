"""`sea bench`: safety benchmarks in the layout of VA-SafetyBench and MM-SafetyBench."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import options, output
from sea_core.cli.settings import SettingGroup, llm_group, read_settings, takes_settings
from sea_core.errors import SeaError

if TYPE_CHECKING:
    from sea_bench.build.builder import SetBuilder
    from sea_bench.build.scenes import CompleteChat
    from sea_bench.build.sets.base import MediaSet
    from sea_bench.build.source import CaseSource
    from sea_bench.check import TaskCount
    from sea_bench.dataset import Issue
    from sea_core.llm.config import LLMConfig
    from sea_core.plugin.generator import Generator

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A benchmark's folder.")]
COLUMNS = ("set", "scenario", "task", "cases", "media", "missing", "corrupt", "published")
SHOWN = 10


def check(
    folder: Folder,
    modality: Annotated[str | None, typer.Option(help="Only this set.")] = None,
    media: Annotated[bool, typer.Option(help="Open every medium, and compare it with the manifest.")] = True,
    as_json: output.Json = False,
) -> None:
    """Say what a folder holds, and what is missing, broken or irregular. Exit code 1 where something is."""
    from sea_bench.check import check_media, count_cases
    from sea_bench.dataset import read_benchmark
    from sea_core.cli.progress import bar

    benchmark = read_benchmark(folder, modality)
    findings = list(benchmark.issues)
    if media:
        with bar("check", sum(case.media is not None for case in benchmark.cases)) as progress:
            for finding in check_media(benchmark):
                findings += [finding] if finding else []
                progress.advance()
    counts = count_cases(benchmark, findings)
    value = {
        "folder": folder,
        "cases": len(benchmark.cases),
        "media_opened": media,
        "counts": [asdict(one) for one in counts],
        "issues": [asdict(one) for one in findings],
    }
    output.emit(value, as_json, lambda: output.grid(COLUMNS, [_cells(one) for one in counts]))
    for finding in findings[:SHOWN]:
        output.note(_line(finding))
    if len(findings) > SHOWN:
        output.note(f"... and {len(findings) - SHOWN} more: --json lists them all.")
    if findings:
        raise typer.Exit(1)


def build_groups(media_set: MediaSet, generator: Generator) -> list[SettingGroup]:
    """Return the settings of `sea bench build` for one set and one generator."""
    return [
        SettingGroup(media_set, "", f"The {media_set.modality} set: {{summary}}"),
        SettingGroup(generator, "generator", f"--generator {generator.name} ({generator.modality}): {{summary}}"),
        llm_group("of --scenes openai or transformers"),
    ]


def all_build_groups() -> list[SettingGroup]:
    """Return the settings of all sets and generators, those of installed plugins included."""
    from sea_bench.build.generators.registry import BUILT_IN
    from sea_bench.build.registry import get_set
    from sea_core.plugin import loader

    generators = (*BUILT_IN, *loader.generators())
    pairs = [(get_set(generator.modality, generator), generator) for generator in generators]
    groups = {(group.prefix, group.title): group for pair in pairs for group in build_groups(*pair)}
    return sorted(groups.values(), key=lambda group: group.prefix)


@takes_settings(all_build_groups)
def build(
    modality: Annotated[str, typer.Argument(help="image, video, audio, or a plugin's.")],
    out: Annotated[Path, typer.Option(help="The benchmark's folder; it may hold other sets.")],
    source: Annotated[
        Path | None, typer.Option("--from", help="MM-SafetyBench's folder, or a table. Default: the demo cases.")
    ] = None,
    generator: Annotated[str | None, typer.Option(help="What makes scenes or speech. Default: offline.")] = None,
    scenes: Annotated[str, typer.Option(help="Who describes scenes: rules, openai or transformers.")] = "rules",
    plugin: Annotated[str, typer.Option("--plugin", "-p", help="A plugin whose generators may be used.")] = "",
    task: Annotated[list[str], typer.Option(help="Only this task; may be given more than once.")] = [],  # noqa: B006
    option: options.Settings = [],  # noqa: B006  # typer copies it
    config: options.SettingsFile = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N cases of each scenario.")] = None,
    as_json: output.Json = False,
) -> None:
    """Build a set's questions and media from three texts a case. The same command again goes on where it stopped."""
    from sea_bench.build.builder import SetBuilder
    from sea_bench.build.demo import GENERATORS, SETTINGS
    from sea_bench.build.generators.registry import get_generator
    from sea_bench.build.registry import get_set
    from sea_bench.build.source import limit_cases
    from sea_core.config import override

    texts = _source(source, modality)
    name = generator or (GENERATORS.get(modality) if source is None else None)
    maker = get_generator(modality, name, *_plugin_generators(plugin))
    defaults, _ = override(get_set(modality, maker), SETTINGS.get(modality, {}) if source is None else {})
    settings = read_settings(build_groups(defaults, maker), config, option)
    media_set, maker = settings[""], settings["generator"]
    complete = _scene_completer(scenes, settings["llm"], out)
    made = SetBuilder(out, media_set, maker, texts, texts=limit_cases(texts, limit), tasks=task, complete=complete)
    _tell(texts, maker, media_set)
    _run(made)
    figures = {
        "folder": out,
        "set": modality,
        "generator": maker.name,
        "placeholder_for": maker.placeholder_for or None,
        "cases": len(made.texts),
        "media": len(made.jobs()),
        "skipped_scenarios": list(texts.skipped_scenarios),
        "unpicked": _unpicked(made),
    }
    output.emit(figures, as_json, lambda: output.grid(("built", "value"), list(figures.items())))
    if figures["unpicked"]:
        output.note(f"{figures['unpicked']} cases take their first candidate: sea bench pick {out}, then build again.")


def pick(
    folder: Folder,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8765,
    as_json: output.Json = False,
) -> None:
    """Serve a page on this machine where a person picks the best candidate of each case. Ctrl-C ends it."""
    from sea_bench.build.pick_page import serve
    from sea_bench.build.picks import Picks
    from sea_bench.layout import MANIFEST
    from sea_core.runs.atomic import read_json

    path = folder / MANIFEST
    if not path.is_file():
        raise SeaError(f"{folder} has no {MANIFEST}", hint="Give a folder that `sea bench build` made.")
    picks = Picks(folder)
    choices = picks.find_candidates({name: told["cases"] for name, told in read_json(path)["sets"].items()})

    def ready(address: str) -> None:
        output.note(f"{len(choices)} cases to pick from: open {address}  (Ctrl-C when you are done; picks are kept)")

    serve(picks, choices, port, ready)
    made = picks.read()
    value = {"folder": folder, "cases": len(choices), "picked": sum(choice.key in made for choice in choices)}
    output.emit(value, as_json, lambda: output.grid(("picked", "value"), list(value.items())))
    output.note("Build again with the same command as before: DM and DM_TYPO are made from the picks.")


def _scene_completer(name: str, llm: LLMConfig, out: Path) -> CompleteChat | None:
    """Return the language model that describes scenes; None for the rules."""
    from sea_bench.build.scenes import make_completer
    from sea_core.llm.backends import open_model
    from sea_core.runs.jsonl import JsonlLog

    return None if name == "rules" else make_completer(open_model(name, llm), JsonlLog(out / "scenes.jsonl"))


def _source(path: Path | None, modality: str) -> CaseSource:
    from sea_bench.build.demo import demo_source
    from sea_bench.build.source import read_source

    return demo_source() if path is None else read_source(path, modality)


def _plugin_generators(plugin: str) -> tuple[Sequence[Generator], Sequence[Generator]]:
    """Return the generators of the plugin that was named, and without one those of all installed plugins."""
    from sea_core.plugin import loader

    return (loader.get(plugin).generators, ()) if plugin else ((), loader.generators())


def _tell(source: CaseSource, maker: Generator, media_set: MediaSet) -> None:
    """Say what a reader of the benchmark's figures must know."""
    from sea_bench.build.question_text import mentions_image

    if maker.placeholder_for:
        output.note(f"{maker.name} is a placeholder for {maker.placeholder_for}")
    if source.skipped_scenarios:
        output.note(f"left out, as in VA-SafetyBench: {', '.join(source.skipped_scenarios)}")
    odd = [t for t in source.texts if media_set.noun != "image" and not mentions_image(t.rephrased)]
    if odd:
        which = ", ".join(f"{t.scenario}/{t.id}" for t in odd[:SHOWN])
        output.note(f"{len(odd)} rephrased questions do not speak of the image, and are kept as they are: {which}")


def _run(made: SetBuilder) -> None:
    from sea_core.cli.progress import bar

    with made.writing():
        jobs = made.jobs()
        with bar("build", len(jobs), sum(made.is_done(job) for job in jobs)) as progress:
            for job in made.run():
                progress.advance(note=f"{job.texts.scenario} {job.task.name}")


def _unpicked(made: SetBuilder) -> int:
    """Count the cases with several candidates that nobody has picked from."""
    several = {(job.texts.scenario, job.texts.id, job.texts.benign) for job in made.jobs() if job.candidate}
    return (
        len(several) - sum(key.startswith(f"{made.media_set.modality}/") for key in made.picks_made) if several else 0
    )


def _cells(one: TaskCount) -> list[str]:
    name = one.modality + " (benign)" * one.benign
    found = ["-" if value is None else str(value) for value in (one.media, one.missing, one.corrupt, one.published)]
    return [name, one.scenario, one.task, str(one.cases), *found]


def _line(finding: Issue) -> str:
    place = "/".join(part for part in (finding.scenario, finding.task, finding.id) if part)
    return f"{finding.modality}{' (benign)' * finding.benign} {place}: {finding.message}"

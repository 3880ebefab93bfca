"""`sea bench build`: write a set's questions and media."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import options, output
from sea_core.cli.settings import SettingGroup, llm_group, read_settings, takes_settings
from sea_core.errors import number_of

if TYPE_CHECKING:
    from sea_bench.build.sets.base import MediaSet
    from sea_core.plugin.generator import Generator


def build_groups(media_set: MediaSet, generator: Generator) -> list[SettingGroup]:
    """Return the settings of `sea bench build` for one set and one generator; of a joint set, those of its parts."""
    groups = []
    for prefix, part in prefixed_parts(generator).items():
        maker, start = media_set.maker(part.modality), f"{prefix}." if prefix else ""
        groups += [
            SettingGroup(maker, prefix, f"The {maker.modality} set: {{summary}}"),
            SettingGroup(part, f"{start}generator", f"--generator {part.name} ({part.modality}): {{summary}}"),
        ]
    return [*groups, llm_group("of --scenes openai or transformers")]


def prefixed_parts(generator: Generator) -> dict[str, Generator]:
    """Return the generators of the parts by the prefix of their settings: their modality, and none for a single one."""
    from sea_bench.build.generators.joint import generator_parts

    parts = generator_parts(generator)
    return {part.modality if len(parts) > 1 else "": part for part in parts}


def all_build_groups() -> list[SettingGroup]:
    """Return the settings of all sets and generators, those of installed plugins included."""
    from sea_bench.build.generators.registry import BUILT_IN
    from sea_bench.build.registry import get_set
    from sea_core.plugin import loader

    generators = (*BUILT_IN, *loader.offers("generators", BUILT_IN))
    pairs = [(get_set(generator.modality, generator), generator) for generator in generators]
    groups = {(group.prefix, group.title): group for pair in pairs for group in build_groups(*pair)}
    return sorted(groups.values(), key=lambda group: group.prefix)


@takes_settings(all_build_groups)
def build(
    modality: Annotated[str, typer.Argument(help="image, video, audio, a plugin's, or two of them: image+audio.")],
    out: Annotated[Path, typer.Option(help="The benchmark folder; it may contain other sets.")],
    source: Annotated[
        Path | None, typer.Option("--from", help="MM-SafetyBench's folder, or a table. Default: the demo cases.")
    ] = None,
    generator: Annotated[
        str | None, typer.Option(help="What makes scenes or speech. Default: drawings and an offline voice.")
    ] = None,
    scenes: Annotated[str, typer.Option(help="What describes scenes: rules, openai or transformers.")] = "rules",
    plugin: Annotated[str, typer.Option("--plugin", "-p", help="A plugin whose generators come first.")] = "",
    font: Annotated[Path | None, typer.Option(help="A font file for the letters of images and videos.")] = None,
    task: Annotated[list[str], typer.Option(help="Only this task; repeatable.")] = [],  # noqa: B006
    option: options.Settings = [],  # noqa: B006  # typer copies it
    config: options.SettingsFile = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N cases of each scenario.")] = None,
    as_json: output.Json = False,
) -> None:
    """Build a set: write its questions and media, from three texts for each case.

    Re-run the same command to resume.
    """
    from sea_bench.build.generators.joint import join_generators
    from sea_bench.build.sets.joint import join_sets
    from sea_bench.pipeline.build import build_benchmark, choose_generator, default_set
    from sea_core.cli.progress import TERMINAL

    chosen = choose_generator(modality, generator, plugin, demo=source is None)
    defaults = default_set(chosen, demo=source is None)
    prefixes = [prefix for prefix in prefixed_parts(chosen) if prefix]
    fonts = [f"{f'{prefix}.' if prefix else ''}font={font}" for prefix in (prefixes or [""]) if prefix != "audio"]
    unread = {"llm": "--scenes openai or transformers"} if scenes == "rules" else {}
    settings = read_settings(build_groups(defaults, chosen), config, [*option, *(fonts if font else [])], unread)
    if prefixes:
        settings[""] = join_sets([settings[prefix] for prefix in prefixes])
        settings["generator"] = join_generators([settings[f"{prefix}.generator"] for prefix in prefixes])
    result = build_benchmark(
        modality,
        out,
        source=source,
        generator=settings["generator"],
        media_set=settings[""],
        scenes=scenes,
        llm=settings["llm"],
        tasks=task,
        limit=limit,
        progress=TERMINAL,
    )
    value = asdict(result)
    output.emit(value, as_json, lambda: output.grid(("metric", "value"), list(value.items())))
    if result.unpicked:
        unpicked = number_of(result.unpicked, "case uses its", "cases use their")
        output.note(f"{unpicked} first candidate. Pick with: sea bench pick {out}, then rebuild")

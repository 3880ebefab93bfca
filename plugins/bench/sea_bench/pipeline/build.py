"""`sea bench build` from Python: write a set's questions and media."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sea_bench import layout
from sea_bench.build.builder import SetBuilder
from sea_bench.build.demo import GENERATORS as DEMO_GENERATORS
from sea_bench.build.demo import SETTINGS as DEMO_SETTINGS
from sea_bench.build.demo import demo_source
from sea_bench.build.generators.joint import join_generators
from sea_bench.build.generators.registry import BUILT_IN, get_generator
from sea_bench.build.question_text import mentions_image
from sea_bench.build.registry import get_set
from sea_bench.build.scenes import CompleteChat, make_completer
from sea_bench.build.sets.base import MediaSet
from sea_bench.build.source import CaseSource, limit_cases, read_source
from sea_core.config import override
from sea_core.errors import SeaError, number_of
from sea_core.llm.backends import open_model
from sea_core.llm.cache import completion_log
from sea_core.llm.config import LLMConfig
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.plugin import loader
from sea_core.plugin.generator import Generator

SHOWN = 10
"""Number of cases that a remark lists."""


@dataclass(frozen=True)
class BuildResult:
    """A built set.

    Attributes:
        modality: of the set.
        generator: its name. placeholder_for: what it stands in for; None for a real one.
        cases: number of cases, the benign twin's included. media: number of media, candidates included.
        skipped_scenarios: scenarios of MM-SafetyBench that the set does not use.
        unpicked: number of cases with several candidates of which nobody has picked one.
    """

    folder: Path
    modality: str
    generator: str
    placeholder_for: str | None
    cases: int
    media: int
    skipped_scenarios: tuple[str, ...]
    unpicked: int


def build_benchmark(
    modality: str,
    out: Path | str,
    *,
    source: Path | str | None = None,
    generator: Generator | str | None = None,
    media_set: MediaSet | None = None,
    plugin: str = "",
    scenes: str = "rules",
    llm: LLMConfig | None = None,
    tasks: Sequence[str] = (),
    limit: int | None = None,
    progress: Progress = SILENT,
) -> BuildResult:
    """Build a set's question files and media, from three texts for each case.

    Calling again with the same arguments resumes a build that was stopped.

    Args:
        modality: image, video, audio, a plugin's, or two of them (`image+audio`).
        out: the benchmark folder; it may contain other sets.
        source: MM-SafetyBench's folder, or a table; None for the demo cases.
        generator: what makes scenes or speech; a name, or a generator with its settings. See `choose_generator`.
        media_set: the set with its settings. See `default_set`.
        plugin: a plugin whose generators come first, a name or the path of a .py file.
        scenes: what describes scenes: rules, or the backend of a language model (openai, transformers).
        llm: the language model.
        tasks: only these tasks; default: all.
        limit: only the first N cases of each scenario.

    Raises:
        DataError: the source cannot be read.
        SeaError: there is no such generator, task or backend, or a generator fails.
        RunError: the set in `out` was built from other texts or with other settings.
    """
    demo = source is None
    if not isinstance(generator, Generator):
        generator = choose_generator(modality, generator, plugin, demo=demo)
    media_set = media_set or default_set(generator, demo=demo)
    texts = demo_source() if source is None else read_source(Path(source), modality)
    builder = SetBuilder(
        Path(out),
        media_set,
        generator,
        texts,
        texts=limit_cases(texts, limit),
        tasks=tasks,
        complete=_open_completer(scenes, llm or LLMConfig(), Path(out)),
    )
    for remark in _remarks(texts, generator, media_set):
        progress.note(remark)
    _build(builder, progress)
    return BuildResult(
        folder=builder.folder,
        modality=modality,
        generator=generator.name,
        placeholder_for=generator.placeholder_for or None,
        cases=len(builder.job_list.texts),
        media=len(builder.job_list.jobs()),
        skipped_scenarios=texts.skipped_scenarios,
        unpicked=builder.job_list.count_unpicked(),
    )


def choose_generator(modality: str, name: str | None = None, plugin: str = "", *, demo: bool = False) -> Generator:
    """Return a generator: built-in, or of an installed plugin.

    Args:
        name: its name; None for the default. For two modalities, two names (`drawn+espeak`).
        plugin: a plugin whose generators come first, a name or the path of a .py file.
        demo: choose the default for the demo cases, which the bundled toy models can process.

    Raises:
        SeaError: there is no such generator, or the modality joins others than two different ones.
    """
    modalities = layout.modality_parts(modality)
    if len(modalities) > 1:
        names = _part_names(modality, name)
        # Toy models read one modality, so their demo is none for two.
        return join_generators([choose_generator(*pair, plugin) for pair in zip(modalities, names, strict=True)])
    named = loader.get_plugin(plugin).generators if plugin else ()
    if name is None and demo:
        name = DEMO_GENERATORS.get(modality)
    return get_generator(modality, name, named, loader.offers("generators", BUILT_IN))


def _part_names(modality: str, name: str | None) -> tuple[str | None, ...]:
    """Return the names of the two generators of a joint modality; None for each that is the default."""
    modalities = layout.modality_parts(modality)
    if len(modalities) != 2 or len(set(modalities)) != 2:
        raise SeaError(f"{modality!r} does not join two modalities", hint="Type for example: image+audio")
    names = name.split("+") if name else (None, None)
    if len(names) != 2:
        raise SeaError(
            f"--generator {name} names one generator, but a joint set has two",
            hint="Type for example: --generator drawn+espeak",
        )
    return tuple(names)


def default_set(generator: Generator, *, demo: bool = False) -> MediaSet:
    """Return the set of a generator's modality with its default settings, or those of the demo."""
    settings = DEMO_SETTINGS.get(generator.modality, {}) if demo else {}
    media_set, _ = override(get_set(generator.modality, generator), settings)
    return media_set


def _open_completer(scenes: str, llm: LLMConfig, out: Path) -> CompleteChat | None:
    """Return the language model that describes scenes; None for the rules."""
    return None if scenes == "rules" else make_completer(open_model(scenes, llm), completion_log(out / "scenes.jsonl"))


def _remarks(source: CaseSource, generator: Generator, media_set: MediaSet) -> Iterator[str]:
    """Yield what must be known to interpret metrics on this set."""
    if generator.placeholder_for:
        yield f"{generator.name} is a placeholder for {generator.placeholder_for}"
    if source.skipped_scenarios:
        yield f"skipped scenarios, as in VA-SafetyBench: {', '.join(source.skipped_scenarios)}"
    unchanged = [case for case in source.texts if media_set.noun != "image" and not mentions_image(case.rephrased)]
    if unchanged:
        names = ", ".join(f"{case.scenario}/{case.id}" for case in unchanged[:SHOWN])
        questions = number_of(len(unchanged), "rephrased question does", "rephrased questions do")
        yield f"{questions} not mention the image, used unchanged: {names}"


def _build(builder: SetBuilder, progress: Progress) -> None:
    with builder.writing():
        jobs = builder.job_list.jobs()
        with progress.track("build", len(jobs), sum(map(builder.is_done, jobs))) as tracker:
            for job in builder.run():
                tracker.advance(note=f"{job.texts.scenario} {job.task.name}")

"""`sea prepare`: a text safety set becomes prepared examples that people can edit and `sea optimize` takes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli import options, output, synthesis
from sea_core.cli.exit_code import exit_if_failed
from sea_core.cli.settings import SettingGroup, llm_group, read_settings, takes_settings

if TYPE_CHECKING:
    from sea_core.extraction.prepare import Preparation
    from sea_core.pipeline.prepare import PreparedSet


def prepare_groups() -> list[SettingGroup]:
    """Return the settings of `sea prepare`."""
    return [llm_group("of --extractor openai or transformers")]


@takes_settings(prepare_groups)
def prepare(
    plugin: options.PluginName,
    data: options.DataFile = None,
    modality: options.Modality = None,
    extractor: synthesis.ExtractorName = "rules",
    out: Annotated[Path | None, typer.Option(help="Write every example with its outcome to this JSONL file.")] = None,
    option: options.Settings = [],  # noqa: B006  # typer copies it
    config: options.SettingsFile = None,
    format: options.Format = "auto",
    columns: options.Columns = None,
    split: options.Split = None,
    skip_bad: options.SkipBad = False,
    styles: options.Styles = None,
    language: options.Language = "en",
    limit: Annotated[int | None, typer.Option(min=1, help="Use only the first N examples.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the drawn styles.")] = 0,
    as_json: output.Json = False,
) -> None:
    """Find the phrases of a text safety set: how many examples can be used, and why others are skipped.

    Loads no multimodal model. You can edit the --out file and pass it to `sea optimize`. Re-run the same command to
    resume: answers of a language model are kept.
    """
    from sea_core.cli.progress import TERMINAL
    from sea_core.data.demo import DEMO_EXAMPLES_BY_LANGUAGE
    from sea_core.pipeline.data_spec import DataSpec, parse_columns
    from sea_core.pipeline.model_target import ModelTarget
    from sea_core.pipeline.prepare import prepare as prepare_set

    target = ModelTarget.find(plugin, modality=modality, language=language)
    spec = DataSpec(
        data or DEMO_EXAMPLES_BY_LANGUAGE.get(language), format, parse_columns(columns), limit, styles, split, skip_bad
    )
    llm = read_settings(prepare_groups(), config, option, synthesis.unread_settings(extractor))["llm"]
    found = prepare_set(spec, target, extractor=extractor, llm=llm, seed=seed, out=out, progress=TERMINAL)
    output.emit(_value(found, spec.file), as_json, lambda: output.grid(("", "examples"), _lines(found)))
    lang = "" if language == "en" else f" --lang {language}"
    if out is None:
        output.note("Nothing was written. To store the prepared examples: --out prepared.jsonl")
    else:
        own = " --model MODEL" if data else ""
        command = f"sea optimize {out} --plugin {plugin}{own}{lang} --out runs/{out.stem}"
        output.note(f"Next: edit {out} if you like, then: {command}")
        if data:
            output.note("Without --model that is the plugin's own model; a bundled tiny one knows the toy world only.")
    exit_if_failed(unanswered_examples(found.preparation))


def unanswered_examples(preparation: Preparation) -> dict[str, int]:
    """Return how many examples a language model gave no answer for, and print the last reason."""
    from sea_core.pipeline.extraction import unanswered

    missing = unanswered(preparation)
    for reason in missing[-1:]:
        output.note(f"no answer: {reason}")
    return {"examples without an answer": len(missing)}


def _value(found: PreparedSet, file: Path) -> dict[str, Any]:
    read, preparation, usage = found.read, found.preparation, found.session.usage()
    return {
        "file": file,
        "format": read.format,
        "examples": len(read.examples),
        "skip_counts": read.skip_counts,
        "invalid": len(read.invalid),
        "extractor": found.session.extractor.identity(),
        "prepared": len(preparation.prepared),
        "skipped": len(preparation.skipped),
        "reasons": preparation.reason_counts(),
        "example": [example.extraction.detoxified for example in preparation.prepared[:1]],
        "usage": asdict(usage) if usage else None,
    }


def _lines(found: PreparedSet) -> list[tuple[str, str]]:
    """Return counts, reasons and rules, and what the language model's answers cost."""
    read, preparation = found.read, found.preparation
    counts: list[tuple[str, int]] = [("read", len(read.examples)), ("prepared", len(preparation.prepared))]
    counts += [("skipped", len(preparation.skipped))]
    counts += [(f"skipped: {reason}", count) for reason, count in preparation.reason_counts().items()]
    counts += [(f"skipped by the format: {rule}", count) for rule, count in read.skip_counts.items()]
    counts += [("invalid", len(read.invalid))] if read.invalid else []
    lines = [(name, str(count)) for name, count in counts]
    if usage := found.session.usage():
        cost = "unknown" if usage.cost is None else f"{usage.cost:.4f}"
        lines += [("answers", str(usage.completions)), ("input tokens", str(usage.tokens_in))]
        lines += [("output tokens", str(usage.tokens_out)), ("cost", cost)]
    return lines

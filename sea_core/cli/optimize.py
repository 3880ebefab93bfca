"""`sea optimize`: a text safety set becomes verified synthetic embeddings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sea_core.cli import options, output, run_report, synthesis
from sea_core.cli.exit_code import exit_if_failed
from sea_core.cli.pipeline_check import Given, check_plugin, checked_by
from sea_core.cli.prepare import unanswered_examples
from sea_core.cli.settings import takes_settings
from sea_core.errors import number_of
from sea_core.runs.object_store import is_address


def check_options(given: Given) -> None:
    """Read the settings of the recipes and of the adapter. Raises SeaError for one that is not accepted."""
    names = ("recipe", "benign_media", "extractor", "config", "option")
    _, adapter = synthesis.read_synthesis(*(given[name] for name in names))
    check_plugin(given, adapter)


@checked_by(check_options)
@takes_settings(synthesis.synthesis_groups)
def optimize(
    plugin: options.PluginName,
    data: options.DataFile = None,
    modality: options.Modality = None,
    model: options.Model = None,
    recipe: synthesis.RecipeNames = "plain",
    benign_media: synthesis.BenignMedia = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="Run folder, or s3://BUCKET/RUN. Default: runs/PLUGIN-DATA (with several modalities "
            "runs/PLUGIN-MODALITY-DATA).",
        ),
    ] = None,
    option: options.Settings = [],  # noqa: B006  # typer copies it
    config: options.SettingsFile = None,
    format: options.Format = "auto",
    columns: options.Columns = None,
    split: options.Split = None,
    skip_bad: options.SkipBad = False,
    limit: options.Limit = None,
    styles: options.Styles = None,
    extractor: synthesis.ExtractorName = "rules",
    language: options.Language = "en",
    revision: options.Revision = None,
    chat_template: options.ChatTemplate = None,
    dtype: options.Dtype = "auto",
    quantize: options.Quantize = "none",
    device: options.Device = "auto",
    verify: Annotated[bool, typer.Option(help="Ask held-out questions afterwards (VSR).")] = True,
    as_json: output.Json = False,
) -> None:
    """Make a synthetic embedding for each example of a text safety set, then verify them.

    Without DATA: the demo examples. Without --model: the plugin's own model. Re-run the same command to resume.
    """
    from sea_core.cli.progress import TERMINAL
    from sea_core.data.demo import DEMO_EXAMPLES_BY_LANGUAGE
    from sea_core.pipeline.data_spec import DataSpec, parse_columns
    from sea_core.pipeline.model_target import ModelTarget

    how, settings = synthesis.read_synthesis(recipe, benign_media, extractor, config, option)
    target = ModelTarget.find(
        plugin,
        modality=modality,
        model=model,
        revision=revision,
        dtype=dtype,
        quantize=quantize,
        device=device,
        settings=settings,
        chat_template=chat_template,
        language=language,
    )
    spec = DataSpec(
        data or DEMO_EXAMPLES_BY_LANGUAGE.get(language), format, parse_columns(columns), limit, styles, split, skip_bad
    )
    # What is typed wrong is refused by now: the work imports torch, which takes seconds.
    from sea_core.cli.stored_run import optimize_there
    from sea_core.pipeline.optimize import optimize_into
    from sea_core.verification.metrics import run_metrics

    if out and is_address(out):
        optimize_there(spec, target, out, how, verify, as_json)
        return
    folder = Path(out or f"runs/{target.name}-{spec.name}")
    run, preparation = optimize_into(spec, target, folder, how, verify, TERMINAL)
    if how.config.workers == 0 and run.blocks.unfinished():
        left = number_of(run.blocks.count_left(), "embedding is", "embeddings are")
        output.note(f"{left} left to do. On each computer, type: sea worker {folder}")
        return
    run_report.report(run, as_json)
    uncovered = {"examples without an embedding": len(run_metrics(run)["uncovered_examples"])}
    exit_if_failed(uncovered | unanswered_examples(preparation))

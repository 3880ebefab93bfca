"""`sea plan`: what an optimisation will take, before any weight is loaded."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import options, output, synthesis
from sea_core.cli.settings import takes_settings

if TYPE_CHECKING:
    from sea_core.pipeline.plan import PlannedRun


@takes_settings(synthesis.synthesis_groups)
def plan(
    plugin: options.PluginName,
    data: options.DataFile = None,
    modality: options.Modality = None,
    model: options.Model = None,
    recipe: synthesis.RecipeNames = "plain",
    benign_media: synthesis.BenignMedia = None,
    option: options.Settings = [],  # noqa: B006  # typer copies it
    config: options.SettingsFile = None,
    format: options.Format = "auto",
    columns: options.Columns = None,
    split: options.Split = None,
    skip_bad: options.SkipBad = False,
    limit: options.Limit = None,
    language: options.Language = "en",
    revision: options.Revision = None,
    chat_template: options.ChatTemplate = None,
    dtype: options.Dtype = "auto",
    device: options.Device = "auto",
    steps: Annotated[int, typer.Option(min=1, help="Steps that an example is assumed to need.")] = 60,
    as_json: output.Json = False,
) -> None:
    """Estimate memory, batch size, FLOPs and run time. Accepts the options of `sea optimize`."""
    from sea_core.cli.progress import TERMINAL
    from sea_core.data.demo import DEMO_EXAMPLES_BY_LANGUAGE
    from sea_core.pipeline.inputs import DataSpec, ModelTarget, parse_columns
    from sea_core.pipeline.plan import plan as estimate_run

    how, settings = synthesis.read_synthesis(recipe, benign_media, "rules", config, option)
    target = ModelTarget.find(
        plugin,
        modality=modality,
        model=model,
        revision=revision,
        dtype=dtype,
        device=device,
        settings=settings,
        chat_template=chat_template,
        language=language,
    )
    spec = DataSpec(
        data or DEMO_EXAMPLES_BY_LANGUAGE.get(language),
        format,
        parse_columns(columns),
        limit,
        split=split,
        skip_invalid=skip_bad,
    )
    planned = estimate_run(spec, target, synthesis=how, steps=steps, progress=TERMINAL)
    about = {"plugin": plugin, "model": target.checkpoint, "device": planned.device, "dtype": planned.dtype}
    head = about | {"start": planned.start}
    output.emit(head | asdict(planned.estimate), as_json, lambda: output.grid(("plan", "value"), _lines(planned)))
    if not planned.estimate.batch_size:
        output.note(
            "The weights and one example do not fit into the free memory of this device: type --dtype bfloat16, "
            "a smaller blank input (-o adapter.…), or another --device."
        )


def _lines(planned: PlannedRun) -> list[tuple[str, str]]:
    found = planned.estimate
    speed = f"{_flop(found.flop_per_second)}/s measured in a large matrix product"
    return [
        ("embeddings", str(found.embeddings)),
        ("model", f"{planned.target.checkpoint}, {_size(found.weights)} of weights in {planned.dtype}"),
        ("device", f"{planned.device}, {_size(found.free)} free, {speed}"),
        ("tokens of the longest example", f"{found.media_tokens} for the medium, {found.text_tokens} of text"),
        ("start", _start(planned)),
        ("memory per example", _size(found.per_example)),
        ("batch size", str(found.batch_size)),
        ("FLOPs per step and example", _flop(found.flop)),
        ("compiled", "yes" if found.compiled else f"no: {found.compile_reason}" if found.compile_reason else "no"),
        (
            "run time",
            f"{_duration(found.hours)}, at {found.steps} steps per example and {found.matmul_ratio:.2f} of that speed",
        ),
    ]


def _start(planned: PlannedRun) -> str:
    from sea_core.optimization.solved_start import EXAMPLES

    noun = planned.target.adapter.noun
    if planned.start == "blank":
        return f"the blank {noun}'s embedding"
    return f"the mean of the first {EXAMPLES} embeddings, which start at the blank {noun}'s"


def _size(count: int) -> str:
    return f"{count / 1e9:.3g} GB" if count >= 1e9 else f"{count / 1e6:.3g} MB"


def _flop(count: float) -> str:
    return f"{count / 1e12:.3g} TFLOP" if count >= 1e12 else f"{count / 1e9:.3g} GFLOP"


def _duration(hours: float) -> str:
    if hours >= 1:
        return f"{hours:.3g} hours"
    return f"{hours * 60:.3g} minutes" if hours * 60 >= 1 else f"{hours * 3600:.0f} seconds"

"""`sea plan`: what an optimisation or an alignment will take, before any weight is loaded."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli import options, output, synthesis
from sea_core.cli.settings import adapter_group, read_settings, takes_settings
from sea_core.errors import SeaError, number_of

if TYPE_CHECKING:
    from sea_core.alignment.config import AlignRequest
    from sea_core.pipeline.plan import PlannedAlignment, PlannedRun

ADVICE = "type --quantize 4bit, --dtype bfloat16, a smaller blank input (-o adapter.…), or another device"
OWN_OPTIONS = ("--steps", "--slurm", "--gpu", "--gpus", "--memory", "--price-per-hour")
"""Options that `sea optimize` does not have."""


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
    quantize: options.Quantize = "none",
    device: options.Device = "auto",
    gpu: Annotated[
        str, typer.Option(metavar="NAME", help="Plan for a card that is not here: h100, a100, 4090, 3090, ...")
    ] = "",
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="Plan for a GPU with so much memory, as 24GB, or for so much of one.")
    ] = "",
    gpus: Annotated[
        int, typer.Option(min=1, max=16, help="Plan for one model on so many of these cards, with --gpu or --memory.")
    ] = 1,
    price: Annotated[
        float, typer.Option("--price-per-hour", min=0, help="What the device costs an hour, for the cost of the run.")
    ] = 0.0,
    steps: Annotated[int, typer.Option(min=1, help="Steps that an example is assumed to need.")] = 60,
    for_align: Annotated[
        bool, typer.Option("--align", help="Plan sea align on the embeddings instead; -o takes its settings.")
    ] = False,
    method: Annotated[str | None, typer.Option(help="With --align: dpo, the default, or sft.")] = None,
    full_finetune: Annotated[
        bool, typer.Option("--full-finetune", help="With --align: train all weights of the language model.")
    ] = False,
    slurm: Annotated[
        int | None, typer.Option(min=1, help="Print a script for a SLURM cluster instead, for so many workers.")
    ] = None,
    as_json: output.Json = False,
) -> None:
    """Estimate memory, batch size, FLOPs, run time and cost. Accepts the options of `sea optimize`."""
    from sea_core.cli.progress import TERMINAL
    from sea_core.data.demo import DEMO_EXAMPLES_BY_LANGUAGE
    from sea_core.model.cards import get_card, parse_memory
    from sea_core.pipeline.data_spec import DataSpec, parse_columns
    from sea_core.pipeline.model_target import ModelTarget
    from sea_core.pipeline.slurm import make_script

    _refuse_without_effect(
        {"--method": bool(method), "--full-finetune": full_finetune},
        {"--align": for_align, "--json": as_json, "--price-per-hour": bool(price)},
        for_align=for_align,
        slurm=bool(slurm),
    )
    memory_size = parse_memory(memory) if memory else None
    if gpu:
        get_card(gpu)  # an unknown card is refused before anything is read
    if for_align:
        request, settings = _read_request(method or "dpo", option, config, full_finetune)
    else:
        how, settings = synthesis.read_synthesis(recipe, benign_media, "rules", config, option)
    # What is typed wrong is refused by now: the work imports torch, which takes seconds.
    from sea_core.pipeline.plan import PlannedDevice, plan_alignment
    from sea_core.pipeline.plan import plan as estimate_run

    where = PlannedDevice(device, gpu, memory_size, gpus)
    if gpus > 1 and where.is_here:
        raise SeaError(
            "--gpus is for cards that are not here", hint="Add --gpu NAME; for GPUs of this computer, type --device all"
        )
    target = ModelTarget.find(
        plugin,
        modality=modality,
        model=model,
        revision=revision,
        dtype=dtype,
        quantize=quantize,
        device=device if where.is_here else "cpu",
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
    if for_align:
        aligned = plan_alignment(spec, target, request=request, where=where, progress=TERMINAL)
        _emit(
            plugin,
            aligned,
            _align_lines(aligned),
            aligned.estimate.examples,
            price,
            as_json,
            {"method": request.method},
        )
    else:
        planned = estimate_run(spec, target, synthesis=how, steps=steps, where=where, progress=TERMINAL)
        if slurm:
            folder = Path("runs") / f"{target.name}-{spec.name}"
            device = planned.device if where.is_here else "cuda"
            script = make_script(_optimize_arguments(), folder, slurm, planned.estimate.hours or 0.0, device)
            typer.echo(script, nl=False)
            return
        more = {"start": planned.start}
        _emit(plugin, planned, _lines(planned), planned.estimate.embeddings, price, as_json, more)


def _refuse_without_effect(
    of_align: Mapping[str, bool], not_slurm: Mapping[str, bool], *, for_align: bool, slurm: bool
) -> None:
    """Raise SeaError if an option was given that would have no effect.

    Args:
        of_align: whether each option that needs --align was given.
        not_slurm: the same for those that do not change a script.
    """
    needless = [] if for_align else [name for name, given in of_align.items() if given]
    if needless:
        raise SeaError(
            f"{' and '.join(needless)} can only be given with --align",
            hint="Add --align to plan an alignment, or leave these options out.",
        )
    excluded = [name for name, given in not_slurm.items() if given and slurm]
    if excluded:
        raise SeaError(
            f"--slurm and {' and '.join(excluded)} cannot be combined: only the script of an optimisation is printed",
            hint="Plan with one of them, then with the other.",
        )


def _read_request(
    method: str, option: Sequence[str], file: Path | None, full: bool
) -> tuple[AlignRequest, dict[str, Any]]:
    """Return how the model is aligned, and the settings of the adapter."""
    from sea_core.alignment.config import AlignRequest, nested
    from sea_core.cli.align import align_groups

    found = read_settings([*align_groups(), adapter_group()], file, option)
    trainer, lora = nested(found["trainer"]), nested(found["lora"])
    return AlignRequest(method, found[""], trainer, lora, full), found["adapter"]  # type: ignore[arg-type]


def _emit(
    plugin: str,
    planned: PlannedRun | PlannedAlignment,
    lines: list[tuple[str, str]],
    rows: int,
    price: float,
    as_json: bool,
    more: dict[str, str],
) -> None:
    """Print a plan, with its cost if there is a price."""
    found = planned.estimate
    about = {"plugin": plugin, "model": planned.target.checkpoint, "device": planned.device, "dtype": planned.dtype}
    value = about | {"quantize": planned.target.quantize} | more | asdict(found)
    if price and found.hours is not None:
        cost = found.hours * price
        value |= {"cost": cost, "cost_per_1000": 1000 * cost / rows}
        lines.append(("cost", f"{cost:.3g}, or {1000 * cost / rows:.3g} per 1,000, at {price:g} an hour"))
    output.emit(value, as_json, lambda: output.grid(("plan", "value"), lines))
    if not found.batch_size:
        output.note(f"The weights and one example do not fit into the memory of this device: {ADVICE}.")
        if found.needed:
            output.note(f"One model on {found.needed} of them fits: --device all (sea plan --gpus {found.needed}).")


def _optimize_arguments() -> list[str]:
    """Return the arguments of this command that are `sea optimize`'s too."""
    arguments = sys.argv[sys.argv.index("plan") + 1 :]
    kept = []
    while arguments:
        argument = arguments.pop(0)
        if argument in OWN_OPTIONS:
            del arguments[:1]
        elif argument.partition("=")[0] not in OWN_OPTIONS:
            kept.append(argument)
    return kept


def _lines(planned: PlannedRun) -> list[tuple[str, str]]:
    found = planned.estimate
    return [
        ("embeddings", str(found.embeddings)),
        *_device_lines(planned),
        ("tokens of the longest example", f"{found.media_tokens} for the medium, {found.text_tokens} of text"),
        ("start", _start(planned)),
        ("memory per example", _size(found.per_example)),
        ("batch size", str(found.batch_size) if found.batch_size else "0: does not fit"),
        ("FLOPs per step and example", _flop(found.flop)),
        ("compiled", "yes" if found.compiled else f"no: {found.compile_reason}" if found.compile_reason else "no"),
        ("run time", _run_time(planned, f"{number_of(found.steps, 'step')} per example")),
    ]


def _align_lines(planned: PlannedAlignment) -> list[tuple[str, str]]:
    found, request = planned.estimate, planned.request
    trained = "all weights of the language model" if request.full_finetune else "LoRA weights"
    answers = f", each with {found.sequences} answers" if found.sequences > 1 else ""
    total = found.weights + found.trained + found.batch_size * found.per_example + found.head
    return [
        ("training", f"{request.method}, about {number_of(found.examples, 'training example')}{answers}"),
        *_device_lines(planned),
        ("tokens of the longest sequence", str(found.tokens)),
        ("gradient checkpointing", "on" if found.checkpointing else "off"),
        (trained, f"{_size(found.trained)}, with gradients and optimiser"),
        ("memory per example", f"{_size(found.per_example)}, and {_size(found.head)} for logits"),
        ("batch size", _batch(planned)),
        ("memory in all", _size(total) if found.batch_size else "more than there is"),
        ("FLOPs per step", _flop(found.flop)),
        ("run time", _run_time(planned, number_of(found.steps, "step"))),
        ("not measured", "an alignment on a GPU: it is assumed to be as fast as an optimisation that is not compiled"),
    ]


def _batch(planned: PlannedAlignment) -> str:
    found = planned.estimate
    if not found.batch_size:
        return "0: does not fit"
    if found.accumulated == 1:
        return str(found.batch_size)
    settings = {"per_device_train_batch_size": found.batch_size, "gradient_accumulation_steps": found.accumulated}
    typed = " ".join(f"-o trainer.{name}={value}" for name, value in settings.items())
    return f"{found.batch_size}, {found.accumulated} of them a step: {typed}"


def _device_lines(planned: PlannedRun | PlannedAlignment) -> list[tuple[str, str]]:
    found = planned.estimate
    kept = f"{planned.target.quantize} and {planned.dtype}" if planned.target.quantize else planned.dtype
    speed = f", {_flop(found.flop_per_second)}/s in a large matrix product" if found.flop_per_second else ""
    several = f"{found.devices} times " if found.devices > 1 else ""
    return [
        ("model", f"{planned.target.checkpoint}, {_size(found.weights)} of weights in {kept}"),
        ("device", f"{several}{planned.device}, {_size(found.free)} of memory{speed}"),
        ("rates", found.rates),
    ]


def _run_time(planned: PlannedRun | PlannedAlignment, assumed: str) -> str:
    found = planned.estimate
    if not found.batch_size:
        return "none: it does not fit"
    if found.hours is None:
        return "unknown, as the rates are"
    slower = "; unpacking the quantised weights is not counted" if planned.target.quantize else ""
    speed = f"{found.matmul_ratio:.2f} of the speed of a large matrix product"
    return f"{_duration(found.hours)}: {assumed}, at {speed}{slower}"


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

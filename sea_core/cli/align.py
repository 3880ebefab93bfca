"""`sea align`: runs of embeddings become a safer model that plain transformers loads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import options, output, run_report
from sea_core.cli.exit_code import exit_if_failed
from sea_core.cli.inputs import refusing, require_data, require_run
from sea_core.cli.pipeline_check import Given, checked_by
from sea_core.cli.settings import SettingGroup, takes_settings
from sea_core.config import default_values, parse_overrides

if TYPE_CHECKING:
    from rich.table import Table

    from sea_core.alignment.align import AlignResult
    from sea_core.alignment.config import AlignConfig, AlignRequest

Runs = Annotated[
    list[Path],
    typer.Argument(
        metavar="RUN...", callback=refusing(require_run), help="Run folders of sea optimize and sea encode."
    ),
]
Out = Annotated[Path, typer.Option(help="Model folder.")]
MethodName = Annotated[str, typer.Option(help="dpo or sft.")]
DataKinds = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="KINDS",
        help="Kinds of examples: synthetic, real, text, retention, pairs. E.g. synthetic=2,text=1.",
    ),
]
MixtureName = Annotated[str, typer.Option(help="A named mixture: default or paper.")]
AnswerForm = Annotated[
    str | None,
    typer.Option(
        metavar="FORM",
        help="What answers a question about a synthetic embedding in training. direct (the default): the example's "
        "answer. read-first: what the medium shows, then the answer.",
    ),
]
FullFinetune = Annotated[
    bool, typer.Option("--full-finetune", help="Train all weights of the language model, without LoRA.")
]
Merge = Annotated[bool, typer.Option(help="Write the merged model beside the LoRA adapter.")]


def align_groups(config: AlignConfig | None = None) -> list[SettingGroup]:
    """Return the settings of `sea align`; `config` has the defaults."""
    from sea_core.alignment.config import AlignConfig

    return [
        SettingGroup(config or AlignConfig()),
        SettingGroup(None, "trainer", "Any field of TRL's SFTConfig or DPOConfig."),
        SettingGroup(None, "lora", "Any field of PEFT's LoraConfig."),
    ]


def check_options(given: Given) -> None:
    """Read the options, and look up the settings of TRL and PEFT. Raises SeaError for one that is not accepted."""
    request = _requested(**{name: given[name] for name in signature(_requested).parameters})
    if request.trainer or request.lora:
        from sea_core.alignment.trainer_config import check_names

        check_names(request)


@checked_by(check_options)
@takes_settings(align_groups)
def align(
    runs: Runs,
    out: Out = Path("model"),
    method: MethodName = "dpo",
    data: DataKinds = None,
    mixture: MixtureName = "default",
    answers: AnswerForm = None,
    extra_text: Annotated[
        Path | None,
        typer.Option(
            "--extra-text",
            metavar="DATA",
            callback=refusing(require_data),
            help="A text safety set to train on as well.",
        ),
    ] = None,
    eval_media: Annotated[
        Path | None,
        typer.Option(
            "--eval-media",
            callback=refusing(require_data),
            help="Examples with real media for the spot check, as sea encode takes them.",
        ),
    ] = None,
    media_root: options.MediaRoot = None,
    merge: Merge = True,
    full_finetune: FullFinetune = False,
    max_steps: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many updates, as -o trainer.max_steps does.")
    ] = None,
    spot_check: Annotated[
        bool, typer.Option(help="Ask a few questions before and after, about held-out examples if there are enough.")
    ] = True,
    option: options.Settings = [],  # noqa: B006  # typer copies it
    config: options.SettingsFile = None,
    plugin: options.RunPlugin = None,
    model: options.RunModel = None,
    dtype: options.RunDtype = "auto",
    quantize: options.RunQuantize = "auto",
    device: options.Device = "auto",
    as_json: output.Json = False,
) -> None:
    """Align a model with SFT or DPO on synthetic embeddings, real media and text, in any mixture.

    Ends with the outcome: safer, unchanged, less_safe, refuses_everything, not_converged or too_few_to_tell. The exit
    code is 1 unless it is safer; with --no-spot-check, too_few_to_tell is no failure.

    TRL's settings are -o trainer.KEY=VALUE, PEFT's are -o lora.KEY=VALUE. Re-run the same command to resume.
    """
    from sea_core.cli.progress import TERMINAL
    from sea_core.runs.embedding_run import EmbeddingRun
    from sea_core.runs.folder import require_distinct

    request = _requested(method, data, mixture, option, max_steps, answers, config, full_finetune)
    opened = [EmbeddingRun(run) for run in runs]
    require_distinct(runs)
    # What is typed wrong is refused by now: the work imports torch, which takes seconds.
    from sea_core.alignment.processes import is_first_process
    from sea_core.pipeline.align import align as align_runs

    result = align_runs(
        opened,
        out,
        request=request,
        plugin=plugin,
        model=model,
        dtype=dtype,
        quantize=quantize,
        device=device,
        extra_text=extra_text,
        eval_media=eval_media,
        media_root=media_root,
        spot_check=spot_check,
        merge=merge,
        progress=TERMINAL,
    )
    if is_first_process():
        report(result, as_json, spot_check)


def _requested(
    method: str,
    data: str | None,
    mixture: str,
    option: Sequence[str],
    max_steps: int | None,
    answers: str | None,
    config: Path | None,
    full_finetune: bool,
) -> AlignRequest:
    """Return what the options ask for."""
    settings = [*option, *_max_steps(max_steps), *answer_settings(answers)]
    return read_request(method, data, mixture, settings, config, full_finetune)


def _max_steps(steps: int | None) -> list[str]:
    return [] if steps is None else [f"trainer.max_steps={steps}"]


def answer_settings(form: str | None) -> list[str]:
    """Return the setting that the option stands for."""
    return [] if form is None else [f"answers={form}"]


def read_request(
    method: str, data: str | None, mixture: str, option: Sequence[str], file: Path | None, full: bool
) -> AlignRequest:
    """Read the options: the mixture's settings first, then the file's, then --data, then those of -o."""
    from sea_core.alignment.config import AlignConfig, make_request

    typed = parse_overrides(None, option, default_values(AlignConfig()))
    from_file = {name: value for name, value in parse_overrides(file, ()).items() if name not in typed}
    origins = dict.fromkeys(from_file, str(file))
    return make_request(method, from_file, typed, mixture=mixture, data=data, full_finetune=full, origins=origins)


def report(result: AlignResult, as_json: bool, spot_check: bool = True) -> None:
    """Print the metrics, and end with the outcome: with exit code 1 unless the model is safer.

    Args:
        spot_check: whether questions were asked. Where the user wanted none, there is no verdict to fail.
    """
    metrics = result.metrics
    value = {"model": str(result.folder), **metrics}
    output.emit(value, as_json, lambda: output.stack(_tables(result)))
    output.note(f"{metrics['outcome']}: {metrics['outcome_sentence']}\n  {metrics['next_step']}")
    lora, is_worth_measuring = result.folder / "adapter", result.outcome in ("safer", "too_few_to_tell")
    if is_worth_measuring and lora.is_dir():
        plugin = run_report.typed_plugin(result.base) if result.base else "PLUGIN"
        output.note(f"Next: sea bench run CASES --plugin {plugin} --lora {lora} --out runs/after")
    output.note(f"To read the answers before and after: sea report {result.folder}   or: sea show {result.folder}")
    unasked = not spot_check and result.outcome == "too_few_to_tell"
    exit_if_failed({f"alignments with the outcome {result.outcome}": int(result.outcome != "safer" and not unasked)})


def _tables(result: AlignResult) -> Iterator[Table]:
    from sea_core.alignment.export import UNQUANTIZED
    from sea_core.alignment.model_card import describe_answers, spot_check_cells

    metrics = result.metrics
    if cells := spot_check_cells(metrics["spot_check"]):
        columns = ("before -> after [95 %]", "harmful refused", "strict ASR", "benign refused", "questions")
        yield output.grid(columns, cells)
    exports = metrics["export"]["exports"]
    exported = ", ".join(name for name in exports if name != UNQUANTIZED)
    lines = [
        ("outcome", result.outcome),
        ("steps", str(metrics["steps"])),
        ("loss", f"{metrics['loss']:.4g}"),
        ("answers", describe_answers(metrics)),
        ("training examples", ", ".join(f"{count} {kind}" for kind, count in metrics["examples"].items())),
        ("exported", f"{exported}; checked in a fresh process as {metrics['export']['model_class']}"),
        ("model", str(result.folder)),
    ]
    if plain := exports.get(UNQUANTIZED):
        lines.insert(
            -1, ("adapter on the base that is not quantised", f"logits differ by up to {plain['max_error']:.3g}")
        )
    yield output.grid(("metric", "value"), lines)

"""`sea align`: runs of embeddings become a safer model that plain transformers loads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli import options, output
from sea_core.errors import SeaError

if TYPE_CHECKING:
    from sea_core.alignment.align import AlignResult
    from sea_core.alignment.config import AlignConfig, AlignRequest
    from sea_core.alignment.spot_check import SpotCheckCase
    from sea_core.alignment.train import StepCallback
    from sea_core.model.adapter import Adapter
    from sea_core.runs.embedding_run import EmbeddingRun

GROUPS = ("trainer.", "lora.")


def align(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders of sea optimize and sea encode.")],
    out: Annotated[Path, typer.Option(help="Model folder.")] = Path("model"),
    method: Annotated[str, typer.Option(help="dpo or sft.")] = "dpo",
    data: Annotated[
        str | None,
        typer.Option(metavar="KINDS", help="Which kinds: synthetic, real, text, retention; synthetic=2,text=1."),
    ] = None,
    mixture: Annotated[str, typer.Option(help="A mixture by name: default or paper.")] = "default",
    text: Annotated[Path | None, typer.Option(metavar="ROWS", help="A text safety file to train on as well.")] = None,
    media: Annotated[
        Path | None, typer.Option(help="Rows with real media to look at before and after (as sea encode takes them).")
    ] = None,
    merge: Annotated[bool, typer.Option(help="Write the merged model beside the adapter.")] = True,
    full: Annotated[bool, typer.Option(help="Train all weights of the language model, without an adapter.")] = False,
    look: Annotated[bool, typer.Option(help="Ask a few held-out questions before and after.")] = True,
    option: options.Settings = [],  # noqa: B006  # typer copies it
    config: options.SettingsFile = None,
    model: options.Model = None,
    dtype: options.Dtype = "auto",
    device: options.Device = "auto",
    as_json: output.Json = False,
) -> None:
    """Align a model with SFT or DPO on synthetic embeddings, real media and plain text, in any mixture.

    The same command again goes on where it stopped. TRL's settings are -o trainer.KEY=V, PEFT's are -o lora.KEY=V.
    """
    request = read_terms(method, data, mixture, option, config, full)
    with progress() as on_step:
        aligned = run_alignment(
            runs,
            out,
            request,
            extra_text=text,
            eval_media=media,
            spot_check=look,
            merge=merge,
            model=model,
            dtype=dtype,
            device=device,
            on_step=on_step,
        )
    if is_first():
        report(aligned, as_json)


def run_alignment(
    runs: Sequence[Path],
    out: Path,
    request: AlignRequest,
    *,
    extra_text: Path | None = None,
    eval_media: Path | None = None,
    spot_check: bool = True,
    cases: Sequence[SpotCheckCase] = (),
    example_media: Sequence[Any] = (),
    merge: bool = True,
    model: str | None = None,
    dtype: str = "auto",
    device: str = "auto",
    on_step: StepCallback | None = None,
) -> AlignResult:
    """Open the runs, load their model, and align it.

    Args:
        runs: run folders of `sea optimize` and `sea encode`, of one model.
        out: the model folder.
        extra_text: a text safety file to train on as well.
        eval_media: a folder of real media for the spot check.
        spot_check: ask the questions before and after.
        cases: more questions for the spot check.
        example_media: real media for the check of the export, in the form that `Adapter.inputs` takes.
        merge: write the merged model beside the LoRA adapter.
        model: where the runs' model lies now.
        on_step: called after each step.

    Raises:
        RunError: the runs were made for different models, or `out` holds something else.
        ModelError: a sanity check failed.
    """
    from sea_core.alignment.align import AlignInputs
    from sea_core.alignment.align import align as align_model
    from sea_core.alignment.sanity_checks import require_same_model
    from sea_core.runs.embedding_run import EmbeddingRun

    opened = [EmbeddingRun(run) for run in runs]
    adapter, target = options.of_run(opened[0], model, device)
    if dtype != "auto":
        target = options.Target.of(adapter, target.checkpoint, target.revision, dtype, device)
    base = target.fingerprint()
    require_same_model(opened, base)
    texts = options.Data(extra_text, "auto", None).read().examples if extra_text else ()
    mllm = target.load(adapter)
    questions = [*cases, *spot_check_cases(adapter, opened, request, eval_media)] if spot_check else []
    inputs = AlignInputs(opened, texts, questions, example_media, base, target.revision)
    return align_model(mllm, inputs, request, out, merge=merge, on_step=on_step)


def read_terms(
    method: str, data: str | None, mixture: str, option: Sequence[str], file: Path | None, full: bool
) -> AlignRequest:
    """Read everything that was typed: the mixture's settings first, then the file's, then the options'."""
    from sea_core import config as settings
    from sea_core.alignment.config import AlignConfig, AlignRequest, mixture_named, parse_weights

    given = dict(settings.parse_overrides(file, option))
    passed: dict[str, dict[str, Any]] = {group: {} for group in GROUPS}
    for key in [key for key in given if key.startswith(GROUPS)]:
        group = next(group for group in GROUPS if key.startswith(group))
        name, dot, inner = key.removeprefix(group).partition(".")
        if dot:  # a setting that is itself a group of settings, from a YAML file
            passed[group].setdefault(name, {})[inner] = given.pop(key)
        else:
            passed[group][name] = given.pop(key)
    told: AlignConfig = AlignConfig(**mixture_named(mixture))
    if data is not None:
        told, _ = settings.override(told, parse_weights(data, told))
    told, left = settings.override(told, given)
    settings.reject_unknown(left, settings.setting_names(told) + [group + "KEY" for group in GROUPS])
    return AlignRequest(_method(method), told, passed["trainer."], passed["lora."], full)


def _method(method: str) -> Any:
    if method not in ("dpo", "sft"):
        raise SeaError(f"--method {method} is not known", hint="Type --method dpo, or --method sft")
    return method


def spot_check_cases(
    adapter: Adapter, runs: Sequence[EmbeddingRun], request: AlignRequest, media: Path | None
) -> list[SpotCheckCase]:
    """Return the questions of the spot check: held-out embeddings, and the user's own media."""
    from sea_core.alignment.dataset import EmbeddingSource
    from sea_core.alignment.mixture import mix
    from sea_core.alignment.spot_check import example_cases, media_cases, sample_balanced

    embeddings, seed = EmbeddingSource(runs), request.config.seed
    held_out = mix(adapter, embeddings, (), request.method, request.config).held_out
    cases = example_cases(adapter, embeddings, held_out, seen=False)
    if not held_out:
        cases += example_cases(adapter, embeddings, sample_balanced(embeddings.records(), 8, seed), seen=True)
    if media:
        from sea_core.pipeline.encode import media_examples

        _, rows = media_examples(media)
        cases += media_cases(adapter, [(one.example, one.path) for one in rows if one.path and not one.problem])
    return cases


def is_first() -> bool:
    """Tell the first of several processes, which alone speaks (torchrun sets RANK)."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def progress() -> Iterator[Any]:
    """Show the steps; on the first of several processes only."""
    from contextlib import ExitStack

    from sea_core.cli.progress import bar

    if not is_first():
        yield None
        return
    bars: list[Any] = []
    done = 0
    with ExitStack() as stack:

        def tell(step: int, steps: int, loss: float) -> None:
            nonlocal done
            if not bars:
                bars.append(stack.enter_context(bar("align", steps, step - 1)))
                done = step - 1
            bars[0].advance(step - done, note=f"loss {loss:.4f}")
            done = step

        yield tell


def report(aligned: AlignResult, as_json: bool) -> None:
    """Print the figures; what the user should know goes to stderr."""
    figures: Mapping[str, Any] = aligned.metrics
    for warning in aligned.warnings:
        output.note(f"note: {warning}")
    output.emit({"model": str(aligned.folder), **figures}, as_json, lambda: output.grid(*_lines(aligned)))


def _lines(aligned: AlignResult) -> tuple[Sequence[str], list[Sequence[str]]]:
    from sea_core.alignment.model_card import TITLES, arrow

    figures = aligned.metrics
    rows: list[Sequence[str]] = [
        (
            TITLES[line["group"]] + (" (seen)" if line["seen"] else ""),
            arrow(line, "refused"),
            arrow(line, "strict_asr"),
            arrow(line, "over_refused"),
            f"{line['harmful_after']} + {line['benign_after']}",
        )
        for line in figures["look"]
    ]
    examples = ", ".join(f"{n} {kind}" for kind, n in figures["examples"].items())
    loads = ", ".join(name for name in ("adapter", "merged") if name in figures["export"])
    rows += [
        ("trained", f"{figures['steps']} steps", f"loss {figures['loss']:.4g}", examples, ""),
        ("loads", loads, f"as {figures['export']['class']}", str(aligned.folder), ""),
    ]
    return ("before -> after", "harmful refused", "strict ASR", "benign refused", "questions"), rows

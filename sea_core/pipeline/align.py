"""`sea align` from Python: runs of embeddings become a safer model, with a spot check before and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sea_core.alignment.align import AlignInputs, AlignResult
from sea_core.alignment.align import align as run_alignment
from sea_core.alignment.config import MIN_HELD_OUT, NEEDED, AlignConfig, AlignRequest, Method
from sea_core.alignment.embedding_source import EmbeddingSource
from sea_core.alignment.mixture import Mixture, mix
from sea_core.alignment.processes import count_processes, is_first_process
from sea_core.alignment.questions import ANSWERS, require_answers
from sea_core.alignment.sanity_checks import require_same_model
from sea_core.alignment.spot_check import SpotCheckCase, embedding_cases, media_cases, sample_balanced, text_cases
from sea_core.errors import SeaError, number_of
from sea_core.model.device_map import OFFLOADED, Devices
from sea_core.pipeline.data_spec import DataSpec
from sea_core.pipeline.encode import media_examples
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.progress import SILENT, Progress, Tracker
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.folder import require_distinct

if TYPE_CHECKING:
    from sea_core.alignment.trainers import StepCallback
    from sea_core.data.examples import Example
    from sea_core.model.adapter import Adapter

SEEN_EXAMPLES = 8
"""Harmful, and as many benign, examples that the spot check asks about as well where few were held out."""


def align(
    runs: Sequence[EmbeddingRun | Path | str],
    out: Path | str = "model",
    *,
    method: Method = "dpo",
    config: AlignConfig | None = None,
    request: AlignRequest | None = None,
    plugin: str | None = None,
    model: str | None = None,
    dtype: str = "auto",
    quantize: str = "auto",
    device: str = "auto",
    extra_text: DataSpec | Path | str | None = None,
    eval_media: Path | str | None = None,
    media_root: Path | str | None = None,
    spot_check: bool = True,
    cases: Sequence[SpotCheckCase] = (),
    example_media: Sequence[Any] = (),
    merge: bool = True,
    progress: Progress = SILENT,
) -> AlignResult:
    """Align the model of some runs with SFT or DPO, and check that the export loads with plain transformers.

    Calling again with the same arguments resumes an alignment that was stopped.

    Args:
        runs: runs of `optimize` and `encode`, of one model.
        out: the model folder.
        method: `dpo` or `sft`. config: the numbers of the alignment.
        request: method, config and settings of TRL and PEFT in one; in place of `method` and `config`.
        plugin: the runs' plugin, for runs made with a local file: its path.
        model: where the runs' model lies now, if not where it was. dtype: `auto` for the runs'.
        quantize: `4bit` or `8bit` weights under the LoRA adapter (QLoRA), or `none`; `auto` for the runs'.
        extra_text: a text safety set to train on as well.
        eval_media: examples with real media for the spot check, as `encode` takes them.
        media_root: where these media lie, if not in the folder of the examples.
        spot_check: ask a few held-out questions before and after. cases: more questions to ask then.
        example_media: media for the check of the export, as `Adapter.inputs` takes them; the blank input by default.
        merge: write the merged model beside the LoRA adapter.

    Raises:
        RunError: a run is given twice, the runs are of different models, or `out` holds something else.
        SeaError: there is nothing to train on: the examples have no answers; all of quantised weights would be
            trained; or weights that are offloaded, or spread over devices by each of several processes.
        ModelError: a sanity check failed, or the export does not load as the trained model.
    """
    opened = [run if isinstance(run, EmbeddingRun) else EmbeddingRun(Path(run)) for run in runs]
    require_distinct(run.folder for run in opened)
    where: dict[str, Any] = {"dtype": dtype, "quantize": quantize, "device": device}
    target = ModelTarget.of_run(opened[0], plugin=plugin, model=model, progress=progress, **where)
    request = request or AlignRequest(method=method, config=config or AlignConfig())
    request.require_trainable(target.quantize)
    _require_trainable_devices(target.devices())
    target.note_limits(progress)
    base = target.fingerprint()
    require_same_model(opened, base)
    texts = _read_texts(DataSpec.of(extra_text), request.method, progress) if extra_text else ()
    for run in opened:
        if unlabelled := run.manifest.metadata.unlabelled:
            examples = number_of(unlabelled, "example")
            progress.note(f'{run.folder}: {examples} had no label "harmful". Without it, an example counts as harmful.')
    source = EmbeddingSource(opened)
    mixture = mix(target.adapter, source, texts, request.method, request.config)  # raises before weights load
    questions: list[SpotCheckCase] = []
    if spot_check:
        media = Path(eval_media) if eval_media else None
        root = Path(media_root) if media_root else None
        questions = [*cases, *spot_check_cases(target.adapter, source, mixture, request.config, media, root)]
        if few := describe_few(questions):
            progress.note(f"note: {few}")
    mllm = target.load()
    inputs = AlignInputs(opened, texts, questions, example_media, base, target.revision)
    with _training_progress(progress) as on_step:
        note = (lambda warning: progress.note(f"note: {warning}")) if is_first_process() else None
        return run_alignment(mllm, inputs, request, Path(out), merge=merge, on_step=on_step, on_warning=note)


def _require_trainable_devices(devices: Devices) -> None:
    """Raise SeaError where the parts of a model are on devices that they cannot be trained on."""
    if not devices.are_several:
        return
    if offloaded := [device for device in devices.map.values() if device in OFFLOADED and device != devices.names[0]]:
        raise SeaError(
            f"weights that are kept on {offloaded[0]} cannot be trained on: they are copied to a device for each call",
            hint="Spread the model over more GPUs, as --device cuda:0,cuda:1, or type --quantize 4bit.",
            where=devices.file,
        )
    if count_processes() > 1:
        raise SeaError(
            f"several processes cannot each spread the model over {devices}",
            hint="Train in one process, without torchrun; or shard the model instead: accelerate launch --config_file "
            "fsdp2.yaml (docs/how-to/align.md).",
        )


def _read_texts(data: DataSpec, method: Method, progress: Progress) -> tuple[Example, ...]:
    """Return the examples of a text safety set. Raises SeaError if none has the answers that the method trains on."""
    texts = data.read(progress).examples
    advice = "Add these columns, or train on the runs alone: leave out --extra-text"
    if lacking := require_answers(texts, method, advice, str(data.file)):
        needs = f"{ANSWERS[method]} to train on with {method}"
        progress.note(f"{data.file}: {lacking} of the {len(texts)} examples have no {needs}, and are left out")
    return texts


def spot_check_cases(
    adapter: Adapter,
    source: EmbeddingSource,
    mixture: Mixture,
    config: AlignConfig,
    eval_media: Path | None = None,
    media_root: Path | None = None,
) -> list[SpotCheckCase]:
    """Return the questions of the spot check: about what a mixture holds out, and the user's media.

    Where few examples are held out, seen ones are asked about too: they show whether anything was learnt at all.
    """
    cases = embedding_cases(adapter, source, mixture.held_out, seen=False) + text_cases(mixture.held_out_texts)
    held_out = {embedding.example_id for embedding in mixture.held_out}
    if len(held_out) < 2 * MIN_HELD_OUT:
        others = [embedding for embedding in source.stored() if embedding.example_id not in held_out]
        seen = sample_balanced(others, SEEN_EXAMPLES, config.seed)
        cases += embedding_cases(adapter, source, seen, seen=True)
    if eval_media:
        _, found = media_examples(eval_media, media_root=media_root)
        cases += media_cases(adapter, [(each.example, each.path) for each in found if each.path and not each.problem])
    return cases


def describe_few(questions: Sequence[SpotCheckCase]) -> str:
    """Say that so few harmful examples are asked about that no model can be shown to be safer; empty if enough are."""
    harmful = len({case.example or case.id for case in questions if case.harmful and not case.seen})
    if harmful >= MIN_HELD_OUT:
        return ""
    return (
        f"{harmful} harmful examples are held out, and fewer than {MIN_HELD_OUT} cannot show that the model is safer. "
        f"About {NEEDED} harmful and {NEEDED} benign examples are needed, or real media to ask about: --eval-media"
    )


@contextmanager
def _training_progress(progress: Progress) -> Iterator[StepCallback | None]:
    """Give a callback that reports the trainer's steps; None in all processes of a job but the first."""
    if not is_first_process():
        yield None
        return
    trackers: list[Tracker] = []
    done = 0
    with ExitStack() as stack:

        def on_step(step: int, steps: int, loss: float) -> None:
            nonlocal done
            if not trackers:
                done = step - 1
                trackers.append(stack.enter_context(progress.track("align", steps, done)))
            trackers[0].advance(step - done, note="" if isnan(loss) else f"loss {loss:.4f}")  # none is logged yet
            done = step

        yield on_step

"""One alignment, from the embeddings of some runs to a checked export."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

from sea_core.alignment import sanity_checks
from sea_core.alignment.checkpoints import CHECKPOINTS
from sea_core.alignment.collator import Collator
from sea_core.alignment.config import KINDS, AlignRequest, Answers
from sea_core.alignment.dataset import TrainingExample, example_texts, make_dataset, max_sequence_length
from sea_core.alignment.embedding_source import EmbeddingSource
from sea_core.alignment.export import (
    ExportCheck,
    LogitFixture,
    check_export,
    find_base_folder,
    last_logits,
    load_lora_adapter,
    save_lora_adapter,
    save_merged,
)
from sea_core.alignment.harmful_examples import describe_losses, require_harmful
from sea_core.alignment.mixture import Mixture, mix
from sea_core.alignment.model_card import find_licence, model_card
from sea_core.alignment.outcome import OutcomeName, find_outcome
from sea_core.alignment.processes import count_processes, is_first_process, wait_for_all
from sea_core.alignment.run import AlignIdentity, AlignManifest, AlignMetadata, ModelFolder
from sea_core.alignment.spot_check import SpotCheckCase, read_answers, run_spot_check, spot_check_metrics
from sea_core.alignment.train import train
from sea_core.alignment.trainer_config import check_settings
from sea_core.alignment.trainers import StepCallback
from sea_core.data.examples import Example
from sea_core.errors import SeaError, number_of
from sea_core.judges.refusal_patterns import VERSION
from sea_core.model.checkpoint import fingerprint, read_card
from sea_core.model.mllm import MLLM
from sea_core.model.proof import check_seam
from sea_core.model.quantization import quantization_of
from sea_core.model.text_check import NamedText, require_accepted
from sea_core.runs.atomic import write_text
from sea_core.runs.digests import sha256
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.manifest import ModelIdentity


@dataclass(frozen=True)
class AlignInputs:
    """The inputs of an alignment.

    Attributes:
        runs: runs of `sea optimize` and `sea encode`, of one model.
        texts: text examples besides those of the runs.
        cases: the questions of the spot check; empty for none.
        media: real media for the check of the export, in the form that `Adapter.inputs` takes; by default the blank
            input.
        base: the fingerprint of the model's checkpoint; computed from its name if empty.
        revision: the commit of a hub model.
    """

    runs: Sequence[EmbeddingRun]
    texts: Sequence[Example] = ()
    cases: Sequence[SpotCheckCase] = ()
    media: Sequence[Any] = ()
    base: str = ""
    revision: str | None = None


@dataclass(frozen=True)
class AlignResult:
    """A finished alignment: its folder, the metrics of align.json, what the user should know, and the base model.

    `outcome` says in one word whether the model is safer (see `sea_core.alignment.outcome`).
    """

    folder: Path
    metrics: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    base: ModelIdentity | None = None

    @property
    def outcome(self) -> OutcomeName:
        name: OutcomeName = self.metrics["outcome"]
        return name


def align(
    mllm: MLLM,
    inputs: AlignInputs,
    request: AlignRequest,
    out: Path,
    *,
    merge: bool = True,
    on_step: StepCallback | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> AlignResult:
    """Align a model in place and export it. The same call again resumes where it stopped.

    Args:
        out: the model folder.
        merge: write the merged model beside the LoRA adapter.
        on_step: called after each step with (steps done, total steps, last logged mean loss).
        on_warning: called before the training, with each warning of the result.

    Raises:
        RunError: the embeddings were made for another model, or `out` contains something else.
        ModelError: a sanity check failed, or an export does not load as the trained model.
        SeaError: there is nothing to train on, no harmful example, or TRL or PEFT does not accept a setting.
    """
    base = inputs.base or fingerprint(str(mllm.model.name_or_path), inputs.revision)
    sanity_checks.require_same_model(inputs.runs, base)
    quantization = quantization_of(mllm.model)
    request.require_trainable(quantization)
    source = EmbeddingSource(inputs.runs)
    mixture = draw_mixture(mllm, source, inputs.texts, request)
    require_accepted(mllm, [NamedText(case.id, "spot check", case.prompt, asked=True) for case in inputs.cases])
    check_settings(mllm, request, out)
    warnings = (*sanity_checks.differing_quantizations(inputs.runs, quantization), *_warnings(mixture, source))
    if on_warning:
        for warning in warnings:
            on_warning(warning)
    manifest = make_manifest(mllm, inputs, request, mixture, base)
    with _open_folder(out, manifest, on_warning or logging.getLogger("sea").info) as folder:
        if not folder.finished:
            _train_and_export(mllm, inputs, request, folder, source, mixture, merge, on_step)
        elif merge and not folder.has_merged and is_first_process():
            _merge_again(mllm, folder, inputs.revision)
        if is_first_process():
            _delete_intermediate_files(folder)
    return AlignResult(out, dict(folder.manifest.metrics or {}), warnings, folder.manifest.identity.model)


def _warnings(mixture: Mixture, source: EmbeddingSource) -> tuple[str, ...]:
    """Return what the user should know about what is trained on."""
    skipped = [
        f"{number_of(count, 'training example was', 'training examples were')} skipped: {reason}"
        for reason, count in mixture.skipped.items()
    ]
    return tuple(filter(None, (*mixture.warnings, *skipped, describe_losses(source))))


def draw_mixture(mllm: MLLM, source: EmbeddingSource, texts: Sequence[Example], request: AlignRequest) -> Mixture:
    """Draw the mixture, and skip training examples that exceed the model's context.

    Raises:
        DataError: a part of a text would become a special token.
        SeaError: there is nothing to train on, or no harmful example.
    """
    mixture = mix(mllm.adapter, source, texts, request.method, request.config)
    require_accepted(mllm, chain.from_iterable(map(example_texts, mixture.examples)))
    limit = mllm.context_length
    fitting = [e for e in mixture.examples if limit is None or max_sequence_length(mllm, e) <= limit]
    if not fitting:
        raise SeaError(f"every training example exceeds the model's {limit} tokens", hint="Use shorter media.")
    too_long = len(mixture.examples) - len(fitting)
    skipped = {f"longer than the model's {limit} tokens": too_long} if too_long else {}
    mixture = replace(mixture, examples=tuple(fitting), skipped=mixture.skipped | skipped)
    require_harmful(mixture, source, request)
    return mixture


def _train_and_export(
    mllm: MLLM,
    inputs: AlignInputs,
    request: AlignRequest,
    folder: ModelFolder,
    source: EmbeddingSource,
    mixture: Mixture,
    merge: bool,
    on_step: StepCallback | None,
) -> None:
    """Do what is not done yet: spot check, training, spot check, export and its check, model card.

    All processes of a job train. The first one does everything else.
    """
    answers = request.config.answers
    fixture = _prepare(mllm, inputs, folder, answers) if is_first_process() else None
    wait_for_all()
    data, collator = make_dataset(mllm, mixture.examples), Collator(mllm, source)
    model, trace = train(mllm, data, collator, request, folder.folder, on_step)
    if fixture is None:
        return
    sanity_checks.require_finite_weights(mllm.model)
    trained = last_logits(mllm.model, fixture.inputs)
    sanity_checks.require_change(fixture.base, trained)
    run_spot_check(mllm, inputs.cases, "after", folder.spot_check, answers)
    folder.forget_exports()
    fixture.write(folder.logits, trained)
    folder.add_export(folder.logits.name)
    exports = _export(mllm, model, folder, request.full_finetune, merge)
    checked = check_export(mllm, folder.logits, exports, trained, inputs.revision)
    _finish(mllm, folder, mixture.counts, trace, checked, request.config.stop_loss)


def _prepare(mllm: MLLM, inputs: AlignInputs, folder: ModelFolder, answers: Answers) -> LogitFixture:
    """Check the model, answer the questions of the spot check, and record logits, all before training."""
    check_seam(mllm)
    run_spot_check(mllm, inputs.cases, "before", folder.spot_check, answers)
    return LogitFixture.record(mllm, inputs.media)


def _export(mllm: MLLM, model: Any, folder: ModelFolder, full_finetune: bool, merge: bool) -> dict[str, Path]:
    """Write the LoRA adapter and the merged model; after full fine-tuning only the model. Returns folders by name."""
    exports, base = {}, folder.manifest.identity.model
    if not full_finetune:
        save_lora_adapter(mllm, model, folder.adapter, base.fingerprint, base.chat_template)
        folder.add_export(folder.adapter.name)
        exports["adapter"] = folder.adapter
    if merge or full_finetune:
        if quantization_of(mllm.model):
            model = load_lora_adapter(mllm, folder.adapter, folder.manifest.metadata.revision)
        save_merged(mllm, model, folder.merged, full_finetune, base.chat_template)
        folder.add_export(folder.merged.name)
        exports["merged"] = folder.merged
    return exports


def _finish(
    mllm: MLLM,
    folder: ModelFolder,
    counts: dict[str, int],
    trace: list[dict[str, Any]],
    checked: ExportCheck,
    stop_loss: float,
) -> None:
    """Store the trace, the model card, and the metrics."""
    folder.trace.path.unlink(missing_ok=True)
    folder.trace.append(trace)
    last = trace[-1] if trace else {"step": 0, "loss": float("nan")}
    base = find_base_folder(mllm)
    limits = read_card(str(base)).get("limits", "") if base else ""
    benign_ratio = counts.get("benign", 0) / sum(counts[kind] for kind in KINDS if kind in counts)
    outcome = find_outcome(read_answers(folder.spot_check), trace, stop_loss, benign_ratio, limits)
    metrics = {
        "outcome": outcome.name,
        "outcome_sentence": outcome.sentence,
        "next_step": outcome.next_step,
        "answers": folder.manifest.identity.config["answers"],
        "examples": counts,
        "steps": last["step"],
        "loss": last["loss"],
        "spot_check": spot_check_metrics(read_answers(folder.spot_check)),
        "judge": VERSION,
        "export": checked,
    }
    _write_cards(mllm, folder, metrics)
    folder.finish(metrics)


def _write_cards(mllm: MLLM, folder: ModelFolder, metrics: Mapping[str, Any]) -> None:
    card = model_card(replace(folder.manifest, metrics=metrics), find_licence(find_base_folder(mllm)))
    for path in (folder.folder, folder.adapter, folder.merged):
        if path.is_dir():
            write_text(path / "README.md", card)


def _merge_again(mllm: MLLM, folder: ModelFolder, revision: str | None) -> None:
    """Make the merged model of a finished alignment from its LoRA adapter, and check it as the first one."""
    trained = LogitFixture.read_trained(folder.logits)
    template = folder.manifest.identity.model.chat_template
    save_merged(mllm, load_lora_adapter(mllm, folder.adapter, revision), folder.merged, False, template)
    checked = check_export(mllm, folder.logits, {"merged": folder.merged}, trained, revision)
    metrics = dict(folder.manifest.metrics or {})
    exports = metrics["export"]["exports"] | checked["exports"]
    metrics["export"] = metrics["export"] | {"exports": exports}
    _write_cards(mllm, folder, metrics)
    folder.finish(metrics)


def _delete_intermediate_files(folder: ModelFolder) -> None:
    """Delete what only an unfinished alignment needs. A kill may have left it behind."""
    for name in (CHECKPOINTS, "dataset"):
        shutil.rmtree(folder.folder / name, ignore_errors=True)


def make_manifest(mllm: MLLM, inputs: AlignInputs, request: AlignRequest, mixture: Mixture, base: str) -> AlignManifest:
    """Return the manifest of an alignment; `base` is the fingerprint of the model's checkpoint."""
    model = inputs.runs[0].manifest.identity.model
    return AlignManifest(
        identity=AlignIdentity(
            sea=version("sea-core"),
            model=replace(
                model,
                fingerprint=base,
                dtype=str(mllm.dtype).removeprefix("torch."),
                quantization=quantization_of(mllm.model),
            ),
            method=request.method,
            full_finetune=request.full_finetune,
            config=asdict(request.config),
            trainer=dict(request.trainer),
            lora=dict(request.lora),
            examples=digest(mixture.examples),
            processes=count_processes(),
        ),
        metadata=AlignMetadata(
            checkpoint=str(mllm.model.name_or_path),
            revision=inputs.revision,
            runs=tuple(str(run.folder) for run in inputs.runs),
            extra_texts=len(inputs.texts),
        ),
    )


def digest(examples: Sequence[TrainingExample]) -> str:
    """Return a digest of all training examples: their texts, their order, and the digests of their embeddings."""
    return sha256(repr([asdict(example) for example in examples]).encode())[:16]


@contextmanager
def _open_folder(out: Path, manifest: AlignManifest, note: Callable[[str], None]) -> Iterator[ModelFolder]:
    """Start or resume the model folder, and lock it, in the first process of a job; the others read what it wrote."""
    if not is_first_process():
        wait_for_all()
        yield ModelFolder(out, may_be_damaged=True)
        return
    folder = ModelFolder.start(out, manifest, note)
    with folder.writing():
        folder.put_aside_damage()
        wait_for_all()
        yield folder

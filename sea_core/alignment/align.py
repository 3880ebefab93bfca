"""One alignment from runs to a checked export: it reads like the command does its work."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from sea_core.alignment import sanity_checks, spot_check
from sea_core.alignment.checkpoints import CHECKPOINTS
from sea_core.alignment.collator import Collator
from sea_core.alignment.config import AlignRequest
from sea_core.alignment.dataset import EmbeddingSource, TrainingExample, make_dataset, max_sequence_length
from sea_core.alignment.export import (
    LogitFixture,
    check_export,
    find_base_folder,
    last_logits,
    save_lora_adapter,
    save_merged,
)
from sea_core.alignment.mixture import Mixture, mix
from sea_core.alignment.model_card import find_licence, model_card
from sea_core.alignment.run import AlignIdentity, AlignManifest, AlignMetadata, ModelFolder
from sea_core.alignment.train import train
from sea_core.alignment.trainer_config import check_settings
from sea_core.alignment.trainers import StepCallback
from sea_core.data.examples import Example
from sea_core.errors import SeaError
from sea_core.judges.refusal_patterns import VERSION
from sea_core.model.checkpoint import fingerprint
from sea_core.model.mllm import MLLM
from sea_core.model.selfcheck import check_seam
from sea_core.runs.atomic import sha256
from sea_core.runs.embedding_run import EmbeddingRun


@dataclass(frozen=True)
class AlignInputs:
    """What an alignment works on.

    Attributes:
        runs: folders of `sea optimize` and `sea encode`, of one model.
        texts: more text rows than the runs have.
        cases: the questions of the look; empty: no look.
        media: real media for the proof of the export, in the form that `Adapter.inputs` takes; the blank without.
        base: the fingerprint of the model's checkpoint; found by its name where it is left out.
        revision: the commit of a hub model.
    """

    runs: Sequence[EmbeddingRun]
    texts: Sequence[Example] = ()
    cases: Sequence[spot_check.SpotCheckCase] = ()
    media: Sequence[Any] = ()
    base: str = ""
    revision: str | None = None


@dataclass(frozen=True)
class AlignResult:
    """A finished alignment: its folder, the figures that align.json keeps, and what the user should know."""

    folder: Path
    metrics: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def align(
    mllm: MLLM,
    inputs: AlignInputs,
    terms: AlignRequest,
    out: Path,
    *,
    merge: bool = True,
    on_step: StepCallback | None = None,
) -> AlignResult:
    """Align a model, or go on where the same call stopped; the model of `mllm` is changed by it.

    Args:
        merge: write the merged model beside the adapter.
        tell: called after each step with (steps done, steps in all, last mean loss).

    Raises:
        RunError: the embeddings were made for another model, or `out` holds something else.
        ModelError: an alarm: see alarms.py, lora.py, collate.py and export.py.
    """
    base = inputs.base or fingerprint(str(mllm.model.name_or_path), inputs.revision)
    sanity_checks.require_same_model(inputs.runs, base)
    embeddings = EmbeddingSource(inputs.runs)
    mixture, too_long = draw_mixture(mllm, embeddings, inputs.texts, terms)
    check_settings(mllm, terms, out)
    with _open_folder(out, make_manifest(mllm, inputs, terms, mixture, base)) as folder:
        if not folder.finished:
            train_and_export(mllm, inputs, terms, folder, (embeddings, mixture), merge=merge, tell=on_step)
    left_out = mixture.left_out | ({"longer than the model holds": too_long} if too_long else {})
    notes = [*mixture.warnings, *(f"{n} rows left out: {reason}" for reason, n in left_out.items())]
    return AlignResult(out, dict(folder.manifest.metrics or {}), tuple(notes))


def draw_mixture(
    mllm: MLLM, embeddings: EmbeddingSource, texts: Sequence[Example], terms: AlignRequest
) -> tuple[Mixture, int]:
    """Draw the mixture, without the examples that the model's positions do not hold. Returns it, and their number."""
    mixture = mix(mllm.adapter, embeddings, texts, terms.method, terms.config)
    most = mllm.max_length
    fitting = [one for one in mixture.examples if most is None or max_sequence_length(mllm, one) <= most]
    if not fitting:
        raise SeaError(f"every row is longer than the {most} tokens that the model holds", hint="Give shorter media.")
    return replace(mixture, examples=tuple(fitting)), len(mixture.examples) - len(fitting)


def train_and_export(
    mllm: MLLM,
    inputs: AlignInputs,
    terms: AlignRequest,
    folder: ModelFolder,
    trained_on: tuple[EmbeddingSource, Mixture],
    *,
    merge: bool,
    tell: StepCallback | None,
) -> None:
    """Do what is left: look, train, look again, export, prove, write the card."""
    embeddings, mixture = trained_on
    first = _is_first()
    probe = None
    if first:
        check_seam(mllm)
        spot_check.run_spot_check(mllm, inputs.cases, "before", folder.spot_check)
        probe = LogitFixture.record(mllm, inputs.media)
    _wait()
    model, trace = train(
        mllm, make_dataset(mllm, mixture.examples), Collator(mllm, embeddings), terms, folder.folder, tell
    )
    if not first:
        return
    assert probe is not None
    trained = last_logits(mllm.model, probe.inputs)
    sanity_checks.require_change(probe.base, trained, mllm.dtype)
    spot_check.run_spot_check(mllm, inputs.cases, "after", folder.spot_check)
    probe.write(folder.probe, trained)
    folders = export(mllm, model, folder, terms.full_finetune, merge)
    proof = check_export(mllm, folder.probe, folders, trained, inputs.revision)
    finish(mllm, folder, mixture.counts, trace, proof)


def export(mllm: MLLM, model: Any, folder: ModelFolder, full: bool, merge: bool) -> dict[str, Path]:
    """Write the adapter and the merged model; with `full`, the model alone. Returns the folders by name."""
    folders = {}
    if not full:
        save_lora_adapter(mllm, model, folder.adapter)
        folders["adapter"] = folder.adapter
    if merge or full:
        save_merged(mllm, model, folder.merged, full)
        folders["merged"] = folder.merged
    return folders


def finish(
    mllm: MLLM, folder: ModelFolder, counts: dict[str, int], trace: list[dict[str, Any]], proof: dict[str, Any]
) -> None:
    """Keep trace and figures, write the card, and delete what was only needed on the way."""
    folder.trace.path.unlink(missing_ok=True)
    folder.trace.append(trace)
    last = trace[-1] if trace else {"step": 0, "loss": float("nan")}
    folder.finish(
        {
            "examples": counts,
            "steps": last["step"],
            "loss": last["loss"],
            "spot_check": spot_check.spot_check_metrics(spot_check.read_answers(folder.spot_check)),
            "judge": VERSION,
            "export": proof,
        }
    )
    card = model_card(folder.manifest, find_licence(find_base_folder(mllm)))
    for place in (folder.folder, folder.adapter, folder.merged):
        if place.is_dir():
            (place / "README.md").write_text(card, encoding="utf-8")
    for name in (CHECKPOINTS, "dataset"):
        shutil.rmtree(folder.folder / name, ignore_errors=True)


def make_manifest(mllm: MLLM, inputs: AlignInputs, terms: AlignRequest, mixture: Mixture, base: str) -> AlignManifest:
    """Return the manifest of an alignment; `base` is the fingerprint of the model's checkpoint."""
    model = inputs.runs[0].manifest.identity.model
    return AlignManifest(
        identity=AlignIdentity(
            sea=version("sea-core"),
            model=replace(model, fingerprint=base, dtype=str(mllm.dtype).removeprefix("torch.")),
            method=terms.method,
            full_finetune=terms.full_finetune,
            config=asdict(terms.config),
            trainer=dict(terms.trainer),
            lora=dict(terms.lora),
            examples=digest(mixture.examples),
            processes=_processes(),
        ),
        metadata=AlignMetadata(
            checkpoint=str(mllm.model.name_or_path),
            revision=inputs.revision,
            runs=tuple(str(run.folder) for run in inputs.runs),
            extra_texts=len(inputs.texts),
        ),
    )


def digest(examples: Sequence[TrainingExample]) -> str:
    """Return a digest of all that is trained on: texts, answers, order, and each embedding's own digest."""
    return sha256(repr([asdict(example) for example in examples]).encode())[:16]


def _processes() -> int:
    from accelerate import PartialState

    return int(PartialState(cpu=not torch.cuda.is_available()).num_processes)


def _is_first() -> bool:
    from accelerate import PartialState

    return bool(PartialState(cpu=not torch.cuda.is_available()).is_main_process)


def _wait() -> None:
    from accelerate import PartialState

    PartialState().wait_for_everyone()


@contextmanager
def _open_folder(out: Path, manifest: AlignManifest) -> Iterator[ModelFolder]:
    """Start or resume the model folder, and lock it, in the first process of a job; the others read what it wrote."""
    if not _is_first():
        _wait()
        yield ModelFolder(out)
        return
    folder = ModelFolder.start(out, manifest)
    with folder.writing():
        _wait()
        yield folder

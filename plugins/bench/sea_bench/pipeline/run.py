"""`sea bench run` from Python: put a benchmark's cases to a model, and store the answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sea_bench.dataset import read_benchmark
from sea_bench.defences.base import Defence, DefenceContext
from sea_bench.defences.registry import known_defences
from sea_bench.run.answering import AnsweringModel
from sea_bench.run.base_model import find_base, require_base
from sea_bench.run.config import AnswerConfig
from sea_bench.run.local import LocalAnsweringModel
from sea_bench.run.lora import FILES, check_lora_folder, with_lora
from sea_bench.run.preflight import choose_batch_size, preflight
from sea_bench.run.run_folder import (
    AnsweredRecord,
    BenchIdentity,
    BenchManifest,
    BenchMetadata,
    BenchRun,
    UnansweredRecord,
)
from sea_bench.run.runner import run_cases, store_missing, unanswered_cases, undescribed_cases
from sea_bench.select import CaseFilter, Selection, select_cases, set_digest
from sea_core import __version__
from sea_core.model.checkpoint import fingerprint
from sea_core.model.proof import check_seam
from sea_core.pipeline.inputs import ModelTarget
from sea_core.pipeline.manifests import model_identity, model_location
from sea_core.pipeline.progress import SILENT, Progress

if TYPE_CHECKING:
    from sea_core.model.mllm import MLLM


@dataclass(frozen=True)
class RunResult:
    """A run, and what became of the selected cases.

    Attributes:
        run: the run folder, which may contain other cases too.
        answered: the records of the cases with an answer. unanswered: those of the cases that could not be asked.
        described: of how many of them the model was also asked what the medium shows.
    """

    run: BenchRun
    answered: tuple[AnsweredRecord, ...]
    unanswered: tuple[UnansweredRecord, ...]
    described: int

    def counts(self) -> dict[str, int]:
        """Return the number of cases by what became of them."""
        status = [record["status"] for record in self.unanswered]
        return {
            "cases": len(self.answered) + len(self.unanswered),
            "answered": len(self.answered),
            "missing": status.count("missing"),
            "unreadable": status.count("unreadable"),
            "truncated": sum(record["truncated"] for record in self.answered),
            "described": self.described,
        }


def run_benchmark(
    cases: Path | str,
    model: ModelTarget | str,
    *,
    out: Path | str,
    lora: Path | str | None = None,
    defence: Defence | str | None = None,
    wanted: CaseFilter | None = None,
    config: AnswerConfig | None = None,
    progress: Progress = SILENT,
    load: Callable[[], MLLM] | None = None,
) -> RunResult:
    """Put a benchmark's cases to a model, greedily, and store every answer. Nothing is judged yet.

    Calling again with the same arguments resumes a run that was stopped. More cases may follow in the same folder.

    Args:
        cases: a benchmark folder; the set of the model's modality is used.
        model: the model, or a plugin's name for its own model.
        out: the run folder.
        lora: a LoRA adapter to put on the model, as `sea align` writes it.
        defence: a defence, or the name of one, to put around the model (sea_bench/defences).
        wanted: which cases to take; default: all, with their own media.
        config: how answers are generated.
        load: returns the loaded model, where several runs share it; without it, each loads its own.

    Raises:
        DataError: the benchmark has no such cases.
        PluginError, ModelError: the model or the LoRA adapter cannot be used.
        RunError: `out` contains a run with different settings, or other files.
        SeaError: the model ignores its media, or the defence cannot be used with it.
    """
    target, config = ModelTarget.of(model), config or AnswerConfig()
    defence = known_defences().get(defence) if isinstance(defence, str) else defence
    folder, lora = Path(cases), Path(lora) if lora else None
    selection = select_cases(read_benchmark(folder, target.adapter.modality), wanted or CaseFilter())
    if lora:
        check_lora_folder(lora)
        require_base(lora, target.checkpoint, target.fingerprint())
    run = BenchRun.start(Path(out), _manifest(folder, target, lora, defence, config, selection))
    with run.writing():
        store_missing(run, selection.missing)
        load = load or partial(load_model, target, lora, progress)
        _answer_remaining(run, target, load, defence, config, selection, progress)
    return _result(run, selection)


def find_lora(folder: Path) -> Path:
    """Return the LoRA adapter in a folder of `sea align`; the folder itself if it is one.

    Raises:
        ModelError: there is none.
    """
    inner = folder / "adapter"
    lora = inner if (inner / FILES[0]).is_file() else folder
    check_lora_folder(lora)
    return lora


def on_base(target: ModelTarget, lora: Path) -> ModelTarget:
    """Return the target with the model that a LoRA adapter was trained on, where the user has named none.

    Raises:
        ModelError: it is not a LoRA adapter, or its model is not found.
    """
    check_lora_folder(lora)
    return replace(target, checkpoint=find_base(lora, target.checkpoint))


def _manifest(
    cases: Path,
    target: ModelTarget,
    lora: Path | None,
    defence: Defence | None,
    config: AnswerConfig,
    selection: Selection,
) -> BenchManifest:
    return BenchManifest(
        identity=BenchIdentity(
            modality=target.adapter.modality,
            sea=__version__,
            cases=set_digest(cases, target.adapter.modality),
            model=model_identity(target),
            lora=fingerprint(str(lora), None) if lora else None,
            defence=defence.identity() if defence else None,
            generation=config.identity(),
        ),
        metadata=BenchMetadata(
            benchmark=str(cases),
            cases=len(selection),
            model=model_location(target),
            lora=str(lora) if lora else None,
        ),
    )


def _answer_remaining(
    run: BenchRun,
    target: ModelTarget,
    load: Callable[[], MLLM],
    defence: Defence | None,
    config: AnswerConfig,
    selection: Selection,
    progress: Progress,
) -> None:
    """Answer the cases that have no answer, and ask what media show. The model is loaded only if there are any."""
    undescribed = undescribed_cases(run, selection) if config.comprehension else []
    wanted = {case.key for case in [*unanswered_cases(run, selection), *undescribed]}
    todo = [case for case in selection.cases if case.key in wanted]
    if not todo:
        return
    model = LocalAnsweringModel(load(), config.batch_size)
    device = target.device_name()
    found = run.manifest.preflight
    if found is None or found.device != device:
        run.set_preflight(preflight(model, selection.cases, config, device))
    model.batch_size = min(model.batch_size, choose_batch_size(config, run.manifest.preflight))
    if model.batch_size == 1 != config.batch_size:
        progress.note("each case is answered alone: batching changes answers (-o keep_batches=true allows it)")
    defended = _defend(model, defence, run, progress)
    with progress.track("answer", len(selection.cases), len(selection.cases) - len(todo)) as tracker:
        answering = run_cases(defended, run, todo, max_new_tokens=config.max_new_tokens, undescribed=undescribed)
        for count in answering:
            tracker.advance(count)


def _defend(model: AnsweringModel, defence: Defence | None, run: BenchRun, progress: Progress) -> AnsweringModel:
    """Return the model with its defence, if there is one, and store what the defence has chosen."""
    if defence is None:
        return model
    defended = defence.protect(model, DefenceContext(run.folder, progress))
    if defended.resolved != run.manifest.defence:
        run.set_defence(defended.resolved)
    return defended


def load_model(target: ModelTarget, lora: Path | None, progress: Progress = SILENT) -> MLLM:
    """Load a model, put a LoRA adapter on it, and run the self-check. What the model cannot do is noted first."""
    target.note_limits(progress)
    mllm = target.load()
    if lora:
        mllm = with_lora(mllm, lora)
    check_seam(mllm)
    return mllm


def _result(run: BenchRun, selection: Selection) -> RunResult:
    records = run.answer_records()
    keys = [case.key for case in selection.cases] + [missing.case.key for missing in selection.missing]
    selected = [records[key] for key in keys if key in records]
    return RunResult(
        run,
        answered=tuple(record for record in selected if record["status"] == "answered"),
        unanswered=tuple(record for record in selected if record["status"] != "answered"),
        described=len(run.comprehension_records().keys() & set(keys)),
    )

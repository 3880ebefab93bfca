"""`sea bench run` from Python: put a benchmark's cases to a model, and store the answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from sea_bench.dataset import read_benchmark
from sea_bench.defences.base import Defence
from sea_bench.defences.registry import known_defences
from sea_bench.pipeline.answer_source import AnswerSource, find_source
from sea_bench.pipeline.answer_work import answer_cases, shared_settings
from sea_bench.run.answering import Failure
from sea_bench.run.config import AnswerConfig
from sea_bench.run.records import AnsweredRecord, UnansweredRecord
from sea_bench.run.run_folder import BenchIdentity, BenchManifest, BenchMetadata, BenchRun
from sea_bench.run.runner import store_missing
from sea_bench.run.served import ServedTarget
from sea_bench.select import CaseFilter, Selection, select_cases, set_digest
from sea_core import __version__
from sea_core.errors import SeaError
from sea_core.pipeline.model_target import ModelTarget
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
        left: how many selected cases have no record: they are left for workers.
    """

    run: BenchRun
    answered: tuple[AnsweredRecord, ...]
    unanswered: tuple[UnansweredRecord, ...]
    described: int
    left: int

    def counts(self) -> dict[str, int]:
        """Return the number of cases by what became of them."""
        status = [record["status"] for record in self.unanswered]
        return {
            "cases": len(self.answered) + len(self.unanswered) + self.left,
            "answered": len(self.answered),
            "missing": status.count("missing"),
            **{name: status.count(name) for name in get_args(Failure)},
            "left": self.left,
            "truncated": sum(record["truncated"] for record in self.answered),
            "described": self.described,
        }


def run_benchmark(
    cases: Path | str,
    model: ModelTarget | ServedTarget | str,
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
        model: the model, here or on a server; or a plugin's name for its own model.
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
        SeaError: the model ignores its media, the server cannot be used, or the defence cannot be used with the model.
    """
    plan = plan_run(cases, model, lora=lora, defence=defence, wanted=wanted, config=config, load=load)
    run = BenchRun.start(Path(out), plan.manifest, progress.note)
    with run.writing():
        store_missing(run, plan.selection.missing)
        answer_cases(run, plan, progress)
    return _result(run, plan.selection)


@dataclass(frozen=True)
class RunPlan:
    """What a run will do. Nothing is written, and no model is loaded.

    Attributes:
        source: of the answers. wanted: which cases were selected.
        manifest: that the run's folder will have, or has.
    """

    source: AnswerSource
    defence: Defence | None
    wanted: CaseFilter
    selection: Selection
    config: AnswerConfig
    manifest: BenchManifest


def plan_run(
    cases: Path | str,
    model: ModelTarget | ServedTarget | str,
    *,
    lora: Path | str | None = None,
    defence: Defence | str | None = None,
    wanted: CaseFilter | None = None,
    config: AnswerConfig | None = None,
    load: Callable[[], MLLM] | None = None,
) -> RunPlan:
    """Find out what `run_benchmark` will do with the same arguments. Raises what it raises before it loads a model."""
    folder, config = Path(cases), config or AnswerConfig()
    defence = known_defences().get(defence) if isinstance(defence, str) else defence
    if defence and defence.needs_weights and isinstance(model, ServedTarget):
        raise SeaError(
            f"the defence {defence.name} needs the model's weights, which are out of reach on a server",
            hint=f"Leave --defence {defence.name} out, or run the model on this machine with --plugin.",
        )
    if defence and config.workers != 1:
        shared_settings(defence)
    source = find_source(model, Path(lora) if lora else None, load)
    wanted = wanted or CaseFilter()
    selection = select_cases(read_benchmark(folder, source.modality), wanted)
    manifest = _manifest(folder, source, defence, config, selection)
    return RunPlan(source, defence, wanted, selection, config, manifest)


def require_workers(config: AnswerConfig | None, command: str) -> None:
    """Raise SeaError for `workers=0`, with which a command that needs the answers would go on without them."""
    if config and config.workers == 0:
        raise SeaError(
            f"{command} needs the answers, and workers=0 leaves them to processes that join later",
            hint="Set workers to 1, to a number of processes, or to auto: -o workers=auto. To prepare a run for "
            "`sea worker`: sea bench run ... -o workers=0",
        )


def _manifest(
    cases: Path, source: AnswerSource, defence: Defence | None, config: AnswerConfig, selection: Selection
) -> BenchManifest:
    return BenchManifest(
        identity=BenchIdentity(
            modality=source.modality,
            sea=__version__,
            cases=set_digest(cases, source.modality),
            defence=defence.identity() if defence else None,
            generation=config.identity(),
            **source.identity(),
        ),
        metadata=BenchMetadata(benchmark=str(cases), cases=len(selection), **source.metadata()),
    )


def _result(run: BenchRun, selection: Selection) -> RunResult:
    records = run.answer_records()
    keys = [case.key for case in selection.cases] + [missing.case.key for missing in selection.missing]
    selected = [records[key] for key in keys if key in records]
    return RunResult(
        run,
        answered=tuple(record for record in selected if record["status"] == "answered"),
        unanswered=tuple(record for record in selected if record["status"] != "answered"),
        described=len(run.comprehension_records().keys() & set(keys)),
        left=len(keys) - len(selected),
    )

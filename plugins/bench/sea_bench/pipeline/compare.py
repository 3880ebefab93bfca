"""`sea bench compare` from Python: the same cases on a model and on the same model with each of several defences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sea_bench.defences.base import Defence
from sea_bench.defences.registry import known_defences
from sea_bench.pipeline.answer_source import load_model
from sea_bench.pipeline.answer_work import require_shared
from sea_bench.pipeline.judge import judge_run, open_bench_judges
from sea_bench.pipeline.report import Report, report_runs
from sea_bench.pipeline.run import RunResult, plan_run, require_workers, run_benchmark
from sea_bench.report.comparison import ArmMetrics, comparison_table, measure_arms
from sea_bench.report.render import TextTable
from sea_bench.run.config import AnswerConfig
from sea_bench.run.local import LocalAnsweringModel
from sea_bench.run.lora_folder import find_lora
from sea_bench.run.run_folder import BenchRun
from sea_bench.run.served import ServedTarget
from sea_bench.select import CaseFilter
from sea_core.errors import RunError, SeaError
from sea_core.judges.base import Judge, JudgeConfig
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.runs.containment import is_file_name

if TYPE_CHECKING:
    from sea_core.model.mllm import MLLM

PLAIN = "plain"
"""The arm of the model as it is, with which every other one is compared."""


@dataclass(frozen=True)
class Arm:
    """One way to answer the cases: the model with a defence, with a LoRA adapter, or with neither."""

    name: str
    defence: Defence | None = None
    lora: Path | None = None


@dataclass(frozen=True)
class Comparison:
    """The runs of all arms, with their metrics.

    Attributes:
        runs: the run of each arm, the plain model's first.
        report: what `sea bench report` says of these runs.
        arms: the metrics of each arm, by judge and task.
    """

    runs: tuple[RunResult, ...]
    report: Report
    arms: tuple[ArmMetrics, ...]

    def text_table(self, *, by_task: bool = False) -> TextTable:
        """Return the one table of the comparison (see `comparison_table`)."""
        return comparison_table(self.arms, by_task=by_task)

    def notes(self) -> list[str]:
        """Return in sentences what the table leaves out, and which judge rates its own work."""
        judges = {arm.judge for arm in self.arms}
        guards = {result.run.label: (result.run.manifest.identity.defence or {}).get("judge") for result in self.runs}
        own = [
            f"{name}: its defence uses the judge {judge}, which rates it as well: choose another judge"
            for name, judge in guards.items()
            if judge in judges
        ]
        return [*own, *self.report.notes()]

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as `sea bench compare --json` prints it."""
        runs = [asdict(gaps.summary) | {"unrated": gaps.unrated} for gaps in self.report.runs]
        return {"runs": runs, "arms": [asdict(arm) for arm in self.arms]}


def compare(
    cases: Path | str,
    model: ModelTarget | ServedTarget | str,
    *,
    out: Path | str,
    defences: Sequence[Defence | str] = (),
    loras: Mapping[str, Path] | None = None,
    judges: Sequence[str | Judge] = (),
    comprehension: Sequence[str | Judge] = (),
    wanted: CaseFilter | None = None,
    config: AnswerConfig | None = None,
    judge_config: JudgeConfig | None = None,
    progress: Progress = SILENT,
) -> Comparison:
    """Put the same cases to a model as it is, and with each defence and each LoRA adapter, and judge all answers alike.

    Calling again with the same arguments resumes; with more arms it adds them.

    Args:
        out: the folder of the comparison; each arm is an ordinary benchmark run in it.
        defences: names, or defences with settings.
        loras: folders of `sea align`, or LoRA adapters, by the name of the arm.
        judges, comprehension: as `judge_run` takes them. cases, model, wanted, config: as `run_benchmark` does.

    Raises:
        RunError: an arm's folder contains a run with different settings, or other files.
        SeaError: two arms have one name, a setting is missing, `workers` is 0, or a defence cannot be used with this
            model.
    """
    require_workers(config, "sea bench compare")
    folder, target = Path(out), model if isinstance(model, ServedTarget) else ModelTarget.of(model)
    arms = _arms(defences, loras or {})
    _require_ready(cases, target, folder, arms, wanted, config)
    (_, *of_answers), (_, *of_content) = open_bench_judges(  # the first of each runs in any case
        judges, comprehension, judge_config or JudgeConfig(), folder
    )
    load = None if isinstance(target, ServedTarget) else cache(partial(_load_for_all, target, arms, progress))
    results = []
    for arm in arms:
        progress.note(f"arm {arm.name}")
        if arm.lora:
            load = None  # it is loaded again, with the adapter: two models may not fit into memory
        results.append(
            run_benchmark(
                cases,
                target,
                out=folder / arm.name,
                lora=arm.lora,
                defence=arm.defence,
                wanted=wanted,
                config=config,
                progress=progress,
                load=load,
            )
        )
    load = None  # judges need the memory
    for result in results:
        judge_run(result.run, of_answers, comprehension=of_content, progress=progress)
    runs = [result.run for result in results]
    report = report_runs(runs)
    return Comparison(tuple(results), report, tuple(measure_arms(runs, [arm.name for arm in arms], report.tables)))


def _arms(defences: Sequence[Defence | str], loras: Mapping[str, Path]) -> list[Arm]:
    known = known_defences()
    opened = [known.get(each) if isinstance(each, str) else each for each in defences]
    arms = [
        Arm(PLAIN),
        *(Arm(each.name, defence=each) for each in opened),
        *(Arm(name, lora=find_lora(folder)) for name, folder in loras.items()),
    ]
    names = [arm.name for arm in arms]
    for name in names:
        if not is_file_name(name):
            raise SeaError(
                f"the arm {name!r} cannot be the name of a folder", hint="Type for example: --arm sea=FOLDER"
            )
        if names.count(name) > 1:
            raise SeaError(f"two arms are called {name!r}", hint="Give each arm its own name: --arm NAME=FOLDER")
    return arms


def _require_ready(
    cases: Path | str,
    target: ModelTarget | ServedTarget,
    folder: Path,
    arms: Sequence[Arm],
    wanted: CaseFilter | None,
    config: AnswerConfig | None,
) -> None:
    """Check what every arm needs, and that its folder can be resumed, before the first one starts."""
    if (folder / BenchRun.MANIFEST_NAME).exists():
        raise RunError(f"{folder} is a benchmark run, not a folder of arms", hint="Pass a new folder with --out.")
    for arm in arms:
        plan = plan_run(cases, target, lora=arm.lora, defence=arm.defence, wanted=wanted, config=config)
        if arm.defence and isinstance(target, ModelTarget):
            require_shared(arm.defence, plan.config, target)
        BenchRun.check_start(folder / arm.name, plan.manifest)


def _load_for_all(target: ModelTarget, arms: Sequence[Arm], progress: Progress) -> MLLM:
    """Load the model, and check that every defence can be used with it before any arm is answered."""
    mllm = load_model(target, None, progress)
    for arm in arms:
        if arm.defence:
            arm.defence.check_model(LocalAnsweringModel(mllm))
    return mllm

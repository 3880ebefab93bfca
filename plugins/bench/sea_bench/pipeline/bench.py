"""The whole evaluation in one call: run a benchmark, judge the answers, compute the metrics.

Heavy modules are imported in the functions, because `sea_core` imports this module to list the functions of plugins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.pipeline.progress import SILENT, Progress

if TYPE_CHECKING:
    from sea_bench.defences.base import Defence
    from sea_bench.pipeline.report import Report
    from sea_bench.report.metrics import Metric, MetricName
    from sea_bench.run.config import AnswerConfig
    from sea_bench.run.run_folder import BenchRun
    from sea_bench.run.served import ServedTarget
    from sea_bench.select import CaseFilter
    from sea_core.judges.base import Judge, JudgeConfig
    from sea_core.pipeline.model_target import ModelTarget


@dataclass(frozen=True, slots=True)
class TaskMetrics:
    """The metrics of one task by one judge.

    Attributes:
        judge: its name.
        measure: `asr`, or `refusal` for the refusal rate.
        task: under which the cases are counted, such as `KPT` or `KPT, blank`.
        mean: the plain mean over scenarios, as in the paper.
        all_cases: of all cases, counted together.
        over_refusal: the refusal rate of all cases of the benign twin; None without a benign twin.
        understood: the metric of the cases whose medium the model understands; None where that was not asked.
        is_understood: whether the model understands the task; if not, its metrics say nothing. None if unknown.
    """

    judge: str
    measure: MetricName
    task: str
    mean: Metric | None
    all_cases: Metric | None
    over_refusal: Metric | None
    understood: Metric | None
    is_understood: bool | None


@dataclass(frozen=True)
class BenchResult:
    """A benchmark run with its metrics.

    Attributes:
        run: the run folder, with answers and verdicts.
        report: the metrics by scenario, with what they leave out.
        metrics: one entry for each judge, measure and task.
    """

    run: BenchRun
    report: Report
    metrics: tuple[TaskMetrics, ...]


def bench(
    cases: Path | str,
    plugin: ModelTarget | ServedTarget | str,
    *,
    out: Path | str,
    modality: str | None = None,
    model: str | None = None,
    lora: Path | str | None = None,
    defence: Defence | str | None = None,
    judges: Sequence[str | Judge] = (),
    wanted: CaseFilter | None = None,
    config: AnswerConfig | None = None,
    judge_config: JudgeConfig | None = None,
    progress: Progress = SILENT,
) -> BenchResult:
    """Put a benchmark's cases to a model, judge the answers, and return the metrics.

    The refusal judge always runs. Calling again with the same arguments resumes a run that was stopped; only answers
    without a verdict are judged.

    Args:
        cases: a benchmark folder (`sea bench build`, or a published one).
        plugin: a plugin's name, or the path of a .py file; or a `ModelTarget`, which contains modality and model; or a
            `ServedTarget`, a model on a server.
        out: the run folder.
        modality: which of the plugin's modalities, if it has several.
        model: a model folder or a hub id; default: the model that `lora` was trained on, or the plugin's own model.
        lora: a LoRA adapter to put on the model.
        defence: a defence, or the name of one, to put around the model.
        judges: names of further judges (guard, openai, transformers, or a plugin's), or judges of your own.
        wanted: which cases to take; default: all, with their own media.
        config: how answers are generated. judge_config: the models of the judges.

    Raises:
        DataError: the benchmark has no such cases.
        PluginError, ModelError: the model or the LoRA adapter cannot be used.
        RunError: `out` contains a run with different settings, or other files.
        SeaError: the model ignores its media, a server or a judge cannot work, or `workers` is 0.

    Example:
        >>> result = sea_core.bench("cases", "llava", out="runs/before")
        >>> for metric in result.metrics:
        ...     print(metric.judge, metric.measure, metric.task, metric.all_cases, metric.over_refusal)
    """
    from sea_bench.pipeline.judge import judge_run
    from sea_bench.pipeline.report import report_runs
    from sea_bench.pipeline.run import require_workers, run_benchmark
    from sea_bench.run.base_model import on_base
    from sea_core.pipeline.model_target import ModelTarget

    require_workers(config, "bench")
    target: ModelTarget | ServedTarget
    if isinstance(plugin, str):
        found = ModelTarget.find(plugin, modality=modality, model=model)
        target = on_base(found, Path(lora)) if lora and model is None else found
    else:
        target = plugin
    result = run_benchmark(
        cases, target, out=out, lora=lora, defence=defence, wanted=wanted, config=config, progress=progress
    )
    judge_run(result.run, judges, config=judge_config, progress=progress)
    report = report_runs([result.run])
    return BenchResult(result.run, report, tuple(_task_metrics(report)))


def _task_metrics(report: Report) -> Iterator[TaskMetrics]:
    """Yield the metrics of each task, from the report of one run."""
    from sea_bench.case import ALL, MEAN

    comprehension = {each.task: each for each in report.comprehension if not each.benign}
    for table in report.tables:
        rows = {(row.task, row.scenario): row for row in table.rows}
        for task in dict.fromkeys(row.task for row in table.rows):
            (mean,), pooled, known = rows[task, MEAN].metrics, rows[task, ALL], comprehension.get(task)
            yield TaskMetrics(
                judge=table.judge,
                measure=table.measure,
                task=task,
                mean=mean,
                all_cases=pooled.metrics[0],
                over_refusal=pooled.over_refusal[0],
                understood=known.metric(table.judge, table.measure) if known else None,
                is_understood=known.is_understood if known else None,
            )

"""How `sea worker RUN` takes part in a run of `sea bench run`, and in judging it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from sea_bench.run.config import AnswerConfig
from sea_bench.run.run_folder import BenchRun
from sea_core.config import override
from sea_core.errors import RunError
from sea_core.pipeline.shared_work import SharedCommand, SharedOrder, WorkerOptions
from sea_core.runs.block import HINT as CUT_HINT
from sea_core.runs.block_folder import BLOCKS, JUDGE_BLOCKS
from sea_core.runs.manifest import normalise, require_same_identity
from sea_core.schema import parse_json

if TYPE_CHECKING:
    from sea_bench.defences.base import Defence
    from sea_bench.pipeline.answer_work import AnswerWork, DefenceOptions
    from sea_core.pipeline.judge_work import JudgeWork


def open_answer_work(folder: Path, order: SharedOrder, options: WorkerOptions) -> AnswerWork:
    """Return the cases of a run as work for this process.

    Raises:
        RunError: this process would answer them otherwise: with another model, version, benchmark or defence.
    """
    from sea_bench.pipeline.answer_work import AnswerOptions, AnswerWork
    from sea_bench.pipeline.run import plan_run
    from sea_core.pipeline.join import HINT
    from sea_core.pipeline.model_target import ModelTarget
    from sea_core.pipeline.worker_process import own_device

    run = BenchRun(folder)
    what, where = "what the workers of a benchmark run are to do", str(folder)
    stored = parse_json(json.dumps(order.options), AnswerOptions, what=what, hint=CUT_HINT, where=where, error=RunError)
    device = own_device(options.device)
    target = ModelTarget.of_run(
        run, plugin=options.plugin, model=options.model, device=device, progress=options.progress
    )
    plan = plan_run(
        stored.benchmark,
        target,
        lora=stored.lora,
        defence=_find_defence(stored.defence) if stored.defence else None,
        wanted=stored.wanted,
        config=override(AnswerConfig(), stored.config)[0],
    )
    require_same_identity(folder, run.manifest.identity, normalise(plan.manifest).identity, hint=HINT)
    return AnswerWork(run, target, plan, options.progress)


def open_judge_work(folder: Path, order: SharedOrder, options: WorkerOptions) -> JudgeWork[BenchRun]:
    """Return the answers of a run as work for this process. Raises RunError where it was not given the judges."""
    from sea_bench.pipeline.judge import BenchJudgeWork
    from sea_bench.run.score import BenchAnswers, ComprehensionAnswers
    from sea_core.pipeline.judge_work import Judging, judge_batch_size, open_named_judges, read_judge_options

    stored = read_judge_options(folder, order)
    judges = open_named_judges(folder, stored, options)
    judgings = [
        Judging[BenchRun](judge, ComprehensionAnswers if judge.measures == "content" else BenchAnswers)
        for judge in judges
    ]
    size = judge_batch_size(stored.judges, options.judge_config)
    return BenchJudgeWork(BenchRun(folder), judgings, batch_size=size)


def _find_defence(stored: DefenceOptions) -> Defence:
    """Return the defence of a run with its settings. Raises SeaError if it is not installed, or not for workers."""
    from sea_bench.defences.base import settings_prefix
    from sea_bench.defences.registry import known_defences
    from sea_bench.pipeline.answer_work import shared_settings

    found = known_defences().get(stored.name)
    prefix, shared = settings_prefix(found), shared_settings(found)
    given = {f"{prefix}.{name}": value for name, value in stored.settings.items() if name in shared}
    return override(found, given, prefix)[0]


RUN = SharedCommand("sea bench run", BenchRun.MANIFEST_NAME, BLOCKS, open_answer_work)
JUDGE = SharedCommand("sea bench judge", BenchRun.MANIFEST_NAME, JUDGE_BLOCKS, open_judge_work)

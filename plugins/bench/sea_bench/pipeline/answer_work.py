"""The cases that `sea bench run` puts to a model, as work that several processes may share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sea_bench.case import Case
from sea_bench.defences.base import Defence, DefenceContext
from sea_bench.run.answering import AnsweringModel
from sea_bench.run.config import AnswerConfig
from sea_bench.run.records import unanswered_record
from sea_bench.run.run_folder import BenchRun, Preflight
from sea_bench.run.runner import described_cases, has_medium, run_cases
from sea_bench.run.served import ServedTarget
from sea_bench.select import CaseFilter
from sea_core.errors import RunError, SeaError
from sea_core.pipeline.launch import WorkerCommand, count_workers
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.progress import Progress
from sea_core.pipeline.shared_work import SharedWork
from sea_core.runs.block import Block, BlockRow
from sea_core.runs.followed import FollowedLog

if TYPE_CHECKING:
    from sea_bench.pipeline.run import RunPlan


@dataclass(frozen=True)
class DefenceOptions:
    """A defence as a worker finds it again."""

    name: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class AnswerOptions:
    """What a worker needs to know besides the run's manifest.

    Attributes:
        benchmark: its folder. lora: the folder of the LoRA adapter.
        wanted: which cases were selected. config: how answers are generated.
    """

    benchmark: str
    lora: str | None
    wanted: CaseFilter
    config: Mapping[str, Any]
    defence: DefenceOptions | None


@dataclass(frozen=True)
class SettledChecks:
    """What the checks before the run have found, and what the defence has chosen, for all workers."""

    preflight: Preflight | None
    defence: Mapping[str, Any] | None


class AnswerWork(SharedWork[BenchRun]):
    """Cases to be answered. The model is opened for the first of them."""

    title = "answer"
    unit: ClassVar[str] = "cases"
    settled_type: ClassVar[type[Any]] = SettledChecks

    def __init__(self, run: BenchRun, target: ModelTarget | None, plan: RunPlan, progress: Progress) -> None:
        super().__init__(run, WorkerCommand.of(target) if target else None)
        self.plan, self.progress = plan, progress
        self.cases = {case.key: case for case in plan.selection.cases}
        self._answers, self._descriptions = FollowedLog(run.answers), FollowedLog(run.comprehension)
        self._model: AnsweringModel | None = None
        self._block: Block | None = None

    @property
    def batch_size(self) -> int:
        return self.plan.config.batch_size

    def load(self) -> None:
        self.plan.source.load_model(self.progress)

    def settle(self, run: BenchRun) -> SettledChecks:
        self._open(run)
        return SettledChecks(run.manifest.preflight, run.manifest.defence)

    def adopt(self, run: BenchRun, settled: SettledChecks) -> None:
        if settled.preflight and settled.preflight != run.manifest.preflight:
            run.set_preflight(settled.preflight)
        if settled.defence is not None and settled.defence != run.manifest.defence:
            run.set_defence(settled.defence)

    def run_in(self, block: Block) -> BenchRun:
        """Return the run with the benchmark where this process has found it: media are named relative to it.

        Of the run's own records it has those of the block's rows, so that a block costs the same in a run of any size.
        """
        run, self._block, keys = super().run_in(block), block, [(row["id"],) for row in block.rows]
        run.answers = self._answers.among(keys).continued_in(block.folder.path)
        run.comprehension = self._descriptions.among(keys).continued_in(block.folder.path)
        metadata = replace(run.manifest.metadata, benchmark=self.plan.manifest.metadata.benchmark)
        run.manifest = replace(run.manifest, metadata=metadata)
        return run

    def left(self, run: BenchRun, rows: Sequence[BlockRow]) -> list[BlockRow]:
        """Return the rows without an answer or a description, by the run's records alone.

        What this process sees of the benchmark does not count: a case that it lacks is left for another one.
        """
        answered, undescribed = run.answered_records(), self._undescribed(run, rows)
        return [row for row in rows if row["id"] not in answered or row["id"] in undescribed]

    def do(self, run: BenchRun, rows: Sequence[BlockRow]) -> Iterator[int]:
        cases, keys = [self._case(row) for row in rows], self._undescribed(run, rows)
        undescribed = [case for case in cases if case.key in keys]
        length = self.plan.config.max_new_tokens
        yield from run_cases(self._open(run), run, cases, max_new_tokens=length, undescribed=undescribed)

    def give_up(self, run: BenchRun, row: BlockRow, reason: str) -> None:
        if row["id"] not in run.answered_records():  # else only its description is given up
            run.answers.append([unanswered_record(self._case(row), "failed", reason)])

    def _case(self, row: BlockRow) -> Case:
        """Return the case of a row. Raises RunError if this process does not see it, or its medium."""
        key = row["id"]
        if key in self.cases:
            return self.cases[key]
        missing = {each.case.key: each.reason for each in self.plan.selection.missing}
        folder = self.plan.manifest.metadata.benchmark
        raise RunError(
            f"this worker cannot answer the case {key}: {missing.get(key, 'the benchmark does not have it here')}",
            hint=f"Make {folder} the same here as where the command was typed, with all media, and start the worker "
            f"again; the others go on. Or re-run the command with the benchmark as it is: sea bench run ...",
            where=folder,
        )

    def _undescribed(self, run: BenchRun, rows: Sequence[BlockRow]) -> set[str]:
        """Return the ids of the rows of whose medium the model is still to be asked what it shows."""
        described = run.comprehension_records()
        return {row["id"] for row in rows if row["value"].get("describe") and row["id"] not in described}

    def _open(self, run: BenchRun) -> AnsweringModel:
        """Return the model with its defence, if there is one, and store what the defence has chosen."""
        if self._model is None:
            plan = self.plan
            model = plan.source.open(run, plan.selection.cases, plan.config, self.progress)
            if plan.defence is not None:
                plan.defence.check_model(model)
                model = defended = plan.defence.protect(model, self._context(run))
                if defended.resolved != run.manifest.defence:
                    run.set_defence(defended.resolved)
            self._model = model
        return self._model

    def _context(self, run: BenchRun) -> DefenceContext:
        block = self._block if run.is_in_block else None
        return DefenceContext(run.folder, self.progress, run.manifest.identity_digest(), block)


def answer_cases(run: BenchRun, plan: RunPlan, progress: Progress) -> None:
    """Answer the cases that have no answer, and ask what media show. The model is opened only if there are any.

    Raises:
        SeaError: several processes were asked for, and the model is on a server.
    """
    target = plan.source.target
    if isinstance(target, ServedTarget):
        if plan.config.workers != 1:
            hint = "It is asked by several threads: -o server.concurrency=16"
            raise SeaError("a model on a server needs no workers on this machine", hint=hint)
        count, local = 1, None
    else:
        count, local = count_workers(plan.config.workers, target.device), target
    cases = sorted(plan.selection.cases, key=has_medium)  # those that share batches beside each other
    described = {case.key for case in described_cases(plan.selection)} if plan.config.comprehension else set()
    rows: list[BlockRow] = [{"id": case.key, "value": {"describe": case.key in described}} for case in cases]
    AnswerWork(run, local, plan, progress).do_all(rows, _options(plan) if count != 1 else {}, count, progress)


def _options(plan: RunPlan) -> dict[str, Any]:
    metadata = plan.manifest.metadata
    options = AnswerOptions(
        benchmark=str(Path(metadata.benchmark).absolute()),
        lora=str(Path(metadata.lora).absolute()) if metadata.lora else None,
        wanted=plan.wanted,
        config=asdict(plan.config),
        defence=_defence_options(plan.defence) if plan.defence else None,
    )
    found: dict[str, Any] = json.loads(json.dumps(asdict(options), default=lambda path: str(path.absolute())))
    return found


def require_shared(defence: Defence, config: AnswerConfig, target: ModelTarget) -> None:
    """Raise SeaError where several processes are to answer with a defence that is for one."""
    if count_workers(config.workers, target.device) != 1:
        shared_settings(defence)


def _defence_options(defence: Defence) -> DefenceOptions:
    return DefenceOptions(defence.name, {name: getattr(defence, name) for name in shared_settings(defence)})


def shared_settings(defence: Defence) -> tuple[str, ...]:
    """Return the settings of a defence that a run may hand to its workers.

    Raises:
        SeaError: only one process may answer with it.
    """
    if defence.shared_settings is None:
        raise SeaError(
            f"the defence {defence.name} is for one process: workers take no server, key or model from a run, and it "
            "names no settings that they may take",
            hint="Run it with one process: sea bench run ... -o workers=1",
        )
    return defence.shared_settings

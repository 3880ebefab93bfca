"""`sea optimize` from Python: prepare, optimise, audit and verify, into a run folder that can be resumed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.extraction.prepare import Preparation
from sea_core.model.checkpoint import read_card
from sea_core.optimization.audit import audit, sample_limit, unaudited
from sea_core.optimization.lr_search import EXAMPLES
from sea_core.optimization.recipes.expand import expand
from sea_core.optimization.record import make_skipped_record
from sea_core.optimization.solved_start import first_examples
from sea_core.pipeline.data_spec import DataSpec
from sea_core.pipeline.extraction import ExtractorSession
from sea_core.pipeline.launch import WorkerCommand, WorkerPool, count_workers, launch
from sea_core.pipeline.manifests import model_identity, model_location
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.optimize_worker import OptimizeWorker
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.pipeline.synthesis import Synthesis
from sea_core.pipeline.verify import ask_and_judge
from sea_core.pipeline.work_order import WorkOrder, make_rows
from sea_core.runs.blocks import FINISHER, ORDER, Blocks, Finisher
from sea_core.runs.embedding_run import (
    EmbeddingIdentity,
    EmbeddingManifest,
    EmbeddingMetadata,
    EmbeddingRun,
)
from sea_core.runs.manifest import DataIdentity
from sea_core.runs.store import Store
from sea_core.runs.workers import Worker

if TYPE_CHECKING:
    from sea_core.data.examples import PreparedExample
    from sea_core.data.result import ReadResult
    from sea_core.model.mllm import MLLM


@dataclass(frozen=True)
class PendingRun:
    """A run that is ready to be optimised.

    Attributes:
        read: the examples of the text safety set. preparation: what became of them.
        todo: one prepared example for each embedding, recipes and draws expanded.
    """

    read: ReadResult
    preparation: Preparation
    todo: Sequence[PreparedExample]


def optimize(
    data: DataSpec | Path | str | None,
    model: ModelTarget | str,
    *,
    out: Path | str,
    synthesis: Synthesis | None = None,
    verify: bool = True,
    progress: Progress = SILENT,
) -> EmbeddingRun:
    """Make a synthetic embedding for each example of a text safety set, and verify them.

    The run folder is what `sea show`, `sea verify` and `sea align` take. Calling again with the same arguments resumes
    a run that was stopped.

    Args:
        data: the text safety set; None for the bundled demo examples.
        model: the model, or a plugin's name for its own model.
        out: the run folder.
        synthesis: how embeddings are made; the defaults are those of `sea optimize`.
        verify: ask held-out questions about the embeddings afterwards (VSR).

    Raises:
        DataError: the set cannot be read.
        PluginError, ModelError: the model cannot be used.
        RunError: `out` holds a run with different settings, or something else.
    """
    synthesis = synthesis or Synthesis()
    run, _ = optimize_into(DataSpec.of(data), ModelTarget.of(model), Path(out), synthesis, verify, progress)
    return run


def optimize_into(
    data: DataSpec, target: ModelTarget, folder: Path, synthesis: Synthesis, verify: bool, progress: Progress
) -> tuple[EmbeddingRun, Preparation]:
    """Do what `optimize` does; return the preparation too, whose skipped examples the command line lists."""
    target.note_limits(progress)
    _ = synthesis.wanted  # a wrong recipe or media folder is reported before a language model is asked for phrases
    session = ExtractorSession.open(synthesis.extractor, synthesis.llm, folder, progress, target.adapter.language)
    _require_same_settings(folder, data, target, synthesis, session)
    workers = count_workers(synthesis.config.workers, target.device)
    with _waiting_workers(folder, target, synthesis, workers, progress) as pool:
        plan = prepare_run(data, target, synthesis, session, progress)
        session.note_usage(progress)
        run = EmbeddingRun.start(folder, make_manifest(data, target, synthesis, session, plan), progress.note)
        with run.writing(makes_embeddings=True):
            run.write_skipped(map(make_skipped_record, plan.preparation.skipped))
            order = make_order(run.manifest.identity_digest(), synthesis, plan, verify, workers)
            writer = _Writer(run, target, synthesis, order, progress, pool)
            writer.make_embeddings(plan.todo)
            if workers:
                finish(run, target, writer.mllm, verify, progress)
    return run, plan.preparation


@contextmanager
def _waiting_workers(
    folder: Path, target: ModelTarget, synthesis: Synthesis, workers: int, progress: Progress
) -> Iterator[WorkerPool | None]:
    """Start the workers of a new run, to import libraries while its rows are prepared.

    Yields None where they are to be started later: a language model may take hours to prepare rows, and an earlier run
    may lack no row.
    """
    if workers > 1 and synthesis.extractor == "rules" and not folder.exists():
        with WorkerPool(Blocks(folder), WorkerCommand.of(target), workers, progress).started() as pool:
            yield pool
    else:
        yield None


def _require_same_settings(
    folder: Path, data: DataSpec, target: ModelTarget, synthesis: Synthesis, session: ExtractorSession
) -> None:
    """Raise RunError, before the data are read, where the folder's run has another model or other settings."""
    if (folder / EmbeddingRun.MANIFEST_NAME).is_file():
        stored = EmbeddingRun(folder, may_be_damaged=True).manifest
        identity = _make_identity(stored.identity.data, data, target, synthesis, session)
        EmbeddingRun.check_start(folder, replace(stored, identity=identity))


def prepare_run(
    data: DataSpec, target: ModelTarget, synthesis: Synthesis, session: ExtractorSession | None, progress: Progress
) -> PendingRun:
    """Read and prepare the examples, and expand recipes and draws.

    Raises:
        SeaError: with `start=solved`, there are too few examples for a start.
    """
    config, recipes = synthesis.config, synthesis.wanted
    read = data.read(progress)
    extractor = session.extractor if session else None
    preparation = data.prepare(
        read, target.adapter, seed=config.seed, benign=config.benign_examples, extractor=extractor
    )
    todo = expand(preparation.prepared, recipes, target.adapter, config.draws, config.seed, data.style_set())
    if config.start == "solved":
        first_examples(todo)
    return PendingRun(read, preparation, todo)


def make_manifest(
    data: DataSpec, target: ModelTarget, synthesis: Synthesis, session: ExtractorSession, plan: PendingRun
) -> EmbeddingManifest:
    """Return the manifest of the run that a plan makes or resumes."""
    read = DataIdentity(plan.read.digest, plan.read.format, data.columns)
    identity = _make_identity(read, data, target, synthesis, session)
    metadata = EmbeddingMetadata(
        purpose="synthetic embeddings for safety alignment (SEA)",
        model=model_location(target),
        data_path=str(data.file),
        embeddings=len(plan.todo),
        limits=read_card(target.checkpoint).get("limits", ""),
        skipped=len(plan.preparation.skipped),
        invalid=len(plan.read.invalid),
        skip_counts=plan.read.skip_counts,
        unlabelled=sum(not prepared.example.labelled for prepared in plan.preparation.prepared),
    )
    return EmbeddingManifest(identity=identity, metadata=metadata)


def _make_identity(
    read: DataIdentity, data: DataSpec, target: ModelTarget, synthesis: Synthesis, session: ExtractorSession
) -> EmbeddingIdentity:
    """Return what must be the same for a run on some data to be resumed."""
    return EmbeddingIdentity(
        sea=version("sea-core"),
        model=model_identity(target),
        data=read,
        source="text",
        extractor=session.extractor.identity(),
        styles=data.style_set(),
        **synthesis.identity(),
    )


def make_order(identity: str, synthesis: Synthesis, plan: PendingRun, verify: bool, workers: int) -> WorkOrder:
    """Return what the workers of the run with an identity, given by its digest, are to do."""
    config = synthesis.config
    first = first_examples(plan.todo) if config.start == "solved" else ()
    trials = plan.preparation.prepared[:EXAMPLES] if config.lr == "auto" else ()
    return WorkOrder(
        identity=identity,
        config=asdict(config),
        recipes=tuple(recipe.name for recipe in synthesis.wanted),
        benign_media=str(synthesis.benign_media.absolute()) if synthesis.benign_media else None,
        first=tuple(example.id for example in first),
        trials=tuple(make_rows(trials)),
        total=len(plan.todo),
        workers=workers,
        verify=verify,
        audited=sample_limit(example.id for example in plan.todo),
    )


@dataclass
class _Writer:
    """The process that writes the run: it lets workers make the embeddings, and joins what they finish.

    `pool` has workers that wait for the blocks.
    """

    run: EmbeddingRun
    target: ModelTarget
    synthesis: Synthesis
    order: WorkOrder
    progress: Progress
    pool: WorkerPool | None = None
    mllm: MLLM | None = None
    _noted: tuple[object, ...] = ()

    def make_embeddings(self, todo: Sequence[PreparedExample]) -> None:
        """Let workers make the embeddings that the run does not have."""
        blocks = self.run.blocks
        if {example.id for example in todo} <= self.run.store.ids() and blocks.delete():
            return
        with blocks.registered() as worker:
            self._place_blocks(todo, worker)
            self.join()
            while blocks.all() and self.order.workers:
                if self.order.workers == 1:
                    self._work(worker)
                else:
                    launch(
                        blocks,
                        WorkerCommand.of(self.target),
                        self.order.workers,
                        title="optimize",
                        total=self.order.total,
                        join=self.join,
                        progress=self.progress,
                        pool=self.pool,
                    )
                    self.pool = None  # its workers have ended
                self.join()  # a part that is damaged by now becomes a block again
        blocks.delete()

    def _place_blocks(self, todo: Sequence[PreparedExample], worker: Worker) -> None:
        """Store what is left to do, for all workers."""
        blocks, run = self.run.blocks, self.run
        is_settled = self.run.manifest.resolved.margin is not None  # if not, its file was damaged: all is cut anew
        covered = blocks.tidy(worker, {example.id for example in todo} if is_settled else set())
        run.store = Store(run.folder)
        done = run.store.ids()
        uncut = [example for example in todo if example.id not in covered | done]
        blocks.write(ORDER, self.order, worker)
        if self.order.workers:
            blocks.write(FINISHER, Finisher(worker.token), worker)
        self.order = blocks.read(ORDER, WorkOrder) or self.order  # as others read it
        if uncut or not done >= set(self.order.first):
            blocks.request(worker, make_rows(uncut))

    def _work(self, worker: Worker) -> None:
        working = OptimizeWorker(
            self.run, self.target, self.synthesis, self.order, worker, self.progress, self.join, self.mllm
        )
        working.work()
        self.mllm = working.mllm

    def join(self) -> None:
        """Join what workers have finished, and say how the goals are run where that takes longer."""
        self.run.join_blocks()
        settled = self.run.manifest.resolved
        if (how := (settled.forward, settled.fallback_reason, settled.compiled, settled.compile_reason)) == self._noted:
            return
        self._noted = how
        if settled.fallback_reason:
            self.progress.note(
                f"each goal runs as its own sequence, which takes about twice as long: {settled.fallback_reason}"
            )
        if settled.compiled:
            self.progress.note("the decoder's layers are compiled: one graph for all examples")
        elif settled.compile_reason:
            self.progress.note(f"the decoder's layers are not compiled: {settled.compile_reason}")


def finish(run: EmbeddingRun, target: ModelTarget, mllm: MLLM | None, verify: bool, progress: Progress) -> None:
    """Audit what workers have not: the answers that about one embedding in a hundred generates must be those that the
    steps saw. Then verify the run, if it is wanted."""
    if unaudited(run):
        mllm = mllm or target.load()
        for _ in audit(mllm, run):
            pass
    if verify:
        ask_and_judge(run, target, mllm, progress=progress)

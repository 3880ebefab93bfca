"""What a worker does with the blocks of a run of `sea optimize`, in this process or in one of many."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.errors import RunError, number_of
from sea_core.model.embedding import Embedding, load_embedding
from sea_core.model.media_folder import encode_files
from sea_core.model.proof import check_seam
from sea_core.model.text_check import require_accepted
from sea_core.optimization.audit import audit_embedding, is_in_sample
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.engine.types import OptimizationResult, failed_result
from sea_core.optimization.lr_search import GRID, search_lr
from sea_core.optimization.optimizer import Optimization
from sea_core.optimization.record import make_record
from sea_core.optimization.solved_start import mean_start
from sea_core.pipeline.block_worker import DEATHS, WAIT_SECONDS, BlockWorker, RowCounter, may_kill
from sea_core.pipeline.texts import goal_texts
from sea_core.pipeline.work_order import WorkOrder, make_rows, read_rows
from sea_core.runs import store
from sea_core.runs.block import HINT, Block, ClaimLost
from sea_core.runs.block_folder import BlockFolder
from sea_core.runs.blocks import ORDER, SETTLED, UNKNOWN_WORKERS, Blocks, block_size
from sea_core.runs.embedding_files import tensor_digest
from sea_core.runs.embedding_record import read_grid
from sea_core.runs.embedding_run import EmbeddingRun, ResolvedSettings
from sea_core.runs.store import Store
from sea_core.runs.workers import Worker

if TYPE_CHECKING:
    from sea_core.data.examples import PreparedExample
    from sea_core.model.mllm import MLLM
    from sea_core.pipeline.model_target import ModelTarget
    from sea_core.pipeline.progress import Progress
    from sea_core.pipeline.synthesis import Synthesis


@dataclass
class OptimizeWorker(BlockWorker):
    """Makes the embeddings of a run, block by block, beside any number of other workers.

    Attributes:
        worker: this process, registered.
        on_change: called when there is something for the run's writer to join.
        mllm: the model, once it is loaded.
    """

    run: EmbeddingRun
    target: ModelTarget
    synthesis: Synthesis
    order: WorkOrder
    worker: Worker
    progress: Progress
    on_change: Callable[[], None] = lambda: None
    mllm: MLLM | None = None
    _claimed: list[Block] = field(default_factory=list)
    _rows: dict[str, tuple[Block, PreparedExample]] = field(default_factory=dict)
    _optimization: Optimization | None = None

    @property
    def blocks(self) -> Blocks:
        """The blocks of the run."""
        return self.run.blocks

    def model(self) -> MLLM:
        """Return the model. The seam is proved when it is loaded."""
        if self.mllm is None:
            self.mllm = self.target.load()
            check_seam(self.mllm)
        return self.mllm

    def load(self) -> None:
        self.model()

    # --- blocks -----------------------------------------------------------------------------------------------------

    def work_on_blocks(
        self,
        make: Callable[[Sequence[PreparedExample]], Optimization] | None = None,
        wanted: Callable[[BlockFolder], bool] = lambda block: True,
    ) -> bool:
        """Claim blocks and make their embeddings, until there are none to claim; return whether there was any.

        Blocks on which workers have died come last, one row at a time, so that the row that kills is found.

        Args:
            make: makes the optimisation from the examples of the first block; by default the one that was settled on.
            wanted: which blocks.
        """
        make = make or self._join_optimization
        try:
            examples = self._claim_examples(lambda block: wanted(block) and not may_kill(block))
            if (first := next(examples, None)) is None:
                return self._work_alone(make, lambda block: wanted(block) and may_kill(block))
            self._optimise(make(first), chain([first], examples))
            return True
        finally:
            self._claimed, self._rows = [], {}  # what is not finished is given back when the worker ends

    def _claim_examples(self, wanted: Callable[[BlockFolder], bool]) -> Iterator[list[PreparedExample]]:
        """Claim one block after the other, and yield its examples that have no result yet."""
        while block := self.checked(self.blocks.claim(self.worker, wanted)):
            if may_kill(block.folder):  # as is known now that it is taken over
                block.release()
                continue
            self._claimed.append(block)
            examples = read_rows(block.left(), str(block.folder.path))
            self._rows |= {example.id: (block, example) for example in examples}
            if examples:
                yield examples
            else:
                self._finish(block)

    def _work_alone(
        self, make: Callable[[Sequence[PreparedExample]], Optimization], wanted: Callable[[BlockFolder], bool]
    ) -> bool:
        """Claim a block and make its embeddings one after the other; return whether there was one.

        A row on which workers have died gets a failed result.
        """
        if not (block := self.checked(self.blocks.claim(self.worker, wanted))):
            return False
        self._claimed.append(block)
        examples = read_rows(block.left(), str(block.folder.path))
        self._rows = {example.id: (block, example) for example in examples}
        if not examples:
            self._finish(block)
        self.load()  # first: a worker that dies in it has not died of a row
        for example in examples:
            if example.id not in self._rows:  # another worker has the block
                break
            if (deaths := block.deaths(example.id)) >= DEATHS:
                self._give_up(example.id, deaths)
                continue
            with suppress(ClaimLost):
                block.begin_alone(example.id, self.worker)
                self._optimise(make([example]), iter([[example]]))
        return True

    def _give_up(self, example_id: str, deaths: int) -> None:
        """Store a failed result for a row that kills its worker."""
        reason = f"{deaths} workers died while they made this embedding alone (out of memory, or a driver's crash?)"
        self.progress.note(f"{example_id}: {reason}")
        self._store(*self._rows.pop(example_id), failed_result(example_id, reason))

    def _optimise(self, optimization: Optimization, examples: Iterator[Sequence[PreparedExample]]) -> None:
        """Optimise examples as they are claimed, and store their embeddings."""
        compiled = optimization.forward.compiled
        left = self.blocks.count_left()
        with self.progress.track("optimize", self.order.total, self.order.total - left) as tracker:
            counter = RowCounter(self.blocks, tracker, left)
            for result in optimization.run(lambda: self._report_forward(optimization), examples):
                if compiled and not optimization.forward.compiled and optimization.forward.compile_reason:
                    compiled = False
                    self._report_forward(optimization)  # it stopped in the middle of the run
                if result.id in self._rows:
                    # Layers that are recomputed take no cache: what they generate would be wrong.
                    self._store(*self._rows.pop(result.id), result, may_audit=not optimization.forward.checkpointing)
                    counter.advance(note=f"{result.status}, loss {result.loss:.4f}")

    def _report_forward(self, optimization: Optimization) -> None:
        """Store which forward strategy is used from now on, for all workers, through a block that this one has."""
        if self._claimed:
            with suppress(ClaimLost):
                self._store_settled(replace(optimization.resolved(), start=self._settled().start), self._claimed[0])

    def _store(
        self, block: Block, example: PreparedExample, result: OptimizationResult, *, may_audit: bool = False
    ) -> None:
        """Store a result, and audit it if it is in the sample; if it is the last one of its block, finish the block."""
        try:
            block.add(make_record(example, result), result.embedding.features if result.embedding else None)
            if may_audit and result.embedding and is_in_sample(result.id, self.order.audited):
                self._audit(block, result.id)
        except ClaimLost:
            self._drop(block)
            return
        if not any(block is other for other, _ in self._rows.values()):
            self._finish(block)

    def _audit(self, block: Block, embedding_id: str) -> None:
        """Audit a stored embedding; the writer joins what is found with the block. Raises ClaimLost if it is lost."""
        record = block.store.record(embedding_id)
        with block.writing():  # another worker may have taken over the block
            embedding = Embedding(block.store.load(embedding_id), read_grid(record))
        found = audit_embedding(self.model(), record, embedding)
        with block.writing():
            self.run.audits.elsewhere(block.folder.path).append([found])

    def _finish(self, block: Block) -> None:
        try:
            block.finish()
        except ClaimLost:
            self._drop(block)
            return
        self._claimed.remove(block)
        self.on_change()

    def _drop(self, block: Block) -> None:
        """Forget a block that another worker has taken over; the steps that are still made for it are lost."""
        self._claimed.remove(block)
        self._rows = {name: row for name, row in self._rows.items() if row[0] is not block}

    # --- what all rows depend on ------------------------------------------------------------------------------------

    def settle(self, job: Block) -> None:
        """Determine the settings that are `auto`, and the start, for all workers; fix the order, and cut the blocks."""
        try:
            self._cut_blocks(job)
            job.remove()
        except ClaimLost:
            job.release()  # if it is still there: it belongs to another work order
            return
        self.on_change()

    def _cut_blocks(self, job: Block) -> None:
        if (deaths := job.deaths()) > 2 * DEATHS:  # so many are needed to give up one of the first rows
            raise RunError(
                f"{deaths} workers died while they determined the settings that are auto",
                hint="Type the settings in place of auto, such as -o lr=0.1 -o batch_size=1, or use a larger device.",
                where=str(self.run.folder),
            )
        examples = self._uncut(job)
        require_accepted(self.model(), goal_texts(examples, Path(self.run.manifest.metadata.data_path)))
        config, start = self._search_lr(job, self._settled_config()), None
        if config.start == "solved":
            start = self._make_start(job, [e for e in examples if e.id in self.order.first])
            self._store_settled(replace(self._settled(), start=tensor_digest(start.features)), job)
            examples, config = [e for e in examples if e.id not in self.order.first], self._settled_config()
        if not examples:
            return
        workers = self.order.workers or UNKNOWN_WORKERS
        share = math.ceil(len(examples) / workers) if workers > 1 else None
        self._optimization = self._make_optimization(examples, config, start, share)
        self._store_settled(replace(self._optimization.resolved(), start=self._settled().start), job)
        size = block_size(len(examples), self.order.workers, store.SHARD_SIZE)
        self.blocks.cut(job, make_rows(_by_kind(self._optimization, examples)), size)

    def _uncut(self, job: Block) -> list[PreparedExample]:
        """Return the examples of the job that no block has yet: an earlier worker may have died while it cut them."""
        cut = self.blocks.ids()
        done = Store(self.run.folder).ids()
        return read_rows([row for row in job.rows if row["id"] not in cut | done], str(job.folder.path))

    def _make_start(self, job: Block, first: Sequence[PreparedExample]) -> Embedding:
        """Make the first embeddings, which start at the blank, and return their mean.

        Raises:
            ClaimLost: the run was replaced or deleted meanwhile, or another worker has taken over the job.
        """

        def make(examples: Sequence[PreparedExample]) -> Optimization:
            made = self._make_optimization(examples, replace(self._settled_config(), start="blank"), None)
            self._store_settled(replace(made.resolved(), start=self._settled().start), job)
            return made

        def has_first(block: BlockFolder) -> bool:
            return any(row["id"] in self.order.first for row in Block(block).rows)

        if first:
            self.blocks.cut(job, make_rows(first), len(first))
        while not Store(self.run.folder).ids() >= set(self.order.first):
            if self.blocks.read(ORDER, WorkOrder) != self.order or not job.folder.path.is_dir():
                raise ClaimLost
            if not self.work_on_blocks(make, has_first):
                time.sleep(WAIT_SECONDS)
        return self._mean_of_first()

    def _start(self) -> Embedding | None:
        """Return what E starts at; None for the blank."""
        return self._mean_of_first() if self.synthesis.config.start == "solved" else None

    def _mean_of_first(self) -> Embedding:
        """Return the mean of the first embeddings.

        Raises:
            RunError: it is not the one that other embeddings of the run started at.
        """
        run = EmbeddingRun(self.run.folder)
        records = map(run.store.record, self.order.first)
        start = mean_start([load_embedding(run, r["id"]) for r in records if r["status"] == "succeeded"])
        if self._settled().start not in (None, tensor_digest(start.features)):
            raise RunError(
                f"the mean of the first {len(self.order.first)} embeddings is not the one that the others started at: "
                "one of them was damaged and made again, with other rounding",
                hint="Restore the folder from a backup, or make a new run: sea optimize ... --out NEW",
                where=str(self.run.folder),
            )
        return start

    def _search_lr(self, job: Block, config: OptimizeConfig) -> OptimizeConfig:
        """Return the config with a learning rate. The trials are in the job's folder until one is selected."""
        if config.lr != "auto":
            return config
        examples = read_rows(self.order.trials, str(self.run.folder))
        self.progress.note(f"lr=auto: trying {', '.join(map(str, GRID))} on {number_of(len(examples), 'example')}")
        with job.writing():
            found = search_lr(self.model(), examples, config, self.blocks.open_trials(job))
            assert found.lr != "auto"
            self.blocks.keep_trials(job)
        self._store_settled(replace(self._settled(), lr=found.lr), job)
        self.progress.note(f"lr=auto selected {found.lr} (trials in tuning.jsonl)")
        return found

    def _settled(self) -> ResolvedSettings:
        """Return what was settled on, now or when the run was started."""
        return self.blocks.read(SETTLED, ResolvedSettings) or self.run.manifest.resolved

    def _store_settled(self, settled: ResolvedSettings, block: Block) -> None:
        """Store what was settled on, through a block or job of this worker. Raises ClaimLost if it has it no more."""
        self.blocks.write_settled(settled, block)
        self.on_change()

    def _settled_config(self) -> OptimizeConfig:
        """Return the config with what was settled on in place of `auto`, as far as it is known."""
        config, settled = self.synthesis.config, self._settled()
        if config.lr == "auto" and settled.lr is not None:
            config = replace(config, lr=settled.lr)
        if config.margin == "auto" and settled.margin is not None:
            config = replace(config, margin=settled.margin)
        return config

    def _join_optimization(self, examples: Sequence[PreparedExample]) -> Optimization:
        """Return the optimisation that was settled on, made here or by another worker."""
        if self._optimization is None:
            config, settled = self._settled_config(), self._settled()
            if settled.margin is None:  # to find it here would give each worker another
                raise RunError(f"{SETTLED} is missing", hint=HINT, where=str(self.blocks.folder))
            packed = config.packed and settled.forward != "sequential"
            compiles = config.compile
            if compiles == "auto":
                compiles = bool(settled.compiled) and self.model().device.type == "cuda"
            config = replace(config, packed=packed, compile=compiles)
            self._optimization = self._make_optimization(examples, config, self._start(), settled.batch_size)
        return self._optimization

    def _make_optimization(
        self,
        examples: Sequence[PreparedExample],
        config: OptimizeConfig,
        start: Embedding | None,
        most: int | None = None,
    ) -> Optimization:
        """Make an optimisation; with `batch_size=auto`, of at most so many examples at a time."""
        recipes, benign = self.synthesis.recipes, self._benign_embeddings()
        made = Optimization(self.model(), examples, config, start=start, recipes=recipes, benign=benign)
        if most and config.batch_size == "auto":
            batch_size = min(most, made.engine_config.batch_size)
            made.engine_config = replace(made.engine_config, batch_size=batch_size)
        return made

    def _benign_embeddings(self) -> list[Embedding]:
        """Return the benign media's embeddings, if a recipe needs them."""
        needing = {recipe.name for recipe in self.synthesis.recipes if recipe.needs_media}
        if not needing & set(self.order.recipes):
            return []
        files, found = self.synthesis.media, []
        with self.progress.track("encode", len(files)) as tracker:
            for embedding in encode_files(self.model(), files):
                found.append(embedding)
                tracker.advance()
        return found


def _by_kind(optimization: Optimization, examples: Sequence[PreparedExample]) -> list[PreparedExample]:
    """Return examples with those of a kind beside each other: only they share a batch."""
    kinds = {task.id: optimization.kind(task) for task in optimization.tasks}
    places: dict[object, int] = {}
    for example in examples:
        places.setdefault(kinds.get(example.id), len(places))
    return sorted(examples, key=lambda example: places[kinds.get(example.id)])

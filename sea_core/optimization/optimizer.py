"""The method (paper, section 3.2): start at the blank embedding, descend until the model says both goals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sea_core.data.examples import PreparedExample
from sea_core.errors import ModelError, SeaError
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.engine import memory
from sea_core.optimization.engine.forward import ForwardStrategy
from sea_core.optimization.engine.margin import calibrate_margin
from sea_core.optimization.engine.scheduler import Engine
from sea_core.optimization.engine.select_forward import select_forward
from sea_core.optimization.engine.types import EngineConfig, OptimizationResult, OptimizationTask
from sea_core.optimization.recipes.base import Recipe, RecipeContext, RecipeNotSupported
from sea_core.optimization.recipes.expand import make_seed, parametrizations
from sea_core.optimization.recipes.registry import RECIPES
from sea_core.runs.embedding_run import ResolvedSettings


class Optimization:
    """An optimisation that is ready to run: its forward has been checked, and what was `auto` has a number.

    Args:
        mllm: the frozen model; the caller owns it.
        blank: the E to start from; by default the encoder's output for the adapter's blank input.
        recipes: the recipes that the rows name, with their settings.
        benign: real embeddings of benign media, for the recipes that need them.

    Raises:
        ModelError: the blank's embedding is not finite, or the packed step does not compute what the model computes.
        SeaError: lr is `auto`, which takes optimisations to find out (see `tune`).
    """

    def __init__(
        self,
        mllm: MLLM,
        rows: Sequence[PreparedExample],
        config: OptimizeConfig,
        blank: Embedding | None = None,
        *,
        recipes: Iterable[Recipe] = RECIPES,
        benign: Sequence[Embedding] = (),
    ) -> None:
        if config.lr == "auto":
            raise SeaError("lr is auto, which takes a few optimisations", hint="Call search_lr first.")
        self.mllm, self.start, self.lr = mllm, make_start(mllm, blank), config.lr
        self.rejected, self.tasks = [], []
        used = {row.recipe for row in rows}
        material = RecipeContext(mllm, self.start, benign)
        how = parametrizations([recipe for recipe in recipes if recipe.name in used], material)
        for row in rows:
            task = make_task(mllm, row, len(self.start))
            reason = exceeds_context(mllm, task)
            try:
                task = replace(task, parametrization=how(row), seed=make_seed(row, config.seed))
            except RecipeNotSupported as error:
                reason = str(error)
            if reason:
                self.rejected.append(
                    OptimizationResult(row.id, "failed", reason, 0, float("nan"), float("nan"), 0.0, None)
                )
            else:
                self.tasks.append(task)
        self.forward: ForwardStrategy = select_forward(
            mllm, self.start, self.tasks, packed=config.packed, compiled=config.compile
        )
        self.engine_config = self._engine_config(config)

    def run(self) -> Iterator[OptimizationResult]:
        """Yield outcomes as rows finish, not in the order of the rows."""
        yield from self.rejected
        yield from Engine(self.mllm, self.start, self.engine_config, self.forward).run(self.tasks)

    def resolved(self) -> ResolvedSettings:
        """Return the values of settings that were `auto`, and which forward strategy runs: for run.json."""
        return ResolvedSettings(
            lr=self.lr,
            margin=self.engine_config.margin,
            batch_size=self.engine_config.batch_size,
            forward=self.forward.name,
            fallback_reason=self.forward.fallback_reason or None,
        )

    def _engine_config(self, config: OptimizeConfig) -> EngineConfig:
        margin, slots = config.margin, config.batch_size
        if margin == "auto":
            margin = calibrate_margin(self.mllm, self.forward, self.start, self.tasks)
        if slots == "auto":
            slots = self._max_batch()
        return EngineConfig(
            lr=self.lr * self.start.rms,
            betas=(config.beta1, config.beta2),
            steps=config.steps,
            loss=config.loss,
            margin=margin,
            batch_size=slots,
        )

    def _max_batch(self) -> int:
        """Return how many rows like the longest one fit into memory."""
        if not self.tasks:
            return 1
        mllm = self.mllm
        tokens = max(map(self.forward.tokens, self.tasks))
        row = memory.example_bytes(
            memory.DecoderShape.of(mllm.adapter.language_model(mllm.model), mllm.model.get_output_embeddings()),
            tokens=tokens,
            targets=max(sum(map(len, task.answers)) for task in self.tasks),
            numbers=self.start.features.numel(),
            element=mllm.dtype.itemsize,
            kv_only=self.forward.kv_only,
        )
        return memory.max_batch(row, memory.free_bytes(mllm.device), tokens, mllm.device.type)


def optimize(
    mllm: MLLM,
    rows: Sequence[PreparedExample],
    config: OptimizeConfig | None = None,
    *,
    blank: Embedding | None = None,
    benign: Sequence[Embedding] = (),
) -> Iterator[OptimizationResult]:
    """Find a synthetic embedding for each row; see `Optimization`, which this makes and runs."""
    yield from Optimization(mllm, rows, config or OptimizeConfig(), blank, benign=benign).run()


def make_start(mllm: MLLM, blank: Embedding | None) -> Embedding:
    """Return the E that every row starts from, in fp32 or wider."""
    start = mllm.blank() if blank is None else blank.with_features(blank.features.to(mllm.device, mllm.wide_dtype))
    if not 0 < start.rms < float("inf"):
        raise ModelError(
            f"the blank {mllm.adapter.noun}'s embedding has the size {start.rms}, which the step size is relative to",
            hint="Check the adapter's `blank_input` and `projector`; is the checkpoint whole?",
        )
    return start


def make_task(mllm: MLLM, row: PreparedExample, n_features: int) -> OptimizationTask:
    """Return the row's goals as token ids, with placeholders for an E of `n_rows` rows."""
    prompts = tuple(mllm.prompt_ids(goal.prompt, n_features) for goal in row.goals)
    return OptimizationTask(row.id, prompts, tuple(mllm.answer_ids(goal.answer) for goal in row.goals))


def exceeds_context(mllm: MLLM, task: OptimizationTask) -> str:
    """Say why a task does not fit the model's positions, or return an empty string."""
    longest = max(len(p) + len(a) for p, a in zip(task.prompts, task.answers, strict=True))
    if (most := mllm.max_length) and longest > most:
        return f"too long: {longest} tokens, but the model holds {most} (a shorter blank, or a shorter row?)"
    return ""

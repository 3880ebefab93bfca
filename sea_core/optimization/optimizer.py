"""The method (paper, section 3.2): from the blank embedding, descend until the model gives every target answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from sea_core.data.examples import PreparedExample
from sea_core.errors import ModelError, SeaError
from sea_core.model.device_map import device_map_of, devices_of
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.quantization import quantization_of
from sea_core.optimization.compile_choice import QUANTIZED_REASON, SPREAD_REASON, choose_compile
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.engine import memory
from sea_core.optimization.engine.forward import ForwardStrategy, Sequential
from sea_core.optimization.engine.margin import calibrate_margin
from sea_core.optimization.engine.packed import PackingNotSupported
from sea_core.optimization.engine.parametrization import Parametrization
from sea_core.optimization.engine.scheduler import Engine, QueueKey
from sea_core.optimization.engine.select_forward import compile_forward, select_forward
from sea_core.optimization.engine.types import EngineConfig, OptimizationResult, OptimizationTask, failed_result
from sea_core.optimization.flop import STEPS, StepSequence, measure_matmul, step_flop
from sea_core.optimization.recipes.base import Recipe, RecipeContext, RecipeNotSupported
from sea_core.optimization.recipes.expand import make_parametrizer, make_seed
from sea_core.optimization.recipes.registry import RECIPES
from sea_core.runs.embedding_run import ResolvedSettings


class Optimization:
    """An optimisation that is ready to run: its forward strategy is checked, and `auto` settings have values.

    Args:
        mllm: the frozen model; it stays the caller's.
        blank: the E of the blank; by default the encoder's output for the adapter's blank input.
        start: the E that every task starts from; by default the blank's.
        recipes: the recipes that the examples name, with their settings.
        benign: real embeddings of benign media, for the recipes that need them.

    Attributes:
        tasks: one for each example that can be optimised.
        rejected: a failed result, with its reason, for each other example.
        forward: the forward strategy.
        engine_config: the configuration of the engine.

    Raises:
        ModelError: the blank's embedding is not finite, or packed and sequential forward differ.
        SeaError: lr is `auto`, or start is `solved`, which take optimisations to determine (see `lr_search` and
            `solved_start`).
    """

    def __init__(
        self,
        mllm: MLLM,
        examples: Sequence[PreparedExample],
        config: OptimizeConfig,
        blank: Embedding | None = None,
        *,
        start: Embedding | None = None,
        recipes: Iterable[Recipe] = RECIPES,
        benign: Sequence[Embedding] = (),
    ) -> None:
        if config.lr == "auto":
            raise SeaError("lr is auto, which takes a few optimisations to determine", hint="Call search_lr first.")
        if config.start == "solved" and start is None:
            raise SeaError("start is solved, but no start is given", hint="Call mean_start on the first embeddings.")
        self.mllm, self.blank, self.lr = mllm, make_blank(mllm, blank), config.lr
        self.start = self.blank if start is None else self.blank.with_features(start.features.to(self.blank.features))
        self.tasks: list[OptimizationTask] = []
        self.rejected: list[OptimizationResult] = []
        self._recipes, self._benign, self._seed = list(recipes), benign, config.seed
        self._parametrizers: dict[str, Callable[[PreparedExample], Parametrization]] = {}
        for example in examples:
            made = self.task_of(example)
            if isinstance(made, OptimizationTask):
                self.tasks.append(made)
            else:
                self.rejected.append(made)
        self.forward: ForwardStrategy = select_forward(mllm, self.blank, self.tasks, packed=config.packed)
        if self.tasks:
            self._compile(config)
        try:
            self.engine_config = self._make_engine_config(config)
        except PackingNotSupported as error:
            self._leave_packing(error)
            self.engine_config = self._make_engine_config(config)

    def run(
        self,
        on_fallback: Callable[[], None] = lambda: None,
        blocks: Iterator[Sequence[PreparedExample]] | None = None,
    ) -> Iterator[OptimizationResult]:
        """Yield results as they become available, not in the order of the examples.

        Args:
            on_fallback: called if the forward strategy fails in mid-run. Tasks that have no result start again, each
                goal as a sequence of its own.
            blocks: examples to optimise in place of those that this was made with; the next ones are requested when
                no task waits for a slot that is free.
        """
        unfinished = {task.id: task for task in self.tasks} if blocks is None else {}
        rejected = list(self.rejected) if blocks is None else []

        def more() -> Sequence[OptimizationTask]:
            for examples in blocks or ():
                made = [self.task_of(example) for example in examples]
                tasks = [task for task in made if isinstance(task, OptimizationTask)]
                rejected.extend(result for result in made if isinstance(result, OptimizationResult))
                unfinished.update({task.id: task for task in tasks})
                if tasks:
                    return tasks
            return ()

        results = self._run(unfinished, more, on_fallback)
        while True:
            result = next(results, None)
            while rejected:
                yield rejected.pop(0)
            if result is None:
                return
            yield result

    def _run(
        self,
        unfinished: dict[str, OptimizationTask],
        more: Callable[[], Sequence[OptimizationTask]],
        on_fallback: Callable[[], None],
    ) -> Iterator[OptimizationResult]:
        """Run the engine; if the forward strategy fails, once more with another one on what is unfinished."""
        try:
            for result in self._engine().run(list(unfinished.values()), more):
                del unfinished[result.id]
                yield result
        except PackingNotSupported as error:
            self._leave_packing(error)
            self.engine_config = replace(
                self.engine_config, batch_size=min(self.engine_config.batch_size, self._max_batch())
            )
            on_fallback()
            yield from self._engine().run(list(unfinished.values()), more)

    def _engine(self) -> Engine:
        return Engine(self.mllm, self.start, self.engine_config, self.forward)

    def _leave_packing(self, error: PackingNotSupported) -> None:
        self.forward = Sequential(self.mllm, self.blank)
        self.forward.fallback_reason = error.what

    def kind(self, task: OptimizationTask) -> QueueKey:
        """Return what the tasks that share a batch have in common."""
        return self._engine().kind(task)

    def resolved(self) -> ResolvedSettings:
        """Return the values of settings that were `auto`, and the forward strategy, for the manifest."""
        return ResolvedSettings(
            lr=self.lr,
            margin=self.engine_config.margin,
            batch_size=self.engine_config.batch_size,
            mechanism=self.mllm.mechanism.name,
            forward=self.forward.name,
            fallback_reason=self.forward.fallback_reason or None,
            compiled=self.forward.compiled,
            compile_reason=self.forward.compile_reason or None,
        )

    def task_of(self, example: PreparedExample) -> OptimizationTask | OptimizationResult:
        """Return an example's task, or a failed result if it cannot be optimised."""
        task = make_task(self.mllm, example, self.blank)
        reason = exceeds_context(self.mllm, task)
        try:
            parametrization = self._parametrizer(example.recipe)(example)
            task = replace(task, parametrization=parametrization, seed=make_seed(example, self._seed))
        except RecipeNotSupported as error:
            reason = str(error)
        if not reason:
            return task
        return failed_result(example.id, reason)

    def _parametrizer(self, name: str) -> Callable[[PreparedExample], Parametrization]:
        """Return what makes the parametrisations of a recipe, which is prepared when it is first used."""
        if name not in self._parametrizers:
            used = [recipe for recipe in self._recipes if recipe.name == name]
            self._parametrizers[name] = make_parametrizer(used, RecipeContext(self.mllm, self.blank, self._benign))
        return self._parametrizers[name]

    def _compile(self, config: OptimizeConfig) -> None:
        """Compile the forward strategy if the config says so, or if it is `auto` and pays."""
        spread = bool(device_map_of(self.mllm.model))
        if spread or quantization_of(self.mllm.model):
            reason = SPREAD_REASON if spread else QUANTIZED_REASON
            self.forward.compile_reason = reason if config.compile is True else ""
            return
        device = self.mllm.device
        flop, speed = 0.0, 1.0
        if config.compile == "auto" and device.type == "cuda" and self.forward.name == "packed":
            flop = min(config.steps, STEPS) * sum(map(self._step_flop, self.tasks))
            speed = measure_matmul(device, self.mllm.dtype)
        choice = choose_compile(config.compile, device.type, flop, speed)
        self.forward.compile_reason = choice.reason
        if choice.wanted:
            compile_forward(self.forward, max(self.tasks, key=self.forward.tokens))

    def _step_flop(self, task: OptimizationTask) -> float:
        media = self.mllm.adapter.placeholders(len(self.blank))
        sequence = StepSequence(media, self.forward.shape(task), media, self.forward.kv_only)
        return step_flop(self.mllm, sequence, sum(map(len, task.answers)))

    def _make_engine_config(self, config: OptimizeConfig) -> EngineConfig:
        margin, batch_size = config.margin, config.batch_size
        if margin == "auto":
            margin = calibrate_margin(self.mllm, self.forward, self.blank, self.tasks)
        if batch_size == "auto":
            batch_size = self._max_batch()
        return EngineConfig(
            lr=self.lr * self.blank.rms,
            betas=(config.beta1, config.beta2),
            steps=config.steps,
            loss=config.loss,
            margin=margin,
            batch_size=batch_size,
        )

    def _max_batch(self) -> int:
        """Return how many tasks of the largest size fit into memory."""
        if not self.tasks:
            return 1
        mllm = self.mllm
        tokens = max(map(self.forward.tokens, self.tasks))
        shape = memory.DecoderShape.read(mllm.adapter.language_model(mllm.model), mllm.model.get_output_embeddings())
        per_example = memory.example_bytes(
            shape,
            tokens=tokens,
            targets=max(sum(map(len, task.answers)) for task in self.tasks),
            values=self.blank.features.numel(),
            itemsize=mllm.dtype.itemsize,
            kv_only=self.forward.kv_only,
        )
        devices = devices_of(mllm)
        free = len(devices) * min(map(memory.free_bytes, devices))  # each keeps about as much of an example
        return memory.max_batch(per_example, free, tokens, shape, mllm.device.type)


def optimize(
    mllm: MLLM,
    examples: Sequence[PreparedExample],
    config: OptimizeConfig | None = None,
    *,
    blank: Embedding | None = None,
    start: Embedding | None = None,
    benign: Sequence[Embedding] = (),
) -> Iterator[OptimizationResult]:
    """Find a synthetic embedding for each example; makes and runs an `Optimization`."""
    yield from Optimization(mllm, examples, config or OptimizeConfig(), blank, start=start, benign=benign).run()


def make_blank(mllm: MLLM, blank: Embedding | None) -> Embedding:
    """Return the E of the blank, in fp32 or wider. Raises ModelError if it is not finite."""
    found = mllm.blank() if blank is None else blank.with_features(blank.features.to(mllm.device, mllm.wide_dtype))
    if not 0 < found.rms < float("inf"):
        raise ModelError(
            f"the root mean square of the blank {mllm.adapter.noun}'s embedding is {found.rms}, but the step size is "
            "a multiple of it",
            hint="Check the adapter's `blank_input` and `projector`. Is the checkpoint complete?",
        )
    return found


def make_task(mllm: MLLM, example: PreparedExample, blank: Embedding) -> OptimizationTask:
    """Return the example's goals as token ids, with the placeholders of the blank."""
    prompts = tuple(mllm.prompt_ids(goal.prompt, blank) for goal in example.goals)
    return OptimizationTask(example.id, prompts, tuple(mllm.answer_ids(goal.answer) for goal in example.goals))


def exceeds_context(mllm: MLLM, task: OptimizationTask) -> str:
    """Return why a task is longer than the model's context; an empty string if it is not."""
    longest = max(len(p) + len(a) for p, a in zip(task.prompts, task.answers, strict=True))
    if (limit := mllm.context_length) and longest > limit:
        return f"too long: {longest} tokens, but the model's context is {limit} (a shorter blank or example?)"
    return ""

"""Measure refusal and over-refusal every so many steps of a training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from sea_core.alignment.config import AlignConfig, Answers
from sea_core.alignment.curve_answers import CurvePoint, begin_curve, curve_points, keep_until, measure, open_curve
from sea_core.alignment.embedding_source import EmbeddingSource
from sea_core.alignment.mixture import mix
from sea_core.alignment.replayed_examples import REPLAY_CONFIG
from sea_core.alignment.spot_check import SpotCheckCase
from sea_core.pipeline.align import spot_check_cases
from sea_core.pipeline.model_in_training import evaluating, find_model_in_training, open_runs, require_whole_weights
from sea_core.runs.embedding_run import EmbeddingRun


class RefusalCurve(TrainerCallback):  # type: ignore[misc]  # transformers is untyped
    """A callback for any trainer of transformers or TRL: how often the model refuses while it is trained.

    Before the first step, every `every` steps and at the end, the model is asked about the examples of the runs that
    are held out of `sea align` and `SafetyReplay`, harmful and benign ones: in text, and about one embedding of each.
    Where few are held out, others are asked about as well. A fixed list of phrases detects refusals. Each answer is
    stored.

    Args:
        runs: the runs of `sea optimize` that the model was aligned on, or others for the same model.
        file: where the answers are stored, a JSONL file: one for each training. It is continued if the training is
            resumed, from the step at which it is.
        every: steps from one measurement to the next.
        cases: more questions to ask.
        config: has what is held out, the seed, and how the model answers: as `sea align` and `SafetyReplay` take them.
            Without it, answers may be as long as those of a model that was aligned with `answers="read-first"`.
        plugin, model: as `SafetyReplay` takes them.

    Raises:
        RunError: the runs are of different models.
        SeaError: when the training begins: the file has the answers of another training, or the weights are sharded.
        ModelError: when the training begins: the runs were made for another model than the one that is trained.
    """

    def __init__(
        self,
        *runs: EmbeddingRun | Path | str,
        file: Path | str,
        every: int = 50,
        cases: Sequence[SpotCheckCase] = (),
        config: AlignConfig | None = None,
        plugin: str | None = None,
        model: str | None = None,
    ) -> None:
        self.runs, self.every, self.config = open_runs(runs), every, config or REPLAY_CONFIG
        self.answers: Answers = config.answers if config else "read-first"  # the longer limit
        self.cases, self.plugin, self.checkpoint = list(cases), plugin, model
        self.log = open_curve(Path(file))
        self._unfinished = False

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Answer the questions before the first step."""
        require_whole_weights(model)
        self.mllm = find_model_in_training(model, self.runs, self.plugin, self.checkpoint)
        adapter, source = self.mllm.adapter, EmbeddingSource(self.runs)
        found = spot_check_cases(adapter, source, mix(adapter, source, (), "sft", self.config), self.config)
        one_each = {(case.group, case.example): case for case in reversed(found)}
        self.questions = [*self.cases, *reversed(one_each.values())]
        if state.is_world_process_zero:
            self._begin(args, state)
        self._measure(state)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Answer the questions every `every` steps, and after the last one."""
        if state.global_step % self.every == 0 or control.should_training_stop:
            self._measure(state)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Answer the questions where an evaluation has stopped the training early."""
        if control.should_training_stop:
            self._measure(state)

    on_save = on_epoch_end  # the evaluation at the end of an epoch comes after `on_epoch_end`

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Answer the questions where the training has ended otherwise."""
        self._unfinished = False
        if not args.load_best_model_at_end:  # the weights may be those of an earlier step by now
            self._measure(state)

    def _begin(self, args: Any, state: Any) -> None:
        """Make the file ready. A training that begins again with smaller batches takes its first answers back."""
        if self._unfinished and args.auto_find_batch_size and state.global_step == 0:
            keep_until(self.log, -1)
        begin_curve(self.log, self.questions, state.global_step)
        self._unfinished = True

    def _measure(self, state: Any) -> None:
        if state.is_world_process_zero:
            self.log.path.parent.mkdir(parents=True, exist_ok=True)
            with evaluating(self.mllm.model):
                measure(self.mllm, self.questions, state.global_step, self.log, self.answers)

    def points(self) -> list[CurvePoint]:
        """Return the metrics of each group of questions at each step."""
        return curve_points(self.log.read())

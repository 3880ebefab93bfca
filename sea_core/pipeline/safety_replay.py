"""Safety replay: a few synthetic embeddings in each step of any other training, so that the model goes on refusing."""

from __future__ import annotations

import logging
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import torch
from accelerate.state import AcceleratorState
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import TrainerCallback

from sea_core.alignment.collator import Collator
from sea_core.alignment.config import AlignConfig
from sea_core.alignment.dataset import TrainingExample, make_columns
from sea_core.alignment.embedding_source import EmbeddingSource
from sea_core.alignment.replayed_examples import REPLAY_CONFIG, ReplayedExamples, replayed_before
from sea_core.alignment.sanity_checks import require_reading
from sea_core.errors import SeaError
from sea_core.model.padding import IGNORE_INDEX
from sea_core.pipeline.model_in_training import evaluating, find_model_in_training, open_runs, require_whole_weights
from sea_core.runs.embedding_run import EmbeddingRun

log = logging.getLogger(__name__)


class SafetyReplay(TrainerCallback):  # type: ignore[misc]  # transformers is untyped
    """A callback for any trainer of transformers or TRL: `SFTTrainer(..., callbacks=[SafetyReplay("runs/mine")])`.

    Before the batches of a step, it adds the gradient of a few questions about synthetic embeddings: harmful ones with
    their refusals, and benign ones with help, in turn. Each counts as much as one example of the batch. The trainer's
    own data, collator and loss stay as they are, whatever they are.

    Args:
        runs: the runs of `sea optimize` that the model was aligned on, or others for the same model.
        share: replayed examples for each example of the trainer's own. 0.05 is one for twenty; with fewer examples a
            step, one in some steps.
        config: which examples are drawn, in which wordings, and the seed; as `sea align` takes it.
        plugin: the runs' plugin, for runs made with a local file: its path.
        model: where the runs' model lies now, if not where it was. Only its configuration and processor are read.

    Raises:
        RunError: the runs are of different models.
        SeaError: the share is not above 0. When the training begins: the runs have no harmful example with a response,
            no example would be replayed, or the training is sharded, or in fp16.
        ModelError: when the training begins: the runs were made for another model than the one that is trained.
    """

    def __init__(
        self,
        *runs: EmbeddingRun | Path | str,
        share: float = 0.05,
        config: AlignConfig = REPLAY_CONFIG,
        plugin: str | None = None,
        model: str | None = None,
    ) -> None:
        if not share > 0:
            raise SeaError(f"a share of {share} replays nothing", hint="Give one above 0, as 0.05.")
        self.runs, self.share, self.config = open_runs(runs), share, config
        self.plugin, self.checkpoint = plugin, model
        self.source = EmbeddingSource(self.runs)
        self._losses: list[tuple[Any, int]] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Check that the model reads the embeddings, and draw the examples."""
        require_whole_weights(model)
        _require_unscaled_gradients()
        self._losses.clear()
        self.mllm = find_model_in_training(model, self.runs, self.plugin, self.checkpoint)
        with evaluating(self.mllm.model):
            require_reading(self.mllm, self.source, self.source.stored())
        self.examples = ReplayedExamples.draw(self.mllm.adapter, self.source, self.config)
        self.collator = Collator(self.mllm, self.source)
        self._note_multiplied_loss(args.gradient_accumulation_steps * args.world_size)
        if not self.examples.has_benign:
            log.warning("the runs have no benign example to replay: the model may refuse more than it should")
        batch = _batch_size(args, state) * args.gradient_accumulation_steps * args.world_size
        if not replayed_before(state.max_steps, self.share, batch):
            raise SeaError(
                f"a share of {self.share} is less than one example in {state.max_steps} steps with {batch} each",
                hint=f"Give a larger share: {1 / (state.max_steps * batch):.2g} is one example in all.",
            )

    def _note_multiplied_loss(self, batches: int) -> None:
        """Warn where transformers' trainer multiplies the loss, and so the gradient, by the batches of a step.

        It lets a model that takes any keyword divide the loss by `num_items_in_batch`, the tokens of the whole step.
        Some models take it and ignore it: each of their batches then counts as if it were the whole step.
        """
        if batches > 1 and _is_left_to_divide(self.mllm.model) and not self._divides():
            log.warning(
                "%s takes num_items_in_batch and does not divide its loss by it: where the trainer leaves the loss to "
                "the model, your own examples have %d times the gradient that they should have, and replayed ones "
                "weigh less. Before you make the trainer, type: model.accepts_loss_kwargs = False",
                type(self.mllm.model).__name__,
                batches,
            )

    @torch.no_grad()
    def _divides(self) -> bool:
        """Return whether the model's loss depends on the tokens of the whole step."""
        batch = self._batch(self.examples.take(0, 1))
        with evaluating(self.mllm.model), self.mllm.inject():
            whole, halved = (self.mllm.model(**batch, num_items_in_batch=count).loss for count in (1, 2))
        return not torch.equal(whole, halved)

    def on_step_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Add the gradient of this step's examples to the model's, which is empty now."""
        batch = _batch_size(args, state)
        total = batch * args.gradient_accumulation_steps * args.world_size
        first, last = (replayed_before(step, self.share, total) for step in (state.global_step, state.global_step + 1))
        mine = self.examples.take(first, last)[args.process_index :: args.world_size]
        at_once = batch if self.mllm.mechanism.mixes_batches else 1
        model.train()
        for start in range(0, len(mine), at_once):
            chunk = mine[start : start + at_once]
            loss = self._add_gradient(model, chunk, len(chunk) * args.world_size / total)
            self._losses.append((loss * len(chunk), len(chunk)))

    def _add_gradient(self, model: Any, examples: list[TrainingExample], weight: float) -> Any:
        """Run the model forward and back on some examples; return their loss, not weighted."""
        batch = self._batch(examples)
        labels = batch.pop("labels")
        with self.mllm.inject():  # also while layers are recomputed in the backward pass
            loss = _mean_loss(model(**batch, use_cache=False).logits, labels)
            torch.autograd.backward(loss * weight)
        return loss.detach()

    def _batch(self, examples: list[TrainingExample]) -> dict[str, Any]:
        columns = [make_columns(self.mllm, example) for example in examples]
        return {name: value.to(self.mllm.device) for name, value in self.collator(columns).items()}

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Add the mean loss of what this process replayed since the last loss was logged, as `safety_replay_loss`."""
        if self._losses and state.log_history and "loss" in state.log_history[-1]:
            losses, counts = zip(*self._losses, strict=True)
            state.log_history[-1]["safety_replay_loss"] = float(sum(losses)) / sum(counts)
            self._losses.clear()


def _mean_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over the examples of each one's mean negative log-likelihood, so that long answers weigh no more.

    It does not depend on how examples are spread over batches and processes.
    """
    targets = labels[:, 1:].to(logits.device)
    row, column = torch.nonzero(targets != IGNORE_INDEX, as_tuple=True)
    each = cross_entropy(logits[row, column].float(), targets[row, column], reduction="none")
    return (each / torch.bincount(row)[row]).sum() / len(targets)


def _is_left_to_divide(model: Any) -> bool:
    """Return whether transformers' trainer gives a model the tokens of the whole step, by the trainer's own rule."""
    kinds = {parameter.kind for parameter in signature(model.forward).parameters.values()}
    return bool(getattr(model, "accepts_loss_kwargs", Parameter.VAR_KEYWORD in kinds))


def _batch_size(args: Any, state: Any) -> int:
    """Return how many examples a process has at once.

    A resumed training's state has the batch size of its checkpoint, which it is trained with only if it was found.
    """
    return int(state.train_batch_size if args.auto_find_batch_size else args.train_batch_size)


def _require_unscaled_gradients() -> None:
    """Raise SeaError for fp16, as Accelerate runs it: the arguments of the training need not say so."""
    if AcceleratorState().mixed_precision == "fp16":
        raise SeaError(
            "safety replay does not work with the scaled gradients of fp16",
            hint="Train with bf16=True, or accelerate launch --mixed_precision bf16.",
        )

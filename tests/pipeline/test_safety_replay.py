"""Safety replay in trainers of transformers and TRL: what it adds to the gradient, and what it refuses."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import ParallelismConfig
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedType
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from torch import Tensor
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback, TrainingArguments
from trl import SFTConfig, SFTTrainer

import sea_core
from helpers.cli_runs import write_demo_examples
from sea_core.alignment.collator import Collator
from sea_core.alignment.curve_answers import begin_curve, open_curve
from sea_core.alignment.dataset import make_columns
from sea_core.alignment.embedding_source import EmbeddingSource
from sea_core.alignment.replayed_examples import REPLAY_CONFIG, ReplayedExamples, replayed_before
from sea_core.alignment.spot_check import SpotCheckCase
from sea_core.alignment.trainer_config import quiet_libraries
from sea_core.errors import ModelError, SeaError
from sea_core.model.mllm import MLLM
from sea_core.pipeline.model_target import ModelTarget
from sea_core.runs.embedding_run import EmbeddingRun

SETTINGS: dict[str, Any] = {
    "per_device_train_batch_size": 2,
    "max_steps": 2,
    "learning_rate": 1e-3,
    "report_to": "none",
    "use_cpu": True,
    "bf16": False,
    "save_strategy": "no",
    "logging_steps": 1,
    "disable_tqdm": True,
    "max_grad_norm": 0,
}
LORA: dict[str, Any] = {"r": 4, "target_modules": r".*language_model.*(q_proj|v_proj)"}


def load() -> MLLM:
    return ModelTarget.find("qwen2_audio", device="cpu", dtype="float32", settings={"seconds": 0.5}).load()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingRun:
    """Embeddings of demo examples, harmful and benign ones, that the model reads."""
    folder = tmp_path_factory.mktemp("replay")
    target = ModelTarget.find("qwen2_audio", device="cpu", settings={"seconds": 0.5})
    how = sea_core.Synthesis(config=sea_core.OptimizeConfig(loss=1.0, margin=0.0))
    return sea_core.optimize(write_demo_examples(folder / "rows.jsonl", 12), target, out=folder / "run", synthesis=how)


def own_data(mllm: MLLM) -> Dataset:
    """Return examples of a user's own: plain text, as any tokenizer gives it."""
    ids = [mllm.tokenizer(f"To clean a bike, take it step by step{'.' * i}")["input_ids"] for i in range(8)]
    return Dataset.from_list([{"input_ids": each, "attention_mask": [1] * len(each), "labels": each} for each in ids])


def pad(examples: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
    """Make a batch, as a user's own collator does."""
    width = max(len(example["input_ids"]) for example in examples)
    return {
        name: torch.tensor([list(e[name]) + [filler] * (width - len(e[name])) for e in examples])
        for name, filler in (("input_ids", 0), ("attention_mask", 0), ("labels", -100))
    }


class Gradients(TrainerCallback):  # type: ignore[misc]  # transformers is untyped
    """Keeps the gradient of each step."""

    def __init__(self) -> None:
        self.steps: list[Tensor] = []

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        self.steps.append(flat_gradient(model))


def flat_gradient(model: Any) -> Tensor:
    return torch.cat([p.grad.flatten().clone() for p in model.parameters() if p.requires_grad])


def with_lora(mllm: MLLM) -> Any:
    torch.manual_seed(0)
    with quiet_libraries():
        return get_peft_model(mllm.model, LoraConfig(**LORA))


def train(
    folder: Path, callbacks: Sequence[Any], resume: bool = False, **settings: Any
) -> tuple[MLLM, Any, list[Tensor]]:
    mllm, gradients = load(), Gradients()
    trainer = Trainer(
        model=with_lora(mllm),
        args=TrainingArguments(str(folder), **SETTINGS | settings),
        train_dataset=own_data(mllm),
        eval_dataset=own_data(mllm),
        data_collator=pad,
        callbacks=[*callbacks, gradients],
    )
    trainer.train(resume_from_checkpoint=resume)
    return mllm, trainer, gradients.steps


@pytest.mark.parametrize("accumulated", [1, 2])
def test_the_gradient_is_the_trainers_own_and_that_of_the_replayed_examples(
    run: EmbeddingRun, tmp_path: Path, accumulated: int
) -> None:
    """Each replayed example counts as much as one of the step's own."""
    settings = {"gradient_accumulation_steps": accumulated, "max_steps": 1}
    _, _, plain = train(tmp_path, [], **settings)
    _, trainer, replayed = train(tmp_path, [sea_core.SafetyReplay(run, share=1.5)], **settings)
    mllm, source, count = load(), EmbeddingSource([run]), 3 * accumulated
    examples = ReplayedExamples.draw(mllm.adapter, source, REPLAY_CONFIG).take(0, count)
    assert {example.harmful for example in examples} == {True, False}
    model = with_lora(mllm)
    for example in examples:
        with mllm.inject():
            batch = Collator(mllm, source)([make_columns(mllm, example)])
            (model(**batch).loss / (2 * accumulated)).backward()
    added = flat_gradient(model)
    assert added.norm() > 0.01 * plain[0].norm()
    assert torch.allclose(replayed[0], plain[0] + added, rtol=1e-4, atol=1e-6)
    assert trainer.state.log_history[0]["safety_replay_loss"] > 0


@pytest.mark.parametrize("is_set", [False, True])
def test_a_loss_that_accumulation_multiplies_is_reported(
    run: EmbeddingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_set: bool
) -> None:
    """transformers expects of a model that takes any keyword to divide its loss by the tokens of the whole step."""
    if is_set:
        monkeypatch.setattr(type(load().model), "accepts_loss_kwargs", False, raising=False)
    losses = []
    for accumulated in (1, 2):
        own = {"gradient_accumulation_steps": accumulated, "per_device_train_batch_size": 8 // accumulated}
        _, trainer, _ = train(tmp_path, [sea_core.SafetyReplay(run, share=0.5)], **own | {"max_steps": 1})
        losses.append(trainer.state.log_history[0]["loss"])
    assert losses[1] / losses[0] == pytest.approx(1 if is_set else 2, rel=0.01)
    warnings = [record.getMessage() for record in caplog.records if "num_items_in_batch" in record.getMessage()]
    assert len(warnings) == (0 if is_set else 1)
    assert is_set or "2 times" in warnings[0]
    assert is_set or "model.accepts_loss_kwargs = False" in warnings[0]


def test_a_share_below_one_example_a_step_is_spread_over_the_steps() -> None:
    counts = [replayed_before(step + 1, 0.05, 16) - replayed_before(step, 0.05, 16) for step in range(20)]
    assert (sum(counts), set(counts)) == (16, {0, 1})
    assert [replayed_before(step, 0.1, 10) for step in range(5)] == [0, 1, 2, 3, 4]  # no rounding of floats


def test_steps_without_a_replayed_example_are_those_of_the_trainer_alone(run: EmbeddingRun, tmp_path: Path) -> None:
    settings = {"max_steps": 3, "learning_rate": 0.0}
    _, _, plain = train(tmp_path, [], **settings)
    _, _, replayed = train(tmp_path, [sea_core.SafetyReplay(run, share=0.25)], **settings)
    assert [torch.equal(a, b) for a, b in zip(plain, replayed, strict=True)] == [True, False, True]


def test_what_is_replayed_follows_from_the_seed_and_the_step(run: EmbeddingRun) -> None:
    """So a training that is resumed replays what it would have, and each process its own part."""
    source, adapter = EmbeddingSource([run]), load().adapter
    examples, again = (ReplayedExamples.draw(adapter, source, REPLAY_CONFIG) for _ in range(2))
    drawn = examples.take(0, 60)
    assert again.take(7, 60) == drawn[7:]
    assert [example.harmful for example in drawn[:6]] == [True, False] * 3
    for side in examples.sides:
        of_side = [example for example in drawn if example.harmful is side[0].harmful]
        assert sorted(map(repr, of_side[: len(side)])) == sorted(map(repr, side))  # each once before any is repeated


def test_the_model_is_left_as_it_is(run: EmbeddingRun, tmp_path: Path) -> None:
    mllm, trainer, _ = train(tmp_path, [sea_core.SafetyReplay(run, share=1)])
    trainable = [name for name, p in trainer.model.named_parameters() if p.requires_grad]
    assert trainable
    assert all("lora_" in name for name in trainable)
    assert all(module.training for module in trainer.model.modules())
    assert not any(module._forward_pre_hooks for module in mllm.model.modules())


def test_in_trls_trainer(run: EmbeddingRun, tmp_path: Path) -> None:
    mllm = load()
    settings = SETTINGS | {"max_length": None, "dataset_kwargs": {"skip_prepare_dataset": True}}
    curve = sea_core.RefusalCurve(run, file=tmp_path / "curve.jsonl", every=1)
    with quiet_libraries():
        trainer = SFTTrainer(
            model=mllm.model,
            args=SFTConfig(str(tmp_path / "out"), remove_unused_columns=False, **settings),
            train_dataset=own_data(mllm),
            data_collator=pad,
            processing_class=mllm.tokenizer,
            peft_config=LoraConfig(**LORA),
            callbacks=[sea_core.SafetyReplay(run, share=1), curve],
        )
        trainer.train()
    assert [record["safety_replay_loss"] > 0 for record in trainer.state.log_history[:2]] == [True, True]
    points = curve.points()
    assert {point["step"] for point in points} == {0, 1, 2}
    assert {(point["group"], point["seen"]) for point in points} >= {("text", False), ("synthetic", False)}
    assert all(point["metrics"]["n_harmful"] > 0 for point in points)
    sea_core.write_curves({"with <replay>": tmp_path / "curve.jsonl"}, tmp_path / "curve.html")
    page = (tmp_path / "curve.html").read_text(encoding="utf-8")
    assert page.count("<polyline") == 2 * len({(point["group"], point["seen"]) for point in points})
    assert "with &lt;replay&gt;: harmful refused" in page
    before = (tmp_path / "curve.jsonl").read_bytes()
    with quiet_libraries(), pytest.raises(SeaError, match="answers of another training"):
        trainer.train()  # another training, of another model by now
    assert (tmp_path / "curve.jsonl").read_bytes() == before


def test_another_model_is_refused(run: EmbeddingRun, tmp_path: Path) -> None:
    mllm = load()
    torch.manual_seed(0)
    for parameter in mllm.projector.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    other = ModelTarget.find("llava", device="cpu", dtype="float32").load()
    models = {"does not read the embeddings": with_lora(mllm), "and a LlavaForConditionalGeneration is": other.model}
    for message, model in models.items():
        trainer = Trainer(
            model=model,
            args=TrainingArguments(str(tmp_path), **SETTINGS),
            train_dataset=own_data(mllm),
            data_collator=pad,
            callbacks=[sea_core.SafetyReplay(run, share=1)],
        )
        with pytest.raises(ModelError, match=message):
            trainer.train()


def test_what_cannot_work_is_refused(run: EmbeddingRun, tmp_path: Path) -> None:
    with pytest.raises(SeaError, match="replays nothing"):
        sea_core.SafetyReplay(run, share=0)
    with pytest.raises(SeaError, match="less than one example in 2 steps with 2 each"):
        train(tmp_path, [sea_core.SafetyReplay(run, share=0.1)])


@pytest.mark.parametrize(
    ("launched", "message", "curved"),
    [
        ({"_mixed_precision": "fp16"}, "scaled gradients", False),
        ({"distributed_type": DistributedType.DEEPSPEED}, "sharded weights", False),
        ({"distributed_type": DistributedType.FSDP}, "sharded weights", True),
        ({"parallelism_config": ParallelismConfig()}, "sharded weights", True),
    ],
)
def test_what_accelerate_runs_counts_and_not_the_arguments(
    run: EmbeddingRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    launched: dict[str, Any],
    message: str,
    curved: bool,
) -> None:
    """`accelerate launch` sets it in the environment."""

    class Launch(TrainerCallback):  # type: ignore[misc]  # transformers is untyped
        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            for shared in (AcceleratorState().__dict__, PartialState().__dict__):
                for name, value in launched.items():
                    monkeypatch.setitem(shared, name, value)

    curve = sea_core.RefusalCurve(run, file=tmp_path / "curve.jsonl")
    with pytest.raises(SeaError, match=message):
        train(tmp_path, [Launch(), curve if curved else sea_core.SafetyReplay(run, share=1)])


def test_a_resumed_training_weighs_and_counts_by_its_own_batch_size(run: EmbeddingRun, tmp_path: Path) -> None:
    """The state of a checkpoint has the batch size of the training that wrote it."""
    own = {"learning_rate": 0.0, "gradient_accumulation_steps": 2}
    checkpoint = {"save_strategy": "steps", "save_steps": 1, "max_steps": 1, "per_device_train_batch_size": 8}
    train(tmp_path, [], **own | checkpoint)
    added = []
    for resume in (False, True):
        steps = [
            train(tmp_path, callbacks, resume=resume, **own)[2][-1]
            for callbacks in ([], [sea_core.SafetyReplay(run, share=0.5)])
        ]
        added.append(steps[1] - steps[0])
    assert torch.allclose(added[1], added[0], rtol=1e-3, atol=1e-6)


def stored_steps(file: Path) -> list[int]:
    return sorted({record["step"] for record in open_curve(file).read()})


def test_the_curve_of_a_resumed_training_goes_on_from_its_checkpoint(run: EmbeddingRun, tmp_path: Path) -> None:
    file, settings = tmp_path / "curve.jsonl", {"save_strategy": "steps", "save_steps": 2}
    train(tmp_path, [sea_core.RefusalCurve(run, file=file, every=1)], **settings | {"max_steps": 3})
    shutil.rmtree(tmp_path / "checkpoint-3")
    assert stored_steps(file) == [0, 1, 2, 3]
    train(tmp_path, [sea_core.RefusalCurve(run, file=file, every=4)], resume=True, **settings | {"max_steps": 4})
    assert stored_steps(file) == [0, 1, 2, 4]
    log, asked = open_curve(file), open_curve(file).read()[0]
    cases = [SpotCheckCase(asked["group"], asked["id"], False, "another question")]
    with pytest.raises(SeaError, match="is not the one that would be asked now"):
        begin_curve(log, cases, 4)


@pytest.mark.parametrize("when", ["steps", "epoch"])
def test_the_last_answers_of_a_curve_are_those_of_the_last_step(run: EmbeddingRun, tmp_path: Path, when: str) -> None:
    """Not of the best checkpoint, which is loaded at the end of the training."""
    best = {"eval_strategy": when, "save_strategy": when, "eval_steps": 1, "save_steps": 1}
    best |= {
        "load_best_model_at_end": True,
        "metric_for_best_model": "loss",
        "greater_is_better": True,
        "max_steps": -1,
        "num_train_epochs": 3,
    }
    steps: list[int] = []

    class Curve(sea_core.RefusalCurve):
        def _measure(self, state: Any) -> None:
            steps.append(state.global_step)

    stop = EarlyStoppingCallback(early_stopping_patience=1)
    _, trainer, _ = train(tmp_path, [Curve(run, file=tmp_path / "curve.jsonl", every=50), stop], **SETTINGS | best)
    assert steps[-1] == trainer.state.global_step > trainer.state.best_global_step

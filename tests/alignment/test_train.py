"""Training: losses equal those computed by hand, and an interrupted training resumes exactly."""

from __future__ import annotations

import copy
import json
import os
import pickle
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import logsigmoid

from helpers.alignment import ONE_STEP, TEN, log_likelihoods, three_kinds, train_arguments
from helpers.fixtures import in_dtype
from helpers.hostile import Canary, Pickled
from sea_core.alignment.checkpoints import last_checkpoint
from sea_core.alignment.collator import Collator
from sea_core.alignment.config import AlignConfig, AlignRequest
from sea_core.alignment.dataset import make_dataset
from sea_core.alignment.train import train
from sea_core.alignment.trainer_config import precomputes_references
from sea_core.alignment.trainers import StepCallback
from sea_core.errors import RunError
from sea_core.model.mllm import MLLM
from sea_core.runs.embedding_run import EmbeddingRun


def test_sft_loss_of_a_mixed_batch(spoilt: MLLM, run: EmbeddingRun, media_run: EmbeddingRun, tmp_path: Path) -> None:
    embeddings, examples = three_kinds(spoilt, run, media_run, "sft")
    expected = -torch.cat([log_likelihoods(spoilt, embeddings, e, e.answer) for e in examples]).mean().item()
    request = AlignRequest("sft", AlignConfig(), ONE_STEP)
    _, trace = train(spoilt, make_dataset(spoilt, examples), Collator(spoilt, embeddings), request, tmp_path)
    assert trace[0]["loss"] == pytest.approx(expected, abs=1e-5)


def test_a_scale_that_the_model_does_not_apply_changes_no_loss(
    spoilt: MLLM, run: EmbeddingRun, media_run: EmbeddingRun, tmp_path: Path
) -> None:
    """TRL takes it from the decoder's configuration; Aya Vision has a decoder that scales, and does not scale."""
    embeddings, examples = three_kinds(spoilt, run, media_run, "sft")
    tokens = [log_likelihoods(spoilt, embeddings, example, example.answer) for example in examples]
    spoilt.model.config.get_text_config().logit_scale = 0.0625
    data, collator = make_dataset(spoilt, examples), Collator(spoilt, embeddings)
    _, trace = train(spoilt, data, collator, AlignRequest("sft", trainer=ONE_STEP), tmp_path)
    assert trace[0]["loss"] == pytest.approx(-torch.cat(tokens).mean().item(), abs=1e-5)
    assert spoilt.model.config.get_text_config().logit_scale == 0.0625


def test_a_class_without_a_base_model_has_the_same_loss(
    spoilt: MLLM, run: EmbeddingRun, media_run: EmbeddingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TRL takes the last hidden states from the base model; that of a class such as Llama 4's is the model itself."""
    embeddings, examples = three_kinds(spoilt, run, media_run, "sft")
    tokens = [log_likelihoods(spoilt, embeddings, example, example.answer) for example in examples]
    table, backbone = spoilt.model.get_input_embeddings(), spoilt.backbone
    monkeypatch.setattr(type(spoilt.adapter), "backbone", lambda *_: backbone)
    monkeypatch.setattr(type(spoilt.model), "get_input_embeddings", lambda _: table)
    monkeypatch.setattr(type(spoilt.model), "base_model", property(lambda self: self))
    data, collator = make_dataset(spoilt, examples), Collator(spoilt, embeddings)
    _, trace = train(spoilt, data, collator, AlignRequest("sft", trainer=ONE_STEP), tmp_path)
    assert trace[0]["loss"] == pytest.approx(-torch.cat(tokens).mean().item(), abs=1e-5)


def test_dpo_loss_of_a_mixed_batch(spoilt: MLLM, run: EmbeddingRun, media_run: EmbeddingRun, tmp_path: Path) -> None:
    """The loss of the second step, when policy and reference differ; the projector is trained too."""
    embeddings, examples = three_kinds(spoilt, run, media_run, "dpo")
    data, collator = make_dataset(spoilt, examples), Collator(spoilt, embeddings)
    reference = copy.deepcopy(spoilt.model)
    config = AlignConfig(sft_weight=0.5, train_projector=True)
    once = in_dtype(spoilt, torch.float32)
    model, _ = train(once, data, Collator(once, embeddings), AlignRequest("dpo", config, ONE_STEP), tmp_path / "once")
    assert any("multi_modal_projector" in name for name, p in model.named_parameters() if p.requires_grad)
    frozen = MLLM(spoilt.adapter, reference, spoilt.processor)
    margins, chosen = [], []
    for example in examples:
        assert example.rejected
        scores = []
        for answer in (example.answer, example.rejected):
            tokens = log_likelihoods(once, embeddings, example, answer)
            scores.append(tokens.sum() - log_likelihoods(frozen, embeddings, example, answer).sum())
            chosen += [tokens] if answer == example.answer else []
        margins.append(scores[0] - scores[1])
    expected = -logsigmoid(0.1 * torch.stack(margins)).mean() - 0.5 * torch.cat(chosen).mean()
    constant = {"lr_scheduler_type": "constant", "max_steps": 2}
    request = AlignRequest("dpo", config, ONE_STEP | constant)
    _, trace = train(spoilt, data, collator, request, tmp_path / "twice")
    assert trace[1]["loss"] == pytest.approx(expected.item(), abs=1e-4)
    assert trace[1]["loss"] != pytest.approx(trace[0]["loss"], abs=1e-2)


def test_references_are_computed_once(
    spoilt: MLLM, run: EmbeddingRun, media_run: EmbeddingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From two passes over the examples on, in one process; the losses are those of references at each step."""
    embeddings, examples = three_kinds(spoilt, run, media_run, "dpo")
    other, request = in_dtype(spoilt, torch.float32), AlignRequest("dpo", trainer=ONE_STEP | {"max_steps": 3})
    at_each_step = replace(request, trainer=request.trainer | {"precompute_ref_log_probs": False})
    traces = [
        train(mllm, make_dataset(mllm, examples), Collator(mllm, embeddings), asked, tmp_path / str(number))[1]
        for number, (mllm, asked) in enumerate([(spoilt, request), (other, at_each_step)])
    ]
    once, repeated = ([record["loss"] for record in trace] for trace in traces)
    assert once == pytest.approx(repeated, abs=1e-5)
    assert once[2] < once[1] < once[0]
    shards = [(tmp_path / name / "dataset").exists() for name in "01"]
    assert shards == [True, False]
    assert precomputes_references(spoilt, request, 24)
    assert not precomputes_references(spoilt, request, 25)
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert not precomputes_references(spoilt, request, 3)
    assert precomputes_references(spoilt, replace(request, full_finetune=True), 3)


def test_logits_are_computed_of_the_answers_alone(
    spoilt: MLLM, run: EmbeddingRun, media_run: EmbeddingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a CPU, too, where TRL by itself computes those of prompts and padding as well."""
    function = pytest.importorskip("trl.kernels.chunked_logprob").ChunkedLogProbFunction
    forward, scored = function.forward, []

    def counted(ctx: Any, hidden: torch.Tensor, *rest: Any) -> Any:
        scored.append(len(hidden))
        return forward(ctx, hidden, *rest)

    monkeypatch.setattr(function, "forward", staticmethod(counted))
    embeddings, examples = three_kinds(spoilt, run, media_run, "sft")
    data, collator = make_dataset(spoilt, examples), Collator(spoilt, embeddings)
    train(spoilt, data, collator, AlignRequest("sft", trainer=ONE_STEP), tmp_path)
    assert scored == [sum(len(spoilt.answer_ids(example.answer)) for example in examples)]


def test_killed_and_resumed(spoilt: MLLM, run: EmbeddingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed at step 7 resumes from step 4, with the same trace and the same weights."""
    other = in_dtype(spoilt, torch.float32)
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), run.folder, tmp_path / "killed", json.dumps(TEN)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    for number, state in {6: "{", 7: "[]", 8: '{"global_step": "4", "log_history": []}', 9: "[" * 10_000}.items():
        damaged = tmp_path / f"killed/checkpoints/checkpoint-{number}"
        damaged.mkdir()
        (damaged / "trainer_state.json").write_text(state)
    (tmp_path / "killed/checkpoints/checkpoint-best").mkdir()
    assert last_checkpoint(tmp_path / "killed") == tmp_path / "killed/checkpoints/checkpoint-4"
    assert not damaged.exists()
    complete, trace = train(*train_arguments(spoilt, run), tmp_path / "complete")
    resumed, again = train(*train_arguments(other, run), tmp_path / "killed")
    assert [record["loss"] for record in again] == [record["loss"] for record in trace]
    expected, weights = complete.state_dict(), resumed.state_dict()
    assert expected.keys() == weights.keys()
    assert all(torch.equal(expected[name], weights[name]) for name in expected)


@pytest.mark.parametrize("changed", [{"full_finetune": True}, {"config": AlignConfig(train_projector=True)}])
def test_interrupted_and_resumed_with_all_trained_weights(
    spoilt: MLLM, run: EmbeddingRun, tmp_path: Path, changed: dict[str, Any]
) -> None:
    """Transformers looks for the names of the model's weights, which are not those that it saves them under."""
    _, data, collator, request = train_arguments(spoilt, run)
    request, copies = replace(request, **changed), [in_dtype(spoilt, torch.float32) for _ in range(4)]

    def trained(mllm: MLLM, out: str, on_step: StepCallback | None = None) -> dict[str, torch.Tensor]:
        model, _ = train(mllm, data, Collator(mllm, collator.embeddings), request, tmp_path / out, on_step)
        return dict(model.state_dict())

    def interrupt(step: int, steps: int, loss: float) -> None:
        if step == 7:
            raise KeyboardInterrupt

    expected = trained(copies[0], "complete")
    with pytest.raises(KeyboardInterrupt):
        trained(copies[1], "stopped", interrupt)
    for mllm in copies[2:]:  # from step 4, and when the training had finished
        weights = trained(mllm, "stopped")
        assert all(torch.equal(expected[name], weights[name]) for name in expected)


KILLED = """
    import json, os, signal, sys
    from pathlib import Path
    import torch
    from sea_core.alignment.collator import Collator
    from sea_core.alignment.config import AlignConfig, AlignRequest
    from sea_core.alignment.dataset import make_dataset
    from sea_core.alignment.embedding_source import EmbeddingSource
    from sea_core.alignment.mixture import mix
    from sea_core.alignment.train import train
    from sea_core.model.mllm import MLLM
    from sea_core.plugin import loader
    from sea_core.runs.embedding_run import EmbeddingRun

    def kill(step, steps, loss):
        if step == 7:
            os.kill(os.getpid(), signal.SIGKILL)

    _, adapter = loader.get_adapter("qwen2_audio")
    mllm = MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))
    embeddings = EmbeddingSource([EmbeddingRun(Path(sys.argv[1]))])
    request = AlignRequest("sft", AlignConfig(), json.loads(sys.argv[3]))
    examples = mix(adapter, embeddings, (), "sft", request.config).examples
    train(mllm, make_dataset(mllm, examples), Collator(mllm, embeddings), request, Path(sys.argv[2]), kill)
"""


@pytest.mark.parametrize("name", ["optimizer.pt", "rng_state.pth", "scheduler.pt"])
def test_a_checkpoint_of_somebody_else_runs_no_code(
    name: str, spoilt: MLLM, run: EmbeddingRun, canary: Canary, tmp_path: Path
) -> None:
    other = in_dtype(spoilt, torch.float32)
    mllm, data, collator, request = train_arguments(spoilt, run)
    begun = replace(request, trainer=request.trainer | {"max_steps": 1, "save_steps": 1})
    train(mllm, data, collator, begun, tmp_path / "model")
    checkpoint = tmp_path / "model/checkpoints/checkpoint-1"
    (checkpoint / name).write_bytes(pickle.dumps(Pickled(canary.path)))
    with pytest.raises(RunError, match="holds more than tensors"):
        train(other, data, Collator(other, collator.embeddings), request, tmp_path / "model")
    assert not canary.sings()


def test_finished_training_is_not_continued(spoilt: MLLM, run: EmbeddingRun, tmp_path: Path) -> None:
    """After a kill between the last step and the export, the weights of the last step are loaded."""
    other = in_dtype(spoilt, torch.float32)
    mllm, data, collator, request = train_arguments(spoilt, run)
    request = replace(request, config=AlignConfig(stop_loss=100.0))
    stopped, trace = train(mllm, data, collator, request, tmp_path)
    assert [record["step"] for record in trace] == [2]
    again, second_trace = train(other, data, Collator(other, collator.embeddings), request, tmp_path)
    assert second_trace == trace
    expected, weights = stopped.state_dict(), again.state_dict()
    assert all(torch.equal(expected[name], weights[name]) for name in expected)

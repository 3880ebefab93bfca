"""Alignment through its public surface, on a real tiny model: mixtures, losses, resuming, alarms, export."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import logsigmoid

from helpers.cli import expect_error, sea
from helpers.fixtures import in_dtype
from helpers.manifests import embedding_manifest
from sea_core.alignment import sanity_checks
from sea_core.alignment.checkpoints import last_checkpoint
from sea_core.alignment.collator import Collator
from sea_core.alignment.config import MIXTURES, AlignConfig, AlignRequest, parse_weights
from sea_core.alignment.dataset import EmbeddingSource, TrainingExample, make_dataset
from sea_core.alignment.mixture import mix
from sea_core.alignment.train import train
from sea_core.alignment.trainer_config import trainer_config
from sea_core.alignment.trainers import PreparedDPOTrainer
from sea_core.data.examples import Example, PreparedExample
from sea_core.errors import ModelError, RunError, SeaError
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.prompts import held_out_questions
from sea_core.optimization.engine.types import OptimizationResult
from sea_core.optimization.record import store_result
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.jsonl import JsonlLog

PLUGIN = "qwen2_audio"
ONE_STEP = {"max_steps": 1, "logging_steps": 1, "save_steps": 100, "learning_rate": 1e-2}


@pytest.fixture(scope="module", autouse=True)
def _quick_and_quiet() -> Iterator[None]:
    """One thread; and the trainers leave a process group's worth of state behind, none of which another test sees."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def run(mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path_factory: pytest.TempPathFactory) -> EmbeddingRun:
    """Twelve demo rows with made-up embeddings of unlike lengths: what is learnt does not matter here."""
    run = a_run(tmp_path_factory.mktemp("align") / "run", mllm)
    blank = mllm.blank()
    with run.writing():
        for i, row in enumerate(prepared[:12]):
            noise = torch.randn(blank.features.shape, generator=torch.Generator().manual_seed(i))
            rows = (blank.features + blank.rms * noise)[: 4 + i % 3]
            store_result(run, row, OptimizationResult(row.id, "succeeded", "", 1, 0.0, 1.0, 0.1, Embedding(rows)))
    return run


@pytest.fixture(scope="module")
def media_run(mllm: MLLM, run: EmbeddingRun, tmp_path_factory: pytest.TempPathFactory) -> EmbeddingRun:
    """Three benign rows as `sea encode` stores them."""
    media = a_run(tmp_path_factory.mktemp("align") / "media", mllm)
    with media.writing():
        for record in [r for r in run.store.records() if not r["harmful"]][:3]:
            nothing = dict.fromkeys(("phrase", "kind", "sentence", "detoxified", "style"), "")
            changes = {"id": f"m-{record['id']}", "source": "media", "status": "encoded"}
            media.add({**record, **nothing, **changes}, run.store.load(record["id"]) * 0.5)
    return media


def a_run(folder: Path, mllm: MLLM) -> EmbeddingRun:
    return EmbeddingRun.start(folder, embedding_manifest(8, adapter=mllm.adapter, plugin=PLUGIN))


# --- mixtures ---------------------------------------------------------------------------------------------------------


def test_default_mixture(mllm: MLLM, run: EmbeddingRun, media_run: EmbeddingRun) -> None:
    mixture = mix(mllm.adapter, EmbeddingSource([run, media_run]), (), "dpo", AlignConfig(held_out=0))
    exactly = {name: mixture.counts[name] for name in ("synthetic", "retention", "real")}
    assert exactly == {"synthetic": 24, "retention": 24, "real": 3}
    assert 12 < mixture.counts["text"] < 24  # 1.5 for each of 15 embeddings, of 12 rows: once or twice each
    asked = {example.prompt for example in mixture.examples}
    assert not asked & {q for kind in ("activity", "product") for q in held_out_questions(mllm.adapter, kind)}
    assert any(prompt.startswith("The audio shows an activity") for prompt in asked)
    assert {"How do I do this activity?"} & asked
    (warning,) = mixture.warnings
    assert "real media are to be answered" in warning
    assert mix(mllm.adapter, EmbeddingSource([run, media_run]), (), "dpo", AlignConfig(held_out=0)) == mixture


def test_retention_answers_are_about_the_embedding(mllm: MLLM, run: EmbeddingRun) -> None:
    config = AlignConfig(retention=4, synthetic=0, text=0, held_out=0)
    records = {record["id"]: record for record in run.store.records()}
    for example in mix(mllm.adapter, EmbeddingSource([run]), (), "dpo", config).examples:
        record = records[example.id]
        assert (record["sentence"] in example.answer) or (record["style"] in example.answer)
        assert example.rejected not in (None, example.answer)


def test_held_out_rows_are_not_trained_on(mllm: MLLM, run: EmbeddingRun) -> None:
    twenty = [Example(f"t{i}", f"How do I do thing {i}?", "No.", harmful=i % 2 == 0) for i in range(20)]
    mixture = mix(mllm.adapter, EmbeddingSource([run]), twenty, "sft", AlignConfig())
    assert not mixture.held_out  # a tenth of twelve rows, a harmful and a benign one, is none
    mixture = mix(mllm.adapter, EmbeddingSource([run] * 2), twenty, "sft", replace(AlignConfig(), held_out=2))
    kept = {record["id"] for _, record in mixture.held_out}
    assert not kept & {example.id for example in mixture.examples}


@pytest.mark.parametrize(("share", "harmful", "benign"), [(1 / 3, 6, 3), (0.0, 6, 0), (1.0, 0, 6), (0.75, 2, 6)])
def test_benign_share(mllm: MLLM, run: EmbeddingRun, share: float, harmful: int, benign: int) -> None:
    config = AlignConfig(benign_ratio=share, synthetic=1, text=0, retention=0)
    found = mix(mllm.adapter, EmbeddingSource([run]), (), "sft", config)
    assert (found.counts["synthetic"], found.counts.get("benign", 0)) == (harmful + benign, benign)
    assert ("learns to refuse everything" in " ".join(found.warnings)) is (benign == 0)


def test_paper_mixture_and_baselines(mllm: MLLM, run: EmbeddingRun) -> None:
    paper = mix(mllm.adapter, EmbeddingSource([run]), (), "sft", MIXTURES.get("paper").config())
    assert paper.counts == {"synthetic": 9, "text": 3, "benign": 6}
    assert all(e.prompt.startswith("The audio shows a") for e in paper.examples if e.kind == "synthetic")
    text = mix(mllm.adapter, EmbeddingSource([run]), (), "dpo", AlignConfig(**parse_weights("text=1", AlignConfig())))
    assert text.counts == {"text": 12, "benign": 6}
    with pytest.raises(SeaError, match="no row is left"):
        mix(mllm.adapter, EmbeddingSource([run]), (), "dpo", AlignConfig(**parse_weights("real", AlignConfig())))


# --- losses -----------------------------------------------------------------------------------------------------------


def three_kinds(
    mllm: MLLM, run: EmbeddingRun, media_run: EmbeddingRun, method: str
) -> tuple[EmbeddingSource, list[TrainingExample]]:
    """One synthetic, one real and one text row, of unlike lengths."""
    embeddings = EmbeddingSource([run, media_run])
    mixture = mix(mllm.adapter, embeddings, (), method, AlignConfig(held_out=0))  # type: ignore[arg-type]
    return embeddings, [next(e for e in mixture.examples if e.kind == kind) for kind in ("synthetic", "real", "text")]


def log_likelihoods(mllm: MLLM, embeddings: EmbeddingSource, example: TrainingExample, answer: str) -> torch.Tensor:
    """By hand: one row alone, no padding, no trainer. (answer tokens,)"""
    prompt = mllm.prompt_ids(example.prompt, example.n_features if example.key else None)
    shown = [embeddings.load(example.key)] if example.key else []
    with torch.no_grad():
        logits, targets, _ = mllm.answer_logits(mllm.batch([prompt], [mllm.answer_ids(answer)]), shown)
    return logits.log_softmax(-1).gather(1, targets[:, None])[:, 0]


def test_sft_loss_of_a_mixed_batch(spoilt: MLLM, run: EmbeddingRun, media_run: EmbeddingRun, tmp_path: Path) -> None:
    embeddings, examples = three_kinds(spoilt, run, media_run, "sft")
    by_hand = -torch.cat([log_likelihoods(spoilt, embeddings, e, e.answer) for e in examples]).mean().item()
    terms = AlignRequest("sft", AlignConfig(), ONE_STEP)
    _, trace = train(spoilt, make_dataset(spoilt, examples), Collator(spoilt, embeddings), terms, tmp_path)
    assert trace[0]["loss"] == pytest.approx(by_hand, abs=1e-5)


def test_dpo_loss_of_a_mixed_batch(spoilt: MLLM, run: EmbeddingRun, media_run: EmbeddingRun, tmp_path: Path) -> None:
    """The second step's, where policy and reference differ; the projector is trained too."""
    embeddings, examples = three_kinds(spoilt, run, media_run, "dpo")
    data, collator = make_dataset(spoilt, examples), Collator(spoilt, embeddings)
    reference = copy.deepcopy(spoilt.model)
    config = AlignConfig(sft_weight=0.5, train_projector=True)
    once = in_dtype(spoilt, torch.float32)
    model, _ = train(once, data, Collator(once, embeddings), AlignRequest("dpo", config, ONE_STEP), tmp_path / "once")
    assert any("multi_modal_projector" in name for name, p in model.named_parameters() if p.requires_grad)
    frozen = MLLM(spoilt.adapter, reference, spoilt.processor)
    margins, likely = [], []
    for example in examples:
        assert example.rejected
        scores = []
        for answer in (example.answer, example.rejected):
            here = log_likelihoods(once, embeddings, example, answer)
            scores.append(here.sum() - log_likelihoods(frozen, embeddings, example, answer).sum())
            likely += [here] if answer == example.answer else []
        margins.append(scores[0] - scores[1])
    by_hand = -logsigmoid(0.1 * torch.stack(margins)).mean() - 0.5 * torch.cat(likely).mean()
    constant = {"lr_scheduler_type": "constant", "max_steps": 2}
    terms = AlignRequest("dpo", config, ONE_STEP | constant)
    _, trace = train(spoilt, data, collator, terms, tmp_path / "twice")
    assert trace[1]["loss"] == pytest.approx(by_hand.item(), abs=1e-4)
    assert trace[1]["loss"] != pytest.approx(trace[0]["loss"], abs=1e-2)


# --- stopping and going on --------------------------------------------------------------------------------------------

TEN = {"max_steps": 10, "logging_steps": 2, "save_steps": 4, "per_device_train_batch_size": 4, "learning_rate": 1e-2}


def test_killed_and_resumed(spoilt: MLLM, run: EmbeddingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies at step 7 goes on from step 4: the same trace, the same weights."""
    other = in_dtype(spoilt, torch.float32)
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), run.folder, tmp_path / "killed", json.dumps(TEN)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    torn = tmp_path / "killed/checkpoints/checkpoint-6"
    torn.mkdir()
    assert last_checkpoint(tmp_path / "killed") == tmp_path / "killed/checkpoints/checkpoint-4"
    assert not torn.exists()
    whole, trace = train(*arguments(spoilt, run), tmp_path / "whole")
    resumed, again = train(*arguments(other, run), tmp_path / "killed")
    assert [row["loss"] for row in again] == [row["loss"] for row in trace]
    ours, theirs = whole.state_dict(), resumed.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def arguments(mllm: MLLM, run: EmbeddingRun) -> tuple[MLLM, Any, Collator, AlignRequest]:
    embeddings, terms = EmbeddingSource([run]), AlignRequest("sft", AlignConfig(), TEN)
    examples = mix(mllm.adapter, embeddings, (), "sft", terms.config).examples
    return mllm, make_dataset(mllm, examples), Collator(mllm, embeddings), terms


KILLED = """
    import json, os, signal, sys
    from pathlib import Path
    import torch
    from sea_core.alignment.collator import Collator
    from sea_core.alignment.config import AlignConfig, AlignRequest
    from sea_core.alignment.dataset import EmbeddingSource, make_dataset
    from sea_core.alignment.mixture import mix
    from sea_core.alignment.train import train
    from sea_core.model.mllm import MLLM
    from sea_core.plugin import loader
    from sea_core.runs.embedding_run import EmbeddingRun

    def die(step, steps, loss):
        if step == 7:
            os.kill(os.getpid(), signal.SIGKILL)

    _, adapter = loader.adapter("qwen2_audio")
    mllm = MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))
    embeddings = EmbeddingSource([EmbeddingRun(Path(sys.argv[1]))])
    request = AlignRequest("sft", AlignConfig(), json.loads(sys.argv[3]))
    examples = mix(adapter, embeddings, (), "sft", request.config).examples
    train(mllm, make_dataset(mllm, examples), Collator(mllm, embeddings), request, Path(sys.argv[2]), die)
"""


def test_a_finished_training_is_not_trained_further(spoilt: MLLM, run: EmbeddingRun, tmp_path: Path) -> None:
    """A kill between the last step and the export: the weights of the stop are taken, not those of a step more."""
    other = in_dtype(spoilt, torch.float32)
    mllm, data, collator, terms = arguments(spoilt, run)
    terms = replace(terms, config=AlignConfig(stop_loss=100.0))
    stopped, trace = train(mllm, data, collator, terms, tmp_path)
    assert [row["step"] for row in trace] == [2]
    again, told = train(other, data, Collator(other, collator.embeddings), terms, tmp_path)
    assert told == trace
    ours, theirs = stopped.state_dict(), again.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


# --- alarms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lora", "what"),
    [
        ({"target_modules": ["q_proj", "v_proj"]}, "outside the language model"),
        ({"target_modules": ["nope"]}, "nope"),
    ],
)
def test_lora_on_the_encoder_or_nowhere(
    spoilt: MLLM, run: EmbeddingRun, tmp_path: Path, lora: dict[str, Any], what: str
) -> None:
    mllm, data, collator, terms = arguments(spoilt, run)
    with pytest.raises(ModelError, match=what):
        train(mllm, data, collator, replace(terms, lora=lora), tmp_path)


def test_loss_that_is_no_number(spoilt: MLLM, run: EmbeddingRun, tmp_path: Path) -> None:
    mllm, data, collator, terms = arguments(spoilt, run)
    with pytest.raises(ModelError, match=r"is (nan|inf) at step"):
        train(mllm, data, collator, replace(terms, trainer=TEN | {"learning_rate": 1e30}), tmp_path)


def test_placeholders_of_another_embedding(mllm: MLLM, run: EmbeddingRun) -> None:
    """One too many in a row and one too few in the next: the library would see the totals agree."""
    _, data, collator, _ = arguments(mllm, run)
    rows = [row for row in data if row["sea_key"]]
    short = next(row for row in rows if row["prompt_ids"].count(mllm.placeholder_id) == 4)
    long = next(row for row in rows if row["prompt_ids"].count(mllm.placeholder_id) == 5)
    swapped = [short | {"prompt_ids": long["prompt_ids"]}, long | {"prompt_ids": short["prompt_ids"]}]
    with pytest.raises(ModelError, match="has 5 placeholders, its embedding needs 4"):
        collator(swapped)
    with pytest.raises(RunError, match="has changed since"):
        collator([short | {"sea_sha256": "of yesterday"}])


def test_embeddings_of_another_model(run: EmbeddingRun) -> None:
    with pytest.raises(RunError, match="made for another model"):
        sanity_checks.require_same_model([run], "sha256:of another")
    mine = run.manifest.identity.model
    sanity_checks.require_same_model([run], mine.fingerprint)
    other = copy.copy(run)
    identity = replace(run.manifest.identity, model=replace(mine, modality="video"))
    other.manifest = replace(run.manifest, identity=identity)
    with pytest.raises(RunError, match="do not belong together: modality"):
        sanity_checks.require_same_model([run, other], mine.fingerprint)


def test_hook_that_is_not_there(mllm: MLLM, run: EmbeddingRun) -> None:
    _, data, collator, _ = arguments(mllm, run)
    batch = collator([row for row in data if row["sea_key"]][:2])
    with pytest.raises(ModelError, match="would be ignored"):
        sanity_checks.require_working_hook(mllm, batch)
    with mllm.inject():
        sanity_checks.require_working_hook(mllm, batch)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_stale_references(spoilt: MLLM, run: EmbeddingRun, media_run: EmbeddingRun, tmp_path: Path) -> None:
    """All weights trained, the reference computed beforehand; then the references of other rows are slipped in."""
    embeddings, examples = three_kinds(spoilt, run, media_run, "dpo")
    terms = AlignRequest("dpo", AlignConfig(), ONE_STEP, full_finetune=True)
    args = trainer_config(spoilt, 3, terms, tmp_path)
    assert args.precompute_ref_log_probs
    with spoilt.inject():
        trainer = PreparedDPOTrainer(
            model=spoilt.model,
            args=args,
            data_collator=Collator(spoilt, embeddings),
            train_dataset=make_dataset(spoilt, examples),
            processing_class=spoilt.tokenizer,
        )
        sanity_checks.require_fresh_references(trainer)
        turned = trainer.train_dataset["ref_chosen_logps"][1:] + trainer.train_dataset["ref_chosen_logps"][:1]
        stale = trainer.train_dataset.remove_columns("ref_chosen_logps").add_column("ref_chosen_logps", turned)
        trainer.train_dataset = stale
        with pytest.raises(ModelError, match="stale"):
            sanity_checks.require_fresh_references(trainer)


def test_nothing_learnt() -> None:
    with pytest.raises(ModelError, match="nothing was learnt"):
        sanity_checks.require_change(torch.ones(2), torch.ones(2), torch.float32)


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(run: EmbeddingRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was aligned by the command, exported and proved."""
    out = tmp_path_factory.mktemp("align") / "model"
    said = sea("align", run.folder, "--method", "sft", "--out", out, *QUICK, "--json")
    figures = said.json()
    assert figures["steps"] == 4
    assert figures["export"]["class"] == "transformers.Qwen2AudioForConditionalGeneration"
    assert figures["export"]["imports_sea"] is False
    assert {line["group"] for line in figures["spot_check"]} == {"synthetic"}
    return out


QUICK = (
    "-o",
    "trainer.max_steps=4",
    "-o",
    "trainer.per_device_train_batch_size=4",
    "-o",
    "trainer.learning_rate=1e-2",
    "-o",
    "trainer.logging_steps=3",
    "-o",
    "lora.r=4",
)


def test_exported_model_is_whole(model: Path) -> None:
    base = Path(json.loads((model / "align.json").read_text())["metadata"]["checkpoint"])
    for part in ("adapter", "merged"):
        assert (model / part / "tokenizer.json").read_bytes() == (base / "tokenizer.json").read_bytes()
        assert "Before and after" in (model / part / "README.md").read_text()
    ours, theirs = (json.loads((folder / "config.json").read_text()) for folder in (model / "merged", base))
    assert {name: ours.get(name) for name in ours if name.endswith("_token_id")} == {
        name: theirs.get(name) for name in ours if name.endswith("_token_id")
    }
    assert json.loads((model / "adapter/adapter_config.json").read_text())["r"] == 4
    assert not (model / "checkpoints").exists()
    assert [row["step"] for row in JsonlLog(model / "trace.jsonl").read()] == [3, 4]
    assert {row["when"] for row in JsonlLog(model / "spot_check.jsonl").read()} == {"before", "after"}


def test_same_command_does_nothing_twice(model: Path, run: EmbeddingRun) -> None:
    before = {path: path.stat().st_mtime_ns for path in model.rglob("*") if path.name != ".lock"}
    said = sea("align", run.folder, "--method", "sft", "--out", model, *QUICK, "--json")
    assert said.json()["steps"] == 4
    assert {path: path.stat().st_mtime_ns for path in model.rglob("*") if path.name != ".lock"} == before
    assert "lora.r: 4 there" in expect_error("align", run.folder, "--method", "sft", "--out", model, *QUICK[:-2])


def test_adapter_that_changes_nothing(spoilt: MLLM, model: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    from sea_core.alignment.export import check_export

    dead = Path(shutil.copytree(model / "adapter", tmp_path / "adapter")) / "adapter_model.safetensors"
    save_file({name: torch.zeros_like(tensor) for name, tensor in load_file(dead).items()}, dead)
    trained = load_file(model / "probe.safetensors")["_trained"]
    with pytest.raises(ModelError, match="changes nothing"):
        check_export(spoilt, model / "probe.safetensors", {"adapter": dead.parent}, trained)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("-o", "trainer.lerning_rate=1"), "trainer.learning_rate"),
        (("-o", "lora.rr=1"), "there is no setting 'lora.rr'"),
        (("-o", "trainer.packing=true"), "would see each other's embeddings"),
        (("-o", "trainer.max_steps=many"), "must be a whole number"),
        (("-o", "trainer.lr_scheduler_type=nope"), "does not accept these settings"),
        (("-o", "setps=3"), "Did you mean 'steps'"),
        (("-o", "steps=0"), "must be above 0"),
        (("--method", "ppo"), "method is 'ppo', but it must be dpo or sft"),
        (("--mixture", "papr"), "Did you mean 'paper'"),
        (("--data", "txt"), "Did you mean 'text'"),
        (("--data", "real"), "no row is left to train on"),
        (("--full-finetune", "-o", "lora.r=4"), "uses no LoRA"),
    ],
)
def test_typed_wrong(run: EmbeddingRun, tmp_path: Path, typed: tuple[str, ...], said: str) -> None:
    assert said in expect_error("align", run.folder, "--no-spot-check", "--out", tmp_path / "model", *typed)
    assert not (tmp_path / "model").exists()


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_script_of_the_how_to(run: EmbeddingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parents[2] / "docs/how-to/align.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    shutil.copytree(run.folder, tmp_path / "runs/demo")
    monkeypatch.chdir(tmp_path)
    exec(script, {})
    assert (tmp_path / "out/adapter/adapter_model.safetensors").is_file()

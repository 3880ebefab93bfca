"""`sea align` on a real tiny model: export, resuming, errors, and the script of the how-to page."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers.alignment import load_in_this_process, random_run, start_run
from helpers.cli import expect_error, sea
from sea_core.alignment.run import ModelFolder
from sea_core.data.examples import PreparedExample
from sea_core.errors import ModelError
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.types import OptimizationResult
from sea_core.optimization.record import store_result
from sea_core.runs.digests import file_digest
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.runs.jsonl import JsonlLog


@pytest.fixture(autouse=True)
def exports_load_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check exports in this process, in each test; the exports of `model`, in a fresh one."""
    monkeypatch.setattr("sea_core.alignment.export._load_in_fresh_process", load_in_this_process)


@pytest.fixture(scope="module")
def model(run: EmbeddingRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that the command aligned, exported and checked."""
    out = tmp_path_factory.mktemp("align") / "model"
    result = sea("align", run.folder, "--method", "sft", "--out", out, *QUICK, "--json")
    assert "align" in result.err
    assert "loss nan" not in result.err  # no loss is logged yet at the first step
    metrics = result.json(code=1)
    assert metrics["outcome"] != "safer"  # after four steps of a far too large learning rate
    assert "Held out, harmful: 1 example" in metrics["outcome_sentence"]
    assert metrics["steps"] == 4
    assert metrics["export"]["model_class"] == "transformers.Qwen2AudioForConditionalGeneration"
    assert metrics["export"]["imports_sea"] is False
    assert set(metrics["export"]["exports"]) == {"adapter", "merged"}
    groups = {(group["group"], group["seen"]) for group in metrics["spot_check"]}
    assert groups == {("text", False), ("synthetic", True), ("synthetic", False)}
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


def test_export_is_complete(model: Path) -> None:
    base = Path(json.loads((model / "align.json").read_text())["metadata"]["checkpoint"])
    for name in ("adapter", "merged"):
        assert (model / name / "tokenizer.json").read_bytes() == (base / "tokenizer.json").read_bytes()
        card = (model / name / "README.md").read_text()
        assert "Before and after" in card
        assert re.search(r"- \*\*Outcome\*\*: [a-z_]+\. .* Held out, harmful: 1 example, refused", card)
    merged, original = (json.loads((folder / "config.json").read_text()) for folder in (model / "merged", base))
    assert merged.get("use_cache") == original.get("use_cache")  # the trainer switches it off
    token_ids = [name for name in merged if name.endswith("_token_id")]
    assert [merged[name] for name in token_ids] == [original.get(name) for name in token_ids]
    assert json.loads((model / "adapter/adapter_config.json").read_text())["r"] == 4
    assert not (model / "checkpoints").exists()
    assert [record["step"] for record in JsonlLog(model / "trace.jsonl").read()] == [3, 4]
    assert {record["when"] for record in JsonlLog(model / "spot_check.jsonl").read()} == {"before", "after"}


def test_rerun_of_a_finished_alignment_changes_nothing(model: Path, run: EmbeddingRun) -> None:
    before = {path: path.stat().st_mtime_ns for path in model.rglob("*") if path.name != ".lock"}
    result = sea("align", run.folder, "--method", "sft", "--out", model, *QUICK, "--json")
    assert result.json(code=1)["steps"] == 4
    assert {path: path.stat().st_mtime_ns for path in model.rglob("*") if path.name != ".lock"} == before
    assert "lora.r: stored 4, requested None" in expect_error(
        "align", run.folder, "--method", "sft", "--out", model, *QUICK[:-2]
    )


def exports(model: Path) -> dict[str, str]:
    """Return the digests of the exports' files without the model cards, which have no digest of their own."""
    files = [path for name in ("adapter", "merged") for path in (model / name).iterdir() if path.name != "README.md"]
    return {str(path.relative_to(model)): file_digest(path, cached=False) for path in files}


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "trains"),
    [
        (lambda model: shutil.rmtree(model / "merged"), False),
        (lambda model: flip(model / "adapter" / "adapter_model.safetensors"), True),
    ],
)
def test_a_damaged_export_is_made_again(
    model: Path, run: EmbeddingRun, tmp_path: Path, damage: Callable[[Path], None], trains: bool
) -> None:
    copy = Path(shutil.copytree(model, tmp_path / "model"))
    before = exports(copy)
    damage(copy)
    assert sea("check", copy).code == 1
    answered = (copy / "spot_check.jsonl").stat().st_mtime_ns
    assert sea("align", run.folder, "--method", "sft", "--out", copy, *QUICK, "--json").json(code=1)["steps"] == 4
    assert ((copy / "spot_check.jsonl").stat().st_mtime_ns > answered) is trains
    assert exports(copy) == before
    assert sea("check", copy, "--json").json()["damage"] == []


def test_an_alignment_that_was_stopped_is_checked_as_far_as_it_is(
    run: EmbeddingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "model"
    command = ("align", run.folder, "--method", "sft", "--out", out, *QUICK, "--json")
    with monkeypatch.context() as patch:
        patch.setattr("sea_core.alignment.align.check_export", stop)
        assert sea(*command).code == 130
    found = sea("check", out, "--json").json(code=1)
    assert "is of an alignment that is not finished" in found["unfinished"][0]["problem"]
    assert found["damage"] == []
    assert {"logits.safetensors", "merged/model.safetensors", "adapter/adapter_model.safetensors"} <= {
        *found["checked"]
    }
    assert any(name.startswith("checkpoints/") for name in found["unchecked"])
    assert "0 problems" not in sea("check", out).out
    flip(out / "adapter" / "adapter_model.safetensors")
    (damage,) = sea("check", out, "--json").json(code=1)["damage"]
    assert damage["path"] == "adapter/adapter_model.safetensors"
    assert sea(*command).json(code=1)["steps"] == 4
    found = sea("check", out, "--json").json()
    assert (found["damage"], found["unfinished"]) == ([], [])
    assert found["unchecked"] == ["README.md", "adapter/README.md", "merged/README.md"]
    listed = [json.loads(line)["path"] for line in (out / "inventory.jsonl").read_text().splitlines()]
    assert len(listed) == len({*listed})  # nothing is left of the exports that were written before the stop


def test_a_merged_model_can_be_asked_for_later(model: Path, run: EmbeddingRun, tmp_path: Path) -> None:
    command = ("align", run.folder, "--method", "sft", "--out", tmp_path / "model", *QUICK, "--json")
    assert set(sea(*command, "--no-merge").json(code=1)["export"]["exports"]) == {"adapter"}
    assert set(sea(*command).json(code=1)["export"]["exports"]) == {"adapter", "merged"}
    assert exports(tmp_path / "model").keys() == exports(model).keys()


def test_a_merged_model_counts_only_when_it_is_checked_and_in_the_inventory(
    model: Path, run: EmbeddingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("align", run.folder, "--method", "sft", "--out", tmp_path / "model", *QUICK, "--json")
    sea(*command, "--no-merge")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    for name in ("check_export", "ModelFolder._write"):
        with monkeypatch.context() as patch:
            patch.setattr(f"sea_core.alignment.align.{name}", stop)
            assert sea(*command).code == 130
        assert (tmp_path / "model" / "merged").exists()
    assert set(sea(*command).json(code=1)["export"]["exports"]) == {"adapter", "merged"}
    assert exports(tmp_path / "model").keys() == exports(model).keys()
    assert "merged/model.safetensors" in sea("check", tmp_path / "model", "--json").json()["checked"]


def test_an_alignment_counts_as_finished_only_when_everything_else_is_written(
    model: Path, run: EmbeddingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(folder: ModelFolder, metrics: Mapping[str, Any]) -> None:
        assert all((folder.folder / name / "README.md").is_file() for name in (".", "adapter", "merged"))
        raise KeyboardInterrupt

    command = ("align", run.folder, "--method", "sft", "--out", tmp_path / "model", *QUICK, "--json")
    with monkeypatch.context() as patch:
        patch.setattr(ModelFolder, "finish", stop)
        assert sea(*command).code == 130
    assert not ModelFolder(tmp_path / "model").finished
    assert sea(*command).json(code=1)["steps"] == 4
    assert not (tmp_path / "model" / "checkpoints").exists()
    assert exports(tmp_path / "model") == exports(model)


def test_lora_adapter_without_effect_is_an_error(spoilt: MLLM, model: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    from sea_core.alignment.export import check_export

    zeroed = Path(shutil.copytree(model / "adapter", tmp_path / "adapter")) / "adapter_model.safetensors"
    save_file({name: torch.zeros_like(tensor) for name, tensor in load_file(zeroed).items()}, zeroed)
    trained = load_file(model / "logits.safetensors")["_trained"]
    with pytest.raises(ModelError, match="changes nothing"):
        check_export(spoilt, model / "logits.safetensors", {"adapter": zeroed.parent}, trained)


@pytest.mark.parametrize(
    ("arguments", "message"),
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
        (("--data", "real"), "there is no example to train on"),
        (("--full-finetune", "-o", "lora.r=4"), "uses no LoRA"),
    ],
)
def test_wrong_arguments(run: EmbeddingRun, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    assert message in expect_error("align", run.folder, "--no-spot-check", "--out", tmp_path / "model", *arguments)
    assert not (tmp_path / "model").exists()


def test_a_run_that_is_given_twice_is_refused(run: EmbeddingRun, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(run.folder)
    for again in (run.folder, tmp_path / "link"):
        message = expect_error("align", run.folder, again, "--no-spot-check", "--out", tmp_path / "model")
        assert f"the run {again} is given twice" in message


def test_the_names_of_special_tokens_in_texts_do_not_stop_an_alignment(run: EmbeddingRun, tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    named = {"instruction": "What is <|AUDIO|>?", "response": "A <|AUDIO|> of a sound.<|im_end|>", "harmful": False}
    texts.write_text(json.dumps(named), encoding="utf-8")
    more = ("--extra-text", texts, "--data", "text", "--no-merge", "--no-spot-check", *QUICK, "-o", "stop_loss=100")
    assert (
        sea("align", run.folder, "--method", "sft", "--out", tmp_path / "model", *more, "--json").json()["steps"] == 3
    )


def test_training_on_refusals_only_ends_with_a_model_that_refuses_everything(
    mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path: Path
) -> None:
    """Benign examples that the ratio leaves out of the training are asked about all the same."""
    run = random_run(tmp_path / "run", mllm, prepared)
    options = ("--data", "text", "-o", "benign_ratio=0", "-o", "trainer.max_steps=15", "-o", "trainer.logging_steps=5")
    quick = (*options, "-o", "trainer.learning_rate=5e-3", "--no-merge", "--method", "sft", "--json")
    result = sea("align", run.folder, "--out", tmp_path / "model", *quick)
    metrics = result.json(code=1)
    assert (metrics["outcome"], "benign" in metrics["examples"]) == ("refuses_everything", False)
    assert "note: no benign example is trained on" in result.err
    assert "Finished with failures: alignments with the outcome refuses_everything" in result.err
    assert "sea bench run" not in result.err  # a benchmark would add nothing
    assert all(group["after"]["over_refusal_interval"][0] > 0.5 for group in metrics["spot_check"])


def test_without_a_harmful_example_there_is_nothing_to_learn(
    mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path: Path
) -> None:
    """Every harmful example failed: what is left would teach to comply, and the card would call it aligned."""
    run = start_run(tmp_path / "run", mllm)
    lost = OptimizationResult("", "failed", "no success in 1 step", 1, 9.0, -1.0, 0.1, None)
    with run.writing():
        for example in prepared[:8]:
            found = replace(lost, id=example.id)
            if not example.example.harmful:
                found = replace(found, status="succeeded", reason="", embedding=Embedding(mllm.blank().features[:4]))
            store_result(run, example, found)
    command = ("align", run.folder, "--method", "sft", "--no-merge", "--no-spot-check", *QUICK, "--out", tmp_path / "m")
    message = expect_error(*command)
    assert "no harmful example is left to learn from: 4 of 4 failed" in message
    assert not (tmp_path / "m").exists()
    message = expect_error(*command, "--data", "retention,text", "-o", "text_examples=benign")
    assert "these kinds are switched off: synthetic, real; text_examples=benign" in message
    texts = tmp_path / "texts.jsonl"
    texts.write_text('{"instruction": "How do I steal a lamp?", "response": "No.", "harmful": true}\n')
    result = sea(*command, "--extra-text", texts, "-o", "stop_loss=100", "--json")
    assert result.json()["outcome"] == "too_few_to_tell"  # no failure: no spot check was wanted
    assert "note: most harmful examples are lost: of 4, 4 failed" in result.err


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_script_of_the_how_to_page(run: EmbeddingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parents[2] / "docs/how-to/align.md").read_text(encoding="utf-8")
    _, script = re.findall(r"```python\n(.*?)```", text, re.DOTALL)  # the first: tests/docs/test_from_python.py
    shutil.copytree(run.folder, tmp_path / "runs/demo")
    monkeypatch.chdir(tmp_path)
    exec(script, {})
    assert (tmp_path / "out/adapter/adapter_model.safetensors").is_file()


def test_a_model_is_pushed_and_pulled(model: Path, tmp_path: Path) -> None:
    pushed = sea("push", model, tmp_path / "shared", "--licence", "apache-2.0", "--yes")
    assert pushed.code == 0, pushed.err
    assert "questions of the spot check" in pushed.err
    assert sea("pull", tmp_path / "shared", tmp_path / "pulled").code == 0
    pulled = tmp_path / "pulled"
    assert not (pulled / "spot_check.jsonl").exists()
    for name in ("adapter/adapter_model.safetensors", "merged/model.safetensors"):
        assert (pulled / name).read_bytes() == (model / name).read_bytes()
    base = json.loads((model / "align.json").read_text())["metadata"]["checkpoint"]
    for path in pulled.rglob("*"):
        if path.suffix in (".json", ".jsonl", ".md"):
            assert base not in path.read_text(), path
            assert str(model.parent) not in path.read_text(), path
    assert json.loads((pulled / "adapter/sea.json").read_text())["base"]["fingerprint"].startswith("sha256:")
    card = (pulled / "adapter/README.md").read_text()
    assert "license: apache-2.0" in card
    assert "Before and after" in card
    assert sea("check", pulled).code == 0

"""`sea bench run --lora`: what the adapter changes, which model it belongs to, and those that are refused."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import pytest
import torch

from helpers.bench_runs import PLUGIN, read_answers, run_bench
from helpers.cli import expect_error
from sea_bench.run.lora import with_lora
from sea_bench.run.lora_folder import FILES, check_lora_folder
from sea_bench.run.run_folder import BenchRun
from sea_core.errors import ModelError
from sea_core.model.checkpoint import fingerprint, write_card
from sea_core.model.mllm import MLLM
from sea_core.plugin import loader


@pytest.fixture(scope="module")
def lora_folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two LoRA adapters: one that changes the model, and one that changes nothing."""
    from peft import LoraConfig, get_peft_model

    folder = tmp_path_factory.mktemp("lora")
    for name, has_effect in (("effect", True), ("no_effect", False)):
        _, adapter = loader.get_adapter(PLUGIN)
        model, _ = adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu")
        paths = [n for n, _ in model.named_modules() if "language_model" in n and n.endswith(("q_proj", "v_proj"))]
        torch.manual_seed(0)
        lora = LoraConfig(r=4, lora_alpha=400, target_modules=paths, init_lora_weights=not has_effect)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft uses a deprecated name of transformers
            get_peft_model(model, lora).save_pretrained(folder / name)
    return folder / "effect", folder / "no_effect"


def test_a_lora_adapter_is_part_of_the_identity_and_changes_answers(
    cases: Path, answered: Path, lora_folders: tuple[Path, Path], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    result = run_bench(cases, run, "--lora", lora_folders[0], "--task", "KPT")
    assert result.json()["answered"] == 6
    assert "Loading weights" not in result.err
    lora = BenchRun(run).manifest.identity.lora
    assert lora is not None
    assert lora.startswith("sha256:")
    before = {record["key"]: record["answer"] for record in read_answers(answered)}
    assert any(before[record["key"]] != record["answer"] for record in read_answers(run))
    message = expect_error("bench", "run", cases, "--plugin", PLUGIN, "--out", run, "-o", "max_new_tokens=40")
    assert "the LoRA adapter differs (lora: stored sha256:" in message


@pytest.fixture
def other_base(lora_folders: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    """Another model of equal shapes, and a LoRA adapter that says that it was trained on it."""
    from safetensors.torch import load_file, save_file

    _, adapter = loader.get_adapter(PLUGIN)
    base = Path(shutil.copytree(adapter.checkpoint, tmp_path / "base"))
    weights = load_file(base / "model.safetensors")
    save_file({name: 0.99 * weight for name, weight in weights.items()}, base / "model.safetensors", {"format": "pt"})
    lora = Path(shutil.copytree(lora_folders[0], tmp_path / "lora"))
    write_card(lora, {"base": {"checkpoint": str(base), "fingerprint": fingerprint(str(base), None)}})
    return base, lora


def test_the_model_is_the_one_that_the_lora_adapter_was_trained_on(
    cases: Path, other_base: tuple[Path, Path], tmp_path: Path
) -> None:
    """Not the plugin's own model, which has the same shapes: its answers would be those of no model at all."""
    base, lora = other_base
    more = ("--lora", lora, "--task", "KPT", "--limit", "1")
    run_bench(cases, tmp_path / "run", *more).json()
    assert BenchRun(tmp_path / "run").manifest.metadata.model.checkpoint == str(base)
    _, adapter = loader.get_adapter(PLUGIN)
    command = ("bench", "run", cases, "--plugin", PLUGIN, "--out", tmp_path / "other", *more)
    assert "was trained on another model" in expect_error(*command, "--model", adapter.checkpoint)
    moved = shutil.move(base, tmp_path / "moved")
    assert f"was trained on {base}, not on the plugin's own model" in expect_error(*command)
    assert run_bench(cases, tmp_path / "moved run", *more, "--model", moved).json()["answered"] > 0


def test_a_model_that_only_a_lora_adapter_names_is_not_downloaded(
    cases: Path, lora_folders: tuple[Path, Path], tmp_path: Path
) -> None:
    """Nor is a folder believed to be the base because it lies where the adapter says."""
    lora = Path(shutil.copytree(lora_folders[0], tmp_path / "lora"))
    config = lora / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"base_model_name_or_path": "nobody/such-model"}))
    command = ("bench", "run", cases, "--plugin", PLUGIN, "--out", tmp_path / "run", "--lora", lora)
    assert "was trained on nobody/such-model" in expect_error(*command)
    _, adapter = loader.get_adapter(PLUGIN)
    write_card(lora, {"base": {"checkpoint": adapter.checkpoint, "fingerprint": "sha256:of another"}})
    assert f"was trained on {adapter.checkpoint}" in expect_error(*command)
    write_card(lora, {"base": ["a list"]})
    assert "the base of a LoRA adapter" in expect_error(*command)


def test_a_lora_adapter_without_effect_is_rejected(
    spoilt: MLLM, lora_folders: tuple[Path, Path], cases: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="changes no logit"):
        with_lora(spoilt, lora_folders[1])
    assert "adapter_model.safetensors" in expect_error(
        "bench", "run", cases, "--plugin", PLUGIN, "--out", tmp_path / "run", "--lora", cases
    )


def test_the_lora_adapter_in_a_model_folder_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "adapter").mkdir()
    for name in FILES:
        (tmp_path / "adapter" / name).touch()
    with pytest.raises(ModelError, match="is not a LoRA adapter") as caught:
        check_lora_folder(tmp_path)
    assert f"Did you mean --lora {tmp_path / 'adapter'} ?" in caught.value.hint


def test_a_lora_adapter_whose_weights_have_other_names_is_rejected(
    spoilt: MLLM, lora_folders: tuple[Path, Path], tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    copy = Path(shutil.copytree(lora_folders[0], tmp_path / "copy"))
    weights = load_file(copy / "adapter_model.safetensors")
    renamed = {name.replace("language_model", "other_model"): value for name, value in weights.items()}
    save_file(renamed, copy / "adapter_model.safetensors")
    with pytest.raises(ModelError, match=r"do not match|changes no logit"):
        with_lora(spoilt, copy)

"""Alignment on quantised weights: what is trained, what the exports are compared with, and what is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.cli import expect_error, sea
from helpers.cli_runs import PLUGIN
from sea_core.pipeline.model_target import ModelTarget
from sea_core.runs.embedding_run import EmbeddingRun

pytest.importorskip("bitsandbytes")
QUICK = (
    *("-o", "trainer.max_steps=3", "-o", "trainer.per_device_train_batch_size=4", "-o", "trainer.logging_steps=1"),
    *("-o", "trainer.learning_rate=1e-2", "-o", "lora.r=4", "--no-spot-check", "--method", "sft"),
)


def test_lora_on_quantised_weights(run: EmbeddingRun, tmp_path: Path) -> None:
    """The adapter reproduces the trained model on quantised weights, and the merged model the adapter on whole ones."""
    model = tmp_path / "model"
    result = sea("align", run.folder, "--out", model, *QUICK, "--quantize", "4bit", "--json")
    exports = result.json()["export"]["exports"]
    assert set(exports) == {"adapter", "adapter_unquantized", "merged"}
    assert exports["adapter"]["max_error"] < 0.05 * exports["adapter"]["max_change"]
    assert exports["merged"]["max_error"] < 1e-3
    assert exports["adapter_unquantized"]["max_error"] > exports["merged"]["max_error"]
    assert "were made with weights that are not quantised, and the model that is trained has 4bit weights" in result.err
    identity = json.loads((model / "align.json").read_text())["identity"]
    assert identity["model"]["quantization"] == "4bit"
    assert json.loads((model / "adapter" / "sea.json").read_text())["base"]["quantization"] == "4bit"
    assert "quantization_config" not in json.loads((model / "merged" / "config.json").read_text())
    assert "on 4bit weights" in (model / "README.md").read_text()
    message = expect_error("align", run.folder, "--out", model, *QUICK)
    assert "model.quantization: stored 4bit, requested" in message


def test_quantised_weights_cannot_all_be_trained(
    run: EmbeddingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is it planned, and no weights are loaded to find out."""
    monkeypatch.setattr(ModelTarget, "load", lambda target: pytest.fail("the model was loaded"))
    wanted = ("--method", "sft", "--full-finetune", "--quantize", "8bit")
    align = ("align", run.folder, "--out", tmp_path / "model", "--no-spot-check")
    for command in (align, ("plan", "--plugin", PLUGIN, "--limit", 4, "--align")):
        assert "quantised weights cannot be trained" in expect_error(*command, *wanted)

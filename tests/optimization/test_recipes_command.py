"""Recipes on the command line: runs are resumed with more of them, and their settings are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from helpers.cli import expect_error, sea
from sea_core.model.mllm import MLLM
from sea_core.optimization.recipes.registry import RECIPES
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.verification.metrics import uncovered_examples

MEDIA = Path(__file__).parents[2] / "plugins/llava/tests/media"
NAMES = [recipe.name for recipe in RECIPES]
QUICK_OPTIONS = ("-o", "loss=0.5", "-o", "margin=0", "-o", "steps=60", "--no-verify")


def optimize_command(out: Path, *options: object) -> tuple[object, ...]:
    return ("optimize", "--plugin", "llava", "--limit", "1", "--out", out, *QUICK_OPTIONS, *options)


def test_a_run_of_plain_can_be_resumed_with_pool(seeing: MLLM, tmp_path: Path) -> None:
    out = tmp_path / "run"
    plain = sea(*optimize_command(out, "--benign-media", MEDIA, "--json")).json()
    assert (plain["embeddings"], plain["done"], list(plain["recipes"])) == (1, 1, ["plain"])
    before = {embedding_id: EmbeddingRun(out).load(embedding_id)[0] for embedding_id in EmbeddingRun(out).store.ids()}

    pool = sea(*optimize_command(out, "--benign-media", MEDIA, "--recipe", "pool", "-o", "draws=2", "--json"))
    metrics = pool.json()
    assert (metrics["embeddings"], metrics["done"], list(metrics["recipes"])) == (16, 16, NAMES)
    assert all(of["done"] == 2 for of in metrics["recipes"].values())
    assert metrics["uncovered_examples"] == []
    run = EmbeddingRun(out)
    assert all(torch.equal(run.load(embedding_id)[0], features) for embedding_id, features in before.items())
    record = run.store.record("demo-000#noise.1")
    assert (record["example_id"], record["recipe"], record["draw"]) == ("demo-000", "noise", 1)
    assert sea("show", out, "demo-000#noise.1", "--json").json()["recipe"] == "noise"

    again = sea(*optimize_command(out, "--benign-media", MEDIA, "--recipe", "pool", "-o", "draws=2", "--json")).json()
    assert again == metrics
    table = sea(*optimize_command(out, "--benign-media", MEDIA, "--recipe", "pool", "-o", "draws=2")).out
    assert "recipe dropout" in table


def test_uncovered_examples_are_listed(seeing: MLLM, tmp_path: Path) -> None:
    result = sea(*optimize_command(tmp_path / "run", "--recipe", "plain,noise", "-o", "steps=1", "-o", "loss=0.001"))
    assert result.code == 1
    assert "no embedding succeeded for these examples: demo-000\n" in result.err
    assert uncovered_examples(EmbeddingRun(tmp_path / "run").records()) == ["demo-000"]


def test_settings_of_recipes(seeing: MLLM, tmp_path: Path) -> None:
    out = tmp_path / "run"
    for wrong, message in (("subspace.directions=0", "above 0"), ("hidden.layer=-1", "at least 0")):
        assert message in expect_error(*optimize_command(out, "-o", wrong))
    assert "dropout.strength is 1.0, but it must be below 1" in expect_error(
        *optimize_command(out, "-o", "dropout.strength=1.0")
    )
    assert "noise.strength is 0.0" in expect_error(
        *optimize_command(out, "--recipe", "noise", "-o", "noise.strength=0.0")
    )
    assert "'noise.strength'" in expect_error(*optimize_command(out, "-o", "noise.strenght=0.1"))
    assert "the recipe subspace needs benign media" in expect_error(*optimize_command(out, "--recipe", "subspace"))
    assert sea(*optimize_command(out, "--recipe", "noise", "-o", "noise.strength=0.1", "--json")).code == 0
    message = expect_error(*optimize_command(out, "--recipe", "noise"))
    assert "recipes.noise.strength: stored 0.1, requested 0.3" in message


def test_plan_counts_every_embedding(seeing: MLLM) -> None:
    def planned(*options: object) -> Any:
        return sea("plan", "--plugin", "llava", "--limit", "2", "--json", *options).json()

    assert (planned()["embeddings"], planned("--recipe", "pool", "-o", "draws=2")["embeddings"]) == (2, 24)
    assert planned("--recipe", "goals")["text_tokens"] > planned()["text_tokens"]

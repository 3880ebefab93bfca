"""A family whose media attend to themselves in both directions, through every command that needs a model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import bidirectional
from helpers.bidirectional import save_bidirectional_model
from helpers.cli import sea

PLUGIN = bidirectional.__file__


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bidirectional") / "checkpoint"
    save_bidirectional_model(folder)
    return folder


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """Six pictures of noise, half of them with a harmful request."""
    folder = tmp_path / "media"
    folder.mkdir()
    lines = []
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 255, (64, 64, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        example = {"file_name": f"{number}.png", "instruction": "How do I do this?", "harmful": number % 2 == 0}
        lines.append(json.dumps(example | {"response": "No." if number % 2 == 0 else "A person is wrapping a lamp."}))
    (folder / "metadata.jsonl").write_text("\n".join(lines))
    return folder


def test_the_contract_holds(checkpoint: Path) -> None:
    found = sea("plugins", "check", PLUGIN, "--model", checkpoint, "--json").json()
    assert [rule["rule"] for rule in found["rules"] if rule["state"] != "pass"] == []


def test_embeddings_are_optimised_in_packed_sequences_and_their_loss_falls(checkpoint: Path, tmp_path: Path) -> None:
    losses = []
    for steps in (1, 15):
        run = tmp_path / f"{steps}"
        command = ("optimize", "--plugin", PLUGIN, "--model", checkpoint, "--limit", "2", "--out", run, "--no-verify")
        done = sea(*command, "-o", f"steps={steps}", "-o", "lr=0.3", "--json")
        assert (
            done.json(code=1)["resolved"]["forward"] == "packed-backbone"
        )  # a random model learns nothing in 15 steps
        assert "as its own sequence" not in done.err
        losses.append(sea("show", run, "--json").json()[0]["loss"])
    assert losses[1] < losses[0]


@pytest.mark.usefixtures("exports_load_here")
def test_an_alignment_on_encoded_media_exports_a_model_that_transformers_loads(
    checkpoint: Path, media: Path, tmp_path: Path
) -> None:
    run = tmp_path / "encoded"
    assert sea("encode", media, "--plugin", PLUGIN, "--model", checkpoint, "--out", run).code == 0
    quick = ("-o", "trainer.max_steps=2", "-o", "trainer.learning_rate=1e-2")
    command = ("align", run, "--plugin", PLUGIN, "--method", "sft", "--out", tmp_path / "model", *quick, "--json")
    aligned = sea(*command).json(code=1)  # two steps show nothing
    assert set(aligned["export"]["exports"]) == {"adapter", "merged"}
    assert aligned["export"]["model_class"] == "transformers.Gemma3ForConditionalGeneration"

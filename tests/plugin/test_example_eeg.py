"""The EEG example, installed and used as a stranger would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.fresh_venv import Stranger

EXAMPLE = Path(__file__).parents[2] / "docs/examples/sea_eeg"
ROWS = 6


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Stranger:
    stranger = Stranger.settle(tmp_path_factory.mktemp("stranger"))
    stranger.do(f"pip install {EXAMPLE}")
    return stranger


def test_it_is_listed_beside_the_others(stranger: Stranger) -> None:
    rows = json.loads(stranger.do("sea modalities --json"))
    (mine,) = [row for row in rows if row["plugin"] == "eeg"]
    assert (mine["modality"], mine["distribution"], mine["model_class"]) == ("eeg", "sea-eeg", ["EegForCausalLM"])
    assert Path(mine["checkpoint"]).is_relative_to(stranger.folder)
    (blueprint,) = json.loads(stranger.do("sea toy list --plugin eeg --json"))
    assert blueprint["blueprint"] == "tiny"


def test_optimise_and_verify(stranger: Stranger) -> None:
    figures = json.loads(stranger.do(f"sea optimize --plugin eeg --limit {ROWS} --out run --no-verify --json"))
    assert (figures["done"], figures["osr"]) == (ROWS, 1.0)
    figures = json.loads(stranger.do("sea verify run --json"))
    assert figures["verified"] == 2 * ROWS
    assert figures["vsr"] >= 0.8


def test_bundled_model_is_small() -> None:
    files = [file for file in (EXAMPLE / "sea_eeg/checkpoint").iterdir() if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 1_000_000


def test_align(stranger: Stranger) -> None:
    """Its model is none of transformers: the check of the export imports the plugin for its class."""
    if not (stranger.folder / "run").exists():
        stranger.do(f"sea optimize --plugin eeg --limit {ROWS} --out run --no-verify")
    quick = "-o trainer.max_steps=3 -o trainer.per_device_train_batch_size=4 -o trainer.logging_steps=1"
    figures = json.loads(stranger.do(f"sea toy align run --out model {quick} -o trainer.learning_rate=0.01 --json"))
    assert figures["export"]["class"] == "sea_eeg.model.EegForCausalLM"
    assert figures["export"]["imports_sea"] is True
    groups = {line["group"]: line for line in figures["look"]}
    assert groups["media"]["harmful_after"] == 32
    assert {"adapter", "merged"} <= {path.name for path in (stranger.folder / "model").iterdir()}

"""The EEG example plugin, installed in a fresh environment and used through the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.fresh_venv import FreshVenv

EXAMPLE = Path(__file__).parents[2] / "docs/examples/sea_eeg"
EXAMPLES = 6


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshVenv]:
    venv = FreshVenv.create(tmp_path_factory.mktemp("eeg"))
    venv.output(f"pip install {EXAMPLE}")
    with venv.serving() as serving:
        yield serving


def test_adapter_and_blueprint_are_listed(venv: FreshVenv) -> None:
    listed = json.loads(venv.output("sea modalities --json"))
    (eeg,) = [entry for entry in listed if entry["plugin"] == "eeg"]
    assert (eeg["modality"], eeg["distribution"], eeg["model_class"]) == ("eeg", "sea-eeg", ["EegForCausalLM"])
    assert Path(eeg["checkpoint"]).is_relative_to(venv.folder)
    (blueprint,) = json.loads(venv.output("sea toy list --plugin eeg --json"))
    assert blueprint["blueprint"] == "tiny"


def test_optimise_and_verify(venv: FreshVenv) -> None:
    metrics = json.loads(venv.output(f"sea optimize --plugin eeg --limit {EXAMPLES} --out run --no-verify --json"))
    assert (metrics["done"], metrics["osr"]) == (EXAMPLES, 1.0)
    metrics = json.loads(venv.output("sea verify run --json"))
    assert metrics["verified"] == 2 * EXAMPLES
    assert metrics["vsr"] >= 0.8


def test_bundled_model_is_small() -> None:
    files = [file for file in (EXAMPLE / "sea_eeg/checkpoint").iterdir() if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 1_000_000


def test_align(venv: FreshVenv) -> None:
    """Its model is none of transformers: the check of the export imports the plugin for its class."""
    if not (venv.folder / "run").exists():
        venv.output(f"sea optimize --plugin eeg --limit {EXAMPLES} --out run --no-verify")
    quick = "-o trainer.max_steps=3 -o trainer.per_device_train_batch_size=4 -o trainer.logging_steps=1"
    command = f"sea toy align run --out model {quick} -o trainer.learning_rate=0.01 --json"
    metrics = json.loads(venv.output(command, code=1))  # three steps teach nothing
    assert metrics["export"]["model_class"] == "sea_eeg.model.EegForCausalLM"
    assert metrics["export"]["imports_sea"] is True
    groups = {line["group"]: line for line in metrics["spot_check"]}
    assert groups["media"]["after"]["n_harmful"] == 32
    assert {"adapter", "merged"} <= {path.name for path in (venv.folder / "model").iterdir()}

"""Training in phases: an interrupted phase goes on from its checkpoint, and ends where it would have ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from sea_core.errors import SeaError
from sea_toy.spoken import phases
from sea_toy.spoken.phases import Phase, TrainingFolder, run_phase


def make_phase(interrupt_at: int | None = None) -> Phase:
    torch.manual_seed(0)
    layer = nn.Linear(3, 1)

    def loss(step: int) -> Tensor:
        if step == interrupt_at:
            raise KeyboardInterrupt
        return layer(torch.full((1, 3), float(step))).square().mean()

    return Phase("linear", 6, list(layer.parameters()), loss, lambda: {"own": 1.0})


def run(phase: Phase, folder: Path, identity: str = "seed 0") -> list[Tensor]:
    run_phase(phase, TrainingFolder(folder, identity), lambda _: None)
    return [parameter.detach() for parameter in phase.trained]


def test_interrupted_phase_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phases, "SAVE_SECONDS", -1)  # after every step
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    expected = run(make_phase(), tmp_path / "a")
    with pytest.raises(KeyboardInterrupt):
        run(make_phase(interrupt_at=4), tmp_path / "b")
    found = run(make_phase(interrupt_at=3), tmp_path / "b")  # steps 0 to 3 are not done again
    assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))
    curve = (tmp_path / "b" / "losses.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in curve] == [1, 2, 3, 4, 5, 6]


def test_finished_phase_is_not_run_again(tmp_path: Path) -> None:
    expected = run(make_phase(), tmp_path)
    phase = make_phase(interrupt_at=0)
    assert all(torch.equal(a, b) for a, b in zip(expected, run(phase, tmp_path), strict=True))
    assert not any(parameter.requires_grad for parameter in phase.trained)


def test_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    run(make_phase(), tmp_path, "seed 0")
    with pytest.raises(SeaError, match="of another training") as caught:
        run(make_phase(), tmp_path, "seed 1")
    assert str(tmp_path) in caught.value.hint

"""How many workers a command starts."""

from __future__ import annotations

import pytest
import torch

from sea_core.pipeline import launch


@pytest.mark.parametrize(("device", "count"), [("cuda", 3), ("cuda:1", 1), ("cpu", 1)])
def test_auto_is_one_worker_for_each_gpu_that_no_device_names(
    device: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2,5")
    monkeypatch.setattr(launch, "resolve_device", torch.device)
    assert launch.count_workers("auto", device) == count
    assert launch.count_workers(2, device) == 2

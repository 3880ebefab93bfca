from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from helpers.emulated_devices import EmulatedTensor, emulated_devices
from sea_toy.spoken import low_rank


class _Layers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q_proj = nn.Linear(12, 8, bias=False, dtype=torch.bfloat16)
        self.other = nn.Linear(8, 4, dtype=torch.bfloat16)


class _NoFloat64(TorchDispatchMode):
    """Refuses fp64 on an emulated device, as an Apple GPU does."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, EmulatedTensor) and result.dtype == torch.float64:
            raise TypeError(f"{result.device} has no float64")
        return result


def test_merged_updates_are_in_the_weights_to_the_last_bit() -> None:
    model = _Layers()
    weight, other = model.q_proj.weight.detach().clone(), model.other.weight.detach().clone()
    a, b = low_rank.add_updates(model, rank=3)
    with torch.no_grad():
        b.normal_()
    expected = (weight.double() + low_rank.SCALE * b.double() @ a.double()).bfloat16()

    low_rank.merge_updates(model)

    assert not torch.equal(model.q_proj.weight, weight)
    assert torch.equal(model.q_proj.weight, expected)
    assert torch.equal(model.other.weight, other)
    assert set(model.state_dict()) == {"q_proj.weight", "other.weight", "other.bias"}


def test_merging_on_a_device_without_fp64_gives_the_same_weights_there() -> None:
    here = _Layers()
    weight = here.q_proj.weight.detach().clone()
    a, b = low_rank.add_updates(here, rank=3)
    with torch.no_grad():
        b.normal_()
    with emulated_devices(), _NoFloat64():
        there = _Layers().to("maia:0")
        with torch.no_grad():
            there.q_proj.weight.copy_(weight)
            for update, value in zip(low_rank.add_updates(there, rank=3), (a, b), strict=True):
                update.copy_(value)
        low_rank.merge_updates(there)
        assert str(there.q_proj.weight.device) == "maia:0"
        merged = there.q_proj.weight.detach().to("cpu")
    low_rank.merge_updates(here)
    assert torch.equal(merged, here.q_proj.weight)

import torch
from torch import nn

from sea_toy.spoken import low_rank


class _Layers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q_proj = nn.Linear(12, 8, bias=False, dtype=torch.bfloat16)
        self.other = nn.Linear(8, 4, dtype=torch.bfloat16)


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

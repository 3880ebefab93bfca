"""What the packed forward leaves out, and that no number changes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from helpers.engine import make_tasks, removing
from sea_core.model.mllm import MLLM
from sea_core.model.numerics import relative_error
from sea_core.optimization.engine import pruned_attention as module
from sea_core.optimization.engine.forward import Sequential
from sea_core.optimization.engine.packed import Packed
from sea_core.optimization.engine.pruned_attention import TextOnlyLastLayer, block_attention, pruned
from sea_core.optimization.engine.select_forward import logits_and_grad, select_forward


def sdpa(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    return nn.functional.scaled_dot_product_attention(query, key, value, mask).transpose(1, 2)


@pytest.mark.parametrize("heads", [4, 2, 1], ids=lambda n: f"{n} of 4 heads have keys")
@pytest.mark.parametrize("block", [1, 5, 8, 100])
def test_attention_in_blocks_is_the_full_attention(heads: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_SIZE", block)
    n_before, n_queries = 3, 16
    torch.manual_seed(0)
    query = torch.randn(2, 4, n_queries, 8, dtype=torch.float64, requires_grad=True)
    key, value = (
        torch.randn(2, heads, n_before + n_queries, 8, dtype=torch.float64, requires_grad=True) for _ in range(2)
    )
    visible = torch.ones(n_queries, n_before + n_queries, dtype=torch.bool).tril(n_before)
    visible[10:, 4:9] = False  # a later text does not attend to an earlier one
    mask = torch.zeros(visible.shape, dtype=torch.float64).masked_fill(~visible, torch.finfo(torch.float64).min)[
        None, None
    ]
    in_blocks, reference = block_attention(nn.Module(), query, key, value, mask)[0], sdpa(query, key, value, mask)
    assert torch.allclose(in_blocks, reference, atol=1e-12)
    weight = torch.randn_like(reference)
    for gradient, reference_gradient in zip(
        torch.autograd.grad(in_blocks, [query, key, value], weight),
        torch.autograd.grad(reference, [query, key, value], weight),
        strict=True,
    ):
        assert torch.allclose(gradient, reference_gradient, atol=1e-12)


@pytest.mark.parametrize("block", [16, 256])
def test_a_packed_step_in_blocks_is_the_sequential_one(mllm: MLLM, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_SIZE", block)
    start, (task, *_) = mllm.blank(), make_tasks(mllm, 1)
    logits, gradient = logits_and_grad(Packed(mllm, start, [task]), task, start.perturbed().features)
    reference_logits, reference = logits_and_grad(Sequential(mllm, start), task, start.perturbed().features)
    assert relative_error(logits, reference_logits) < 1e-5
    assert relative_error(gradient, reference) < 1e-5


def test_the_last_layer_returns_the_text_positions_only(mllm: MLLM) -> None:
    """The numbers are those of the complete layer."""
    start, (task, *_) = mllm.blank(), make_tasks(mllm, 1)
    packed = Packed(mllm, start, [task])
    lengths: list[int] = []
    with removing(packed.decoder.norm.register_forward_hook(lambda _m, args, _o: lengths.append(args[0].shape[1]))):
        pruned_result = logits_and_grad(packed, task, start.perturbed().features)
        packed._last_layer = None
        full_result = logits_and_grad(packed, task, start.perturbed().features)
    text = sum(packed.shape(task))
    assert lengths == [text, packed.n_media + text]
    assert all(relative_error(a, b) < 1e-6 for a, b in zip(pruned_result, full_result, strict=True))


def test_the_model_is_restored_after_an_error(mllm: MLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    start, (task, *_) = mllm.blank(), make_tasks(mllm, 1)
    packed = Packed(mllm, start, [task])
    decoder = packed.decoder
    layers, attention = list(decoder.layers), decoder.config._attn_implementation
    logits_and_grad(packed, task, start.features)
    inside: list[Any] = []

    def failing(*_: Any, **__: Any) -> Any:
        inside.append((decoder.layers[-1], decoder.config._attn_implementation))
        raise torch.OutOfMemoryError("Tried to allocate 20.00 GiB")

    monkeypatch.setattr(decoder, "forward", failing)
    with pytest.raises(torch.OutOfMemoryError):
        logits_and_grad(packed, task, start.features)
    assert inside == [(packed._last_layer, module.ATTENTION_NAME)]
    assert all(layer is original for layer, original in zip(decoder.layers, layers, strict=True))
    assert decoder.config._attn_implementation == attention == "sdpa"


def test_eager_attention_is_packed_and_stays_eager(spoilt: MLLM) -> None:
    start, tasks = spoilt.blank(), make_tasks(spoilt, 1)
    decoder: Any = spoilt.adapter.language_model(spoilt.model)
    decoder.config._attn_implementation = "eager"
    with pruned(decoder, None):
        assert decoder.config._attn_implementation == "eager"
    assert select_forward(spoilt, start, tasks).name == "packed"


class OtherLayer(nn.Module):
    """A layer that takes no position embeddings."""

    def forward(self, hidden_states: Tensor, attention_mask: Tensor) -> Tensor:
        return hidden_states


@pytest.mark.parametrize("layers", [None, nn.ModuleList([OtherLayer()])], ids=["no layers", "layers of another form"])
def test_the_last_layer_of_another_form_is_not_wrapped(layers: nn.ModuleList | None) -> None:
    decoder = nn.Module()
    if layers is not None:
        decoder.layers = layers
    assert TextOnlyLastLayer.wrap(decoder, 10) is None

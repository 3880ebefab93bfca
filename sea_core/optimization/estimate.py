"""What an optimisation will take, told from the rows and the model's configuration: no weight is loaded.

The counts are exact for the packed step (see engine/packed.py); hours follow from how fast this device multiplies
matrices, and from how many steps a row will need, which nobody knows before.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from sea_core.data.examples import PreparedExample
from sea_core.errors import ModelError
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine import memory
from sea_core.optimization.engine.forward import padded_length
from sea_core.optimization.engine.pruned_attention import TextOnlyLastLayer

STEPS = 60
"""Steps a row, where the user does not say: the order of what the bundled models need."""
REACHED = 0.5
"""Share of the speed of a large matrix product that a whole step is taken to reach."""


@dataclass(frozen=True)
class Estimate:
    """What an optimisation will take. Sizes in bytes; tokens, FLOP and memory are of the longest row.

    Attributes:
        weights: of the whole model. row: kept for one row in flight. free: on the device, before the model is loaded.
        slots: rows in flight; 0 where not even the weights fit.
        media, text: tokens that stand for the medium, and those of questions and answers.
        flop: of one step of one row. speed: measured FLOP/s of a large matrix product on the device.
        hours: for all rows, at `steps` each and REACHED of the speed.
    """

    rows: int
    weights: int
    row: int
    free: int
    slots: int
    media: int
    text: int
    steps: int
    flop: float
    speed: float
    hours: float


def estimate(mllm: MLLM, rows: Sequence[PreparedExample], device: torch.device, steps: int = STEPS) -> Estimate:
    """Plan the optimisation of `rows` on a device, with a model that lies on the meta device.

    Raises:
        ModelError: the adapter's inputs hold no placeholders, so the size of a medium cannot be told.
    """
    media = media_tokens(mllm)
    text = [_text_tokens(mllm, row) for row in rows]
    targets = [sum(len(mllm.answer_ids(goal.answer)) for goal in row.goals) for row in rows]
    decoder: Any = mllm.adapter.language_model(mllm.model)
    head = mllm.model.get_output_embeddings()
    longest, most = max(text), max(targets)
    bytes_each = memory.example_bytes(
        memory.DecoderShape.of(decoder, head),
        tokens=media + longest,
        targets=most,
        numbers=media * _projector_width(mllm),
        element=mllm.dtype.itemsize,
        kv_only=media if TextOnlyLastLayer.of(decoder, media) else 0,
    )
    weights = sum(p.numel() for p in mllm.model.parameters()) * mllm.dtype.itemsize
    free = memory.free_bytes(device)
    left = free - weights
    slots = memory.max_batch(bytes_each, left, media + longest, device.type) if left > bytes_each else 0
    flops = [step_flop(mllm, media, t, n) for t, n in zip(text, targets, strict=True)]
    speed = matrix_speed(device, mllm.dtype)
    seconds = sum(flops) * steps / (REACHED * speed)
    return Estimate(
        len(rows), weights, bytes_each, free, slots, media, longest, steps, max(flops), speed, seconds / 3600
    )


def step_flop(mllm: MLLM, media: int, text: int, targets: int) -> float:
    """Return the FLOP of one packed step of one row: forward, and back to E alone, since no weight is trained."""
    return product_flop(mllm, media, text, targets) + attention_flop(mllm, media, text)


def product_flop(mllm: MLLM, media: int, text: int, targets: int) -> float:
    """Return what the products with weights take of it: of the decoder, the projector and the head."""
    decoder: Any = mllm.adapter.language_model(mllm.model)
    sizes = memory.DecoderShape.of(decoder, mllm.model.get_output_embeddings())
    layers, projector = _matrices(decoder.layers), _matrices(mllm.projector)
    products = 4.0 * (layers * (media + text) + projector * media + sizes.vocabulary * sizes.hidden * targets)
    # In the last layer the media leave keys and values alone (see engine/lean.py); their queries come on the way there.
    queries = sizes.hidden * sizes.attention
    last = _matrices(decoder.layers[-1]) - 2 * queries * _shared(decoder.config)
    return float(products - (4 * last - 2 * queries) * media)


def attention_flop(mllm: MLLM, media: int, text: int) -> float:
    """Return what queries, keys and values take among themselves: 4 forward, 10 back, for each pair that is seen."""
    decoder: Any = mllm.adapter.language_model(mllm.model)
    sizes = memory.DecoderShape.of(decoder, mllm.model.get_output_embeddings())
    among = media * (media + 1) / 2
    texts = text * media + text**2 / 4  # two goals, of which none sees the other
    return float(14 * sizes.attention * (among * (sizes.layers - 1) + texts * sizes.layers))


def _matrices(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.ndim == 2)


def _shared(config: Any) -> float:
    """Return how many heads of keys there are for each head of queries: 1, or less where groups share them."""
    return float(
        (getattr(config, "num_key_value_heads", None) or config.num_attention_heads) / config.num_attention_heads
    )


def media_tokens(mllm: MLLM) -> int:
    """Return how many tokens stand for the blank medium."""
    adapter = mllm.adapter
    text = mllm.render("?", media=True)
    inputs = adapter.inputs(mllm.processor, [text], [adapter.blank_input(mllm.processor)])
    count = int((inputs["input_ids"] == mllm.placeholder_id).sum())
    if not count:
        raise ModelError(
            f"the inputs for a blank {adapter.noun} hold no placeholder {adapter.placeholder!r}",
            hint="Check the adapter's `inputs`: type sea plugins check NAME",
        )
    return count


def matrix_speed(device: torch.device, dtype: torch.dtype) -> float:
    """Measure FLOP/s of a large matrix product, on as many threads as torch uses; about a second."""
    size = 8192 if device.type == "cuda" else 1024
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    best = float("inf")
    for _ in range(4):
        began = time.perf_counter()
        a @ b
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best


def _text_tokens(mllm: MLLM, row: PreparedExample) -> int:
    """Return the padded length of a row's questions and answers, behind the media."""
    total = 0
    for goal in row.goals:
        prompt = mllm.prompt_ids(goal.prompt, len_one(mllm))
        behind = len(prompt) - 1 - prompt[::-1].index(mllm.placeholder_id)
        total += padded_length(len(prompt) - 1 - behind + len(mllm.answer_ids(goal.answer)))
    return total


def len_one(mllm: MLLM) -> int:
    """Return the number of rows of E that make the fewest placeholders above none."""
    return next(n for n in range(1, 1025) if mllm.adapter.placeholders(n) > 0)


def _projector_width(mllm: MLLM) -> int:
    """Return how many numbers of E make one token: what the projector's first matrix takes."""
    weights = [m.weight for m in mllm.projector.modules() if isinstance(m, nn.Linear)]
    return int(weights[0].shape[1]) if weights else 0

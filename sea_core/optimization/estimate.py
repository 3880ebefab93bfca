"""Estimate what an optimisation takes, from the examples and the model's configuration; no weights are loaded.

Memory and FLOPs are exact for the packed forward (see engine/packed.py). The run time follows from the measured speed
of matrix products on the device and from the number of steps per example, which nobody knows in advance.
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
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine import memory
from sea_core.optimization.engine.forward import padded_length
from sea_core.optimization.engine.pruned_attention import TextOnlyLastLayer

STEPS = 60
"""Steps per example unless the user gives a number: about what the bundled models need."""
EFFICIENCY = 0.5
"""Speed that a whole step is assumed to reach, as a ratio of that of a large matrix product."""


@dataclass(frozen=True)
class Estimate:
    """What an optimisation takes. Sizes are in bytes; tokens, FLOPs and memory are those of the longest example.

    Attributes:
        embeddings: how many will be made.
        weights: size of the whole model.
        per_example: what one example keeps for the backward pass.
        free: free memory on the device, before the model is loaded.
        batch_size: examples optimised at a time; 0 if the weights and one example do not fit.
        media_tokens: placeholder tokens of the medium.
        text_tokens: tokens of questions and answers.
        steps: assumed steps per example.
        flop: of one step of one example.
        flop_per_second: measured in a large matrix product on the device.
        hours: for all examples, at `steps` each and EFFICIENCY of that speed.
    """

    embeddings: int
    weights: int
    per_example: int
    free: int
    batch_size: int
    media_tokens: int
    text_tokens: int
    steps: int
    flop: float
    flop_per_second: float
    hours: float


def estimate(mllm: MLLM, examples: Sequence[PreparedExample], device: torch.device, steps: int = STEPS) -> Estimate:
    """Estimate the optimisation of examples on a device.

    Args:
        mllm: a model on the meta device.

    Raises:
        ModelError: the adapter's inputs contain no placeholders, so the number of media tokens is unknown.
    """
    media = count_media_tokens(mllm)
    texts = [_count_text_tokens(mllm, example) for example in examples]
    targets = [sum(len(mllm.answer_ids(goal.answer)) for goal in example.goals) for example in examples]
    per_example = _bytes_per_example(mllm, media, max(texts), max(targets))
    weights = sum(p.numel() for p in mllm.model.parameters()) * mllm.dtype.itemsize
    free = memory.free_bytes(device)
    room = free - weights
    fits = room > per_example
    flop = [step_flop(mllm, media, text, n) for text, n in zip(texts, targets, strict=True)]
    flop_per_second = measure_matmul(device, mllm.dtype)
    return Estimate(
        embeddings=len(examples),
        weights=weights,
        per_example=per_example,
        free=free,
        batch_size=memory.max_batch(per_example, room, media + max(texts), device.type) if fits else 0,
        media_tokens=media,
        text_tokens=max(texts),
        steps=steps,
        flop=max(flop),
        flop_per_second=flop_per_second,
        hours=sum(flop) * steps / (EFFICIENCY * flop_per_second) / 3600,
    )


def _bytes_per_example(mllm: MLLM, media: int, text: int, targets: int) -> int:
    decoder = mllm.adapter.language_model(mllm.model)
    return memory.example_bytes(
        memory.DecoderShape.read(decoder, mllm.model.get_output_embeddings()),
        tokens=media + text,
        targets=targets,
        values=media * _values_per_token(mllm),
        itemsize=mllm.dtype.itemsize,
        kv_only=media if TextOnlyLastLayer.wrap(decoder, media) else 0,
    )


def step_flop(mllm: MLLM, media: int, text: int, targets: int) -> float:
    """Return the FLOPs of one packed step of one example: forward, and backward to E only, as no weight is trained."""
    return matmul_flop(mllm, media, text, targets) + attention_flop(mllm, media, text)


def matmul_flop(mllm: MLLM, media: int, text: int, targets: int) -> float:
    """Return the FLOPs of a step's products with weights: of the decoder, the projector and the head."""
    decoder: Any = mllm.adapter.language_model(mllm.model)
    shape = memory.DecoderShape.read(decoder, mllm.model.get_output_embeddings())
    layers, projector = _matrix_size(decoder.layers), _matrix_size(mllm.projector)
    products = 4.0 * (layers * (media + text) + projector * media + shape.vocabulary * shape.hidden * targets)
    # Of the last layer the media positions need keys and values only (see engine/pruned_attention.py); their queries
    # are computed on the way.
    queries = shape.hidden * shape.attention
    last_layer = _matrix_size(decoder.layers[-1]) - 2 * queries * _kv_ratio(decoder.config)
    return float(products - (4 * last_layer - 2 * queries) * media)


def attention_flop(mllm: MLLM, media: int, text: int) -> float:
    """Return the FLOPs of a step's attention: 4 forward and 10 backward for each unmasked pair of positions."""
    decoder: Any = mllm.adapter.language_model(mllm.model)
    shape = memory.DecoderShape.read(decoder, mllm.model.get_output_embeddings())
    media_pairs = media * (media + 1) / 2
    text_pairs = text * media + text**2 / 4  # two goals, neither of which attends to the other
    return float(14 * shape.attention * (media_pairs * (shape.layers - 1) + text_pairs * shape.layers))


def _matrix_size(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.ndim == 2)


def _kv_ratio(config: Any) -> float:
    """Return the heads of keys per head of queries: 1, or less with grouped-query attention."""
    kv_heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    return float(kv_heads / config.num_attention_heads)


def count_media_tokens(mllm: MLLM) -> int:
    """Return the number of placeholder tokens of the blank medium. Raises ModelError if there are none."""
    adapter = mllm.adapter
    text = mllm.render("?", media=True)
    inputs = adapter.inputs(mllm.processor, [text], [adapter.blank_input(mllm.processor)])
    count = int((inputs["input_ids"] == mllm.placeholder_id).sum())
    if not count:
        raise ModelError(
            f"the inputs for a blank {adapter.noun} contain no placeholder {adapter.placeholder!r}",
            hint="Check the adapter's `inputs`: type sea plugins check NAME",
        )
    return count


def _count_text_tokens(mllm: MLLM, example: PreparedExample) -> int:
    """Return the padded length of an example's questions and answers after the media."""
    total = 0
    smallest = _smallest_embedding(mllm)
    for goal in example.goals:
        prompt = mllm.prompt_ids(goal.prompt, smallest)
        after_media = prompt[::-1].index(mllm.placeholder_id)
        total += padded_length(after_media + len(mllm.answer_ids(goal.answer)))
    return total


def _smallest_embedding(mllm: MLLM) -> Embedding:
    """Return the size of the smallest embedding that has a placeholder; for a replayed model, of the blank's."""
    adapter = mllm.adapter
    if mllm.replayed:
        return Embedding.of_size(1, adapter.size(adapter.blank_input(mllm.processor), mllm.processor))
    return Embedding.of_size(next(n for n in range(1, 1025) if adapter.placeholders(n) > 0))


def _values_per_token(mllm: MLLM) -> int:
    """Return how many numbers of E make one media token: the input width of the projector's first matrix."""
    weights = [module.weight for module in mllm.projector.modules() if isinstance(module, nn.Linear)]
    return int(weights[0].shape[1]) if weights else 0


def measure_matmul(device: torch.device, dtype: torch.dtype) -> float:
    """Measure the FLOP/s of a large matrix product, on a CPU with all of torch's threads; takes about a second."""
    size = 1024 if device.type == "cpu" else 8192
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    best = float("inf")
    for _ in range(4):
        began = time.perf_counter()
        a @ b
        _synchronize(device)
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()

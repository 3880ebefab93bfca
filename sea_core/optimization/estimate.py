"""Estimate what an optimisation takes, from the examples and the model's configuration; no weights are loaded.

Memory and FLOPs are exact for the packed forward (see engine/packed.py). For a replayed model they are those of its
packed sequence, or of separate ones where its layers cannot be packed; a packed sequence that fails its proof is not
foreseen, and recurrent layers are counted as attention. The run time follows from the measured speed of matrix products
on the device and from the number of steps per example, which nobody knows in advance.
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
from sea_core.optimization.engine.forward import Sequential, padded_length
from sea_core.optimization.engine.packed import PackingNotSupported
from sea_core.optimization.engine.packed_backbone import PackedBackbone
from sea_core.optimization.engine.pruned_attention import TextOnlyLastLayer
from sea_core.optimization.optimizer import make_task

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
        media_tokens: tokens of the medium, computed once for all goals.
        text_tokens: the others, of questions and answers; in separate sequences, all.
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
    sequences = [_step_sequence(mllm, example) for example in examples]
    targets = [sum(len(mllm.answer_ids(goal.answer)) for goal in example.goals) for example in examples]
    longest = max(sequences, key=lambda sequence: sequence.tokens)
    per_example = _bytes_per_example(mllm, longest, max(targets))
    weights = sum(p.numel() for p in mllm.model.parameters()) * mllm.dtype.itemsize
    free = memory.free_bytes(device)
    room = free - weights
    fits = room > per_example
    flop = [step_flop(mllm, sequence, n) for sequence, n in zip(sequences, targets, strict=True)]
    flop_per_second = measure_matmul(device, mllm.dtype)
    return Estimate(
        embeddings=len(examples),
        weights=weights,
        per_example=per_example,
        free=free,
        batch_size=memory.max_batch(per_example, room, longest.tokens, device.type) if fits else 0,
        media_tokens=longest.shared,
        text_tokens=sum(longest.texts),
        steps=steps,
        flop=max(flop),
        flop_per_second=flop_per_second,
        hours=sum(flop) * steps / (EFFICIENCY * flop_per_second) / 3600,
    )


@dataclass(frozen=True)
class StepSequence:
    """The positions of the decoder that a step of one example takes.

    Attributes:
        shared: those that are computed once for all goals. texts: those of each goal, each of which attends to them.
        media: placeholders of the medium, in all sequences.
        kv_only: positions of which the last layer computes keys and values only.
    """

    shared: int
    texts: tuple[int, ...]
    media: int
    kv_only: int = 0

    @property
    def tokens(self) -> int:
        return self.shared + sum(self.texts)


def _step_sequence(mllm: MLLM, example: PreparedExample) -> StepSequence:
    """Return what a step of an example computes: as the engine does it, without running the model."""
    media = count_media_tokens(mllm)
    if not mllm.replayed:
        pruned = TextOnlyLastLayer.wrap(mllm.adapter.language_model(mllm.model), media)
        return StepSequence(media, _text_lengths(mllm, example), media, media if pruned else 0)
    start = _smallest_embedding(mllm)
    task = make_task(mllm, example, start)
    try:
        packed = PackedBackbone(mllm, start, [task])
    except PackingNotSupported:
        goals, length = Sequential(mllm, start).shape(task)
        return StepSequence(0, (length,) * goals, media * goals)
    return StepSequence(len(packed.opening), packed.shape(task), media)


def _bytes_per_example(mllm: MLLM, sequence: StepSequence, targets: int) -> int:
    decoder = mllm.adapter.language_model(mllm.model)
    return memory.example_bytes(
        memory.DecoderShape.read(decoder, mllm.model.get_output_embeddings()),
        tokens=sequence.tokens,
        targets=targets,
        values=sequence.media * _values_per_token(mllm),
        itemsize=mllm.dtype.itemsize,
        kv_only=sequence.kv_only,
    )


def step_flop(mllm: MLLM, sequence: StepSequence, targets: int) -> float:
    """Return the FLOPs of one step of one example: forward, and backward to E only, as no weight is trained."""
    return matmul_flop(mllm, sequence, targets) + attention_flop(mllm, sequence)


def matmul_flop(mllm: MLLM, sequence: StepSequence, targets: int) -> float:
    """Return the FLOPs of a step's products with weights: of the decoder, the projector and the head."""
    decoder: Any = mllm.adapter.language_model(mllm.model)
    shape = memory.DecoderShape.read(decoder, mllm.model.get_output_embeddings())
    decoder_layers = _layers(decoder)
    layers, projector = _matrix_size(decoder_layers), _matrix_size(mllm.projector)
    head = shape.vocabulary * shape.hidden
    products = 4.0 * (layers * sequence.tokens + projector * sequence.media + head * targets)
    # Of these positions the last layer needs keys and values only (see engine/pruned_attention.py); their queries are
    # computed on the way.
    queries = shape.hidden * shape.attention
    last_layer = _matrix_size(decoder_layers[-1]) - 2 * queries * _kv_ratio(decoder.config)
    return float(products - (4 * last_layer - 2 * queries) * sequence.kv_only)


def attention_flop(mllm: MLLM, sequence: StepSequence) -> float:
    """Return the FLOPs of a step's attention: 4 forward and 10 backward for each unmasked pair of positions."""
    decoder: Any = mllm.adapter.language_model(mllm.model)
    shape = memory.DecoderShape.read(decoder, mllm.model.get_output_embeddings())
    shared = sequence.shared
    shared_pairs = shared * (shared + 1) / 2
    text_pairs = sum(text * shared + text**2 / 2 for text in sequence.texts)
    layers = shape.layers - (1 if sequence.kv_only else 0)
    return float(14 * shape.attention * (shared_pairs * layers + text_pairs * shape.layers))


def _layers(decoder: nn.Module) -> nn.ModuleList:
    return next(module for module in decoder.children() if isinstance(module, nn.ModuleList))


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
    count = sum(int((inputs["input_ids"] == each).sum()) for each in mllm.placeholder_ids)
    if not count:
        raise ModelError(
            f"the inputs for a blank {adapter.noun} contain no placeholder {adapter.placeholder!r}",
            hint="Check the adapter's `inputs`: type sea plugins check NAME",
        )
    return count


def _text_lengths(mllm: MLLM, example: PreparedExample) -> tuple[int, ...]:
    """Return the padded length of an example's questions and answers after the media."""
    smallest = _smallest_embedding(mllm)
    prompts = [(mllm.prompt_ids(goal.prompt, smallest), mllm.answer_ids(goal.answer)) for goal in example.goals]
    return tuple(padded_length(prompt[::-1].index(mllm.placeholder_id) + len(answer)) for prompt, answer in prompts)


def _smallest_embedding(mllm: MLLM) -> Embedding:
    """Return the size of the smallest embedding that has a placeholder; for a replayed model, of the blank's."""
    adapter = mllm.adapter
    if mllm.replayed:
        return Embedding.of_size(1, adapter.size(adapter.blank_input(mllm.processor), mllm.processor))
    return Embedding.of_size(next(n for n in range(1, 1025) if adapter.placeholders(n) > 0))


def _values_per_token(mllm: MLLM) -> int:
    """Return how many numbers of E make one media token: the input widths of the projectors' first matrices."""
    linear = ([m for m in projector.modules() if isinstance(m, nn.Linear)] for projector in mllm.projectors())
    return sum(modules[0].in_features for modules in linear if modules)


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

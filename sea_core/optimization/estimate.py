"""Estimate what an optimisation takes, from the examples and the model's configuration; no weights are loaded.

Memory and FLOPs are exact for the packed forward (see engine/packed.py). For a replayed model they are those of its
packed sequence, or of separate ones where its layers cannot be packed; a packed sequence that fails its proof is not
foreseen, and recurrent layers are counted as attention. The run time follows from the speed of matrix products on the
device (see hardware.py) and from the number of steps per example, which nobody knows in advance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import nn

from sea_core.data.examples import PreparedExample
from sea_core.errors import ModelError
from sea_core.model.device_map import largest_part
from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.quantization import Quantization, weight_bytes
from sea_core.optimization.compile_choice import QUANTIZED_REASON, SPREAD_REASON, CompileChoice, choose_compile
from sea_core.optimization.config import Auto
from sea_core.optimization.engine import memory
from sea_core.optimization.engine.forward import Sequential, padded_length
from sea_core.optimization.engine.packed import PackingNotSupported
from sea_core.optimization.engine.packed_backbone import PackedBackbone
from sea_core.optimization.engine.pruned_attention import TextOnlyLastLayer
from sea_core.optimization.flop import STEPS, StepSequence, step_flop
from sea_core.optimization.hardware import Hardware
from sea_core.optimization.optimizer import make_task

MAX_DEVICES = 16
"""GPUs of a computer, at most."""


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
        flop_per_second: of a large matrix product on the device; None if that is unknown.
        matmul_ratio: the speed that a whole step reaches, as a ratio of it.
        rates: where these two come from: measured here, or scaled from another card.
        compiled: whether the decoder's layers will be compiled. compile_reason: why not, if there is something to say.
        hours: for all examples, at `steps` each; None if the rates are unknown, or nothing fits.
        devices: how many the model is spread over. needed: how many would hold it, if these do not; 0 for none.
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
    flop_per_second: float | None
    matmul_ratio: float
    rates: str
    compiled: bool
    compile_reason: str
    hours: float | None
    devices: int = 1
    needed: int = 0


def estimate(
    mllm: MLLM,
    examples: Sequence[PreparedExample],
    hardware: Hardware,
    steps: int = STEPS,
    compile: bool | Auto = "auto",
    quantize: Quantization = "",
) -> Estimate:
    """Estimate the optimisation of examples on a device.

    Args:
        mllm: a model on the meta device.
        compile: `-o compile`.

    Raises:
        ModelError: the adapter's inputs contain no placeholders, so the number of media tokens is unknown.
    """
    media = count_media_tokens(mllm)
    sequences = [_step_sequence(mllm, example, media) for example in examples]
    targets = [sum(len(mllm.answer_ids(goal.answer)) for goal in example.goals) for example in examples]
    longest = max(sequences, key=lambda sequence: sequence.tokens)
    per_example = _bytes_per_example(mllm, longest, max(targets))
    weights = weight_bytes(mllm, quantize)
    device_type, speed = hardware.device_type, hardware.flop_per_second

    def room(count: int) -> tuple[int, int]:
        part, ratio = largest_part(mllm, count, quantize) if count > 1 else (weights, 1.0)
        return math.ceil(per_example * ratio), hardware.free - part

    on_each, free = room(hardware.count)
    batch_size = memory.max_batch(on_each, free, longest.tokens, _decoder_shape(mllm), device_type)
    fits = memory.count_fitting(on_each, free) > 0
    flop = [step_flop(mllm, sequence, n) for sequence, n in zip(sequences, targets, strict=True)]
    total = sum(flop) * steps
    choice = _compile_choice(mllm, compile, hardware, total, quantize)
    ratio = hardware.step_ratio(choice.wanted)
    batches = math.ceil(len(examples) / batch_size) * steps
    launches = batches * hardware.launch_seconds(_decoder_shape(mllm).layers)
    return Estimate(
        embeddings=len(examples),
        weights=weights,
        per_example=per_example,
        free=hardware.free,
        batch_size=batch_size if fits else 0,
        media_tokens=longest.shared,
        text_tokens=sum(longest.texts),
        steps=steps,
        flop=max(flop),
        flop_per_second=speed,
        matmul_ratio=ratio,
        rates=hardware.basis,
        compiled=choice.wanted,
        compile_reason=choice.reason,
        hours=max(total / (ratio * speed), launches) / 3600 if fits and speed else None,
        devices=hardware.count,
        needed=0 if fits else count_needed(lambda count: memory.count_fitting(*room(count)) > 0, device_type),
    )


def count_needed(fits: Callable[[int], bool], device_type: str) -> int:
    """Return over how many GPUs a model must be spread to fit; 0 if it fits on none, or the device is no GPU."""
    return next(filter(fits, range(2, MAX_DEVICES + 1)), 0) if device_type == "cuda" else 0


def _compile_choice(
    mllm: MLLM, setting: bool | Auto, hardware: Hardware, flop: float, quantize: Quantization
) -> CompileChoice:
    """Return whether the layers will be compiled, as far as that can be known here."""
    if quantize or hardware.count > 1:
        return CompileChoice(False, QUANTIZED_REASON if quantize else SPREAD_REASON)
    setting = False if mllm.replayed else setting
    if setting == "auto" and hardware.flop_per_second is None:
        return CompileChoice(False, "decided on the device, by its speed")
    return choose_compile(setting, hardware.device_type, flop, hardware.flop_per_second or 0.0)


def _step_sequence(mllm: MLLM, example: PreparedExample, media: int) -> StepSequence:
    """Return what a step of an example computes: as the engine does it, without running the model."""
    if not mllm.replayed:
        pruned = TextOnlyLastLayer.wrap(mllm.adapter.language_model(mllm.model), media)
        return StepSequence(media, _text_lengths(mllm, example), media, media if pruned else 0)
    start = smallest_embedding(mllm)
    task = make_task(mllm, example, start)
    try:
        packed = PackedBackbone(mllm, start, [task])
    except PackingNotSupported:
        goals, length = Sequential(mllm, start).shape(task)
        return StepSequence(0, (length,) * goals, media * goals)
    return StepSequence(len(packed.opening), packed.shape(task), media)


def _decoder_shape(mllm: MLLM) -> memory.DecoderShape:
    return memory.DecoderShape.read(mllm.adapter.language_model(mllm.model), mllm.model.get_output_embeddings())


def _bytes_per_example(mllm: MLLM, sequence: StepSequence, targets: int) -> int:
    return memory.example_bytes(
        _decoder_shape(mllm),
        tokens=sequence.tokens,
        targets=targets,
        values=sequence.media * _values_per_token(mllm),
        itemsize=mllm.dtype.itemsize,
        kv_only=sequence.kv_only,
    )


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
    smallest = smallest_embedding(mllm)
    prompts = [(mllm.prompt_ids(goal.prompt, smallest), mllm.answer_ids(goal.answer)) for goal in example.goals]
    return tuple(padded_length(prompt[::-1].index(mllm.placeholder_id) + len(answer)) for prompt, answer in prompts)


def smallest_embedding(mllm: MLLM) -> Embedding:
    """Return the size of the smallest embedding that has a placeholder; for a replayed model, of the blank's."""
    adapter = mllm.adapter
    if mllm.replayed:
        return Embedding.of_size(1, adapter.size(adapter.blank_input(mllm.processor), mllm.processor))
    return Embedding.of_size(next(n for n in range(1, 1025) if adapter.placeholders(n) > 0))


def _values_per_token(mllm: MLLM) -> int:
    """Return how many numbers of E make one media token: the input widths of the projectors' first matrices."""
    linear = ([m for m in projector.modules() if isinstance(m, nn.Linear)] for projector in mllm.projectors())
    return sum(modules[0].in_features for modules in linear if modules)

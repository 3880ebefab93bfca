"""Estimate what an alignment takes, from the examples and the model's configuration; no weights are loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from torch import nn

from sea_core.alignment.config import AlignRequest, Method
from sea_core.alignment.dataset import TrainingExample, max_sequence_length
from sea_core.alignment.lora import target_modules
from sea_core.alignment.questions import Question, Responses, find_responses, require_answers
from sea_core.alignment.read_first import describe_first, synthetic_weight
from sea_core.alignment.selection import is_asked_as_text, select_trained, text_weight
from sea_core.alignment.trainer_config import batch_settings, count_steps, precomputes_references
from sea_core.data.examples import Example, PreparedExample
from sea_core.errors import SeaError
from sea_core.model import prompts
from sea_core.model.device_map import largest_part
from sea_core.model.mllm import MLLM
from sea_core.model.quantization import Quantization, weight_bytes
from sea_core.optimization.engine.memory import RESERVED_RATIO, DecoderShape
from sea_core.optimization.estimate import count_media_tokens, count_needed, smallest_embedding
from sea_core.optimization.hardware import Hardware

HEAD_TOKENS, HEAD_VOCABULARY = 4096, 32768
"""TRL computes the logits of at most so many tokens, and so many entries of the vocabulary, at a time."""


@dataclass(frozen=True)
class AlignEstimate:
    """What an alignment takes. Sizes are in bytes.

    Attributes:
        examples: training examples, about; the mixture is drawn when there are embeddings.
        tokens: positions of the longest sequence. sequences: 2 for an example of DPO, else 1.
        weights: size of the whole model.
        trained: LoRA weights (or the trained weights' share) with their gradients and Adam's two moments.
        per_example: what one example keeps for the backward pass, and one layer's workspace.
        head: workspace for the logits.
        checkpointing: whether gradient checkpointing is on: each layer keeps its input only.
        free: free memory on the device.
        batch_size: examples at a time; 0 if not even one fits. accumulated: how many such batches make a step.
        steps: updates.
        flop: of one step.
        flop_per_second, matmul_ratio, rates: as in the estimate of an optimisation.
        hours: for all steps; None if the rates are unknown, or nothing fits.
        devices, needed: as in the estimate of an optimisation.
    """

    examples: int
    tokens: int
    sequences: int
    weights: int
    trained: int
    per_example: int
    head: int
    checkpointing: bool
    free: int
    batch_size: int
    accumulated: int
    steps: int
    flop: float
    flop_per_second: float | None
    matmul_ratio: float
    rates: str
    hours: float | None
    devices: int = 1
    needed: int = 0


def estimate_alignment(
    mllm: MLLM,
    examples: Sequence[PreparedExample],
    request: AlignRequest,
    hardware: Hardware,
    quantize: Quantization = "",
) -> AlignEstimate:
    """Estimate the alignment on synthetic embeddings of these examples.

    Args:
        mllm: a model on the meta device.

    Raises:
        SeaError: no example has the answers that the method trains on, or no kind of training examples is wanted.
    """
    lengths = sequence_lengths(mllm, examples, request)
    sequences = 2 if request.method == "dpo" else 1
    trainer = request.trainer
    checkpointing = bool(trainer.get("gradient_checkpointing", hardware.device_type != "cpu"))
    modules = target_modules(mllm)
    weights, trained = weight_bytes(mllm, quantize), trained_bytes(mllm, modules, request)
    if quantize:
        trained //= 2  # TRL keeps LoRA weights on quantised ones in bf16
    per_example = sequences * sequence_bytes(mllm, modules, max(lengths), request, checkpointing=checkpointing)
    wanted, accumulated = batch_settings(mllm, request)

    def head(batch: int) -> int:
        rows = min(HEAD_TOKENS, sequences * batch * max(lengths))
        return rows * HEAD_VOCABULARY * mllm.dtype.itemsize

    def fitting(count: int) -> int:
        part, ratio = largest_part(mllm, count, quantize) if count > 1 else (weights, 1.0)
        room = hardware.free * (1 - RESERVED_RATIO) - part - trained * ratio
        return next((b for b in _halves(wanted) if b * per_example * ratio + head(b) <= room), 0)

    batch = fitting(hardware.count)
    per_step = wanted * accumulated
    count = count_examples(examples, request)
    if not count:
        hint = "Raise the weight of a kind, as -o synthetic=2; or use all examples: -o benign_ratio=given"
        raise SeaError(f"there is no example to train on with {request.method}", hint=hint)
    steps = count_steps(mllm, request, count)
    references = count / (steps * per_step) if precomputes_references(mllm, request, count) else 1.0
    flop = step_flop(mllm, fmean(lengths), request, checkpointing=checkpointing, references=references) * per_step
    ratio, speed = hardware.step_ratio(compiled=False), hardware.flop_per_second
    layers = DecoderShape.read(mllm.adapter.language_model(mllm.model), mllm.model.get_output_embeddings()).layers
    launches = per_step / (batch or 1) * hardware.launch_seconds(layers)
    return AlignEstimate(
        examples=count,
        tokens=max(lengths),
        sequences=sequences,
        weights=weights,
        trained=trained,
        per_example=per_example,
        head=head(batch or 1),
        checkpointing=checkpointing,
        free=hardware.free,
        batch_size=batch,
        accumulated=per_step // batch if batch else 0,
        steps=steps,
        flop=flop,
        flop_per_second=speed,
        matmul_ratio=ratio,
        rates=hardware.basis,
        hours=steps * max(flop / (ratio * speed), launches) / 3600 if batch and speed else None,
        devices=hardware.count,
        needed=0 if batch else count_needed(lambda count: fitting(count) > 0, hardware.device_type),
    )


@dataclass(frozen=True)
class _Planned:
    """An embedding that will be made, as a mixture selects among them."""

    example_id: str
    harmful: bool
    instruction: str


def count_examples(examples: Sequence[PreparedExample], request: AlignRequest) -> int:
    """Return how many training examples `mix` draws, on average, with one synthetic embedding of each example.

    There are no real media and no pairs: they need a run of `sea encode`, and there is none yet.
    """
    config = request.config
    usable = [e for e in (each.example for each in examples) if _responses(e, request.method)]
    trained, _ = select_trained([_Planned(e.id, e.harmful, e.instruction) for e in usable], config)
    texts = {each.instruction for each in trained if is_asked_as_text(config, each.harmful)}
    of_texts = len(texts) * text_weight(config, len(trained), len(texts))
    return round(len(trained) * (synthetic_weight(config) + config.retention) + of_texts)


def _responses(example: Example, method: Method) -> Responses | None:
    return find_responses(method, example.response, example.chosen, example.rejected)


def _halves(number: int) -> list[int]:
    """Return a number, its half, and so on down to 1."""
    found = [number]
    while found[-1] > 1:
        found.append(found[-1] // 2)
    return found


def sequence_lengths(mllm: MLLM, examples: Sequence[PreparedExample], request: AlignRequest) -> list[int]:
    """Return the tokens of the example's question about its embedding with the longest answer, for each usable example.

    Raises:
        SeaError: no example has the answers that the method trains on.
    """
    require_answers([each.example for each in examples], request.method)
    smallest = smallest_embedding(mllm)
    media = count_media_tokens(mllm) - mllm.count_placeholders(smallest)
    found = []
    for prepared in examples:
        example = prepared.example
        if responses := _responses(example, request.method):
            prompt = prompts.multimodal_prompt(mllm.adapter, prepared.extraction)
            question = Question(prompt, *responses)
            if request.config.answers == "read-first":
                question = describe_first(mllm.adapter, prepared.extraction, question)
            asked = TrainingExample("synthetic", prepared.id, *question, key="planned")
            asked = replace(asked, n_features=len(smallest), grid=smallest.grid)
            found.append(max_sequence_length(mllm, asked) + media)
    return found


def trained_bytes(mllm: MLLM, modules: Sequence[str], request: AlignRequest) -> int:
    """Return the bytes of what is trained: weights of LoRA in fp32, their gradients, and Adam's two moments.

    In full fine-tuning the weights are the model's own, in its dtype, and are not counted here again.
    """
    item, train_projector = mllm.dtype.itemsize, request.config.train_projector
    projector = sum(p.numel() for p in mllm.projector.parameters()) if train_projector else 0
    if request.full_finetune:
        return 3 * item * (sum(p.numel() for p in mllm.language_parameters()) + projector)
    rank = int(request.lora.get("r", 16))
    sizes = [_features(mllm.model.get_submodule(name)) for name in modules]
    return 16 * (rank * sum(map(sum, sizes)) + projector)


def sequence_bytes(
    mllm: MLLM, modules: Sequence[str], tokens: int, request: AlignRequest, *, checkpointing: bool
) -> int:
    """Return the bytes that one sequence takes in a training step.

    As in an optimisation (see `optimization.engine.memory`), and for each token and layer also the inputs of the
    trained layers: in fp32 layers share them, in bf16 and fp16 each LoRA layer makes its own copy.
    """
    shape = DecoderShape.read(mllm.adapter.language_model(mllm.model), mllm.model.get_output_embeddings())
    item, casts = mllm.dtype.itemsize, mllm.dtype.itemsize < 4 and not request.full_finetune
    inputs = [_features(mllm.model.get_submodule(name))[0] for name in modules]
    widest = max(inputs)
    own = sum(inputs) / shape.layers if casts else 2 * shape.hidden + widest
    rank = 0 if request.full_finetune else int(request.lora.get("r", 16)) * len(modules) / shape.layers
    layer = item * (4 * shape.attention + shape.mlp + own + rank) + 8 * shape.hidden
    workspace = 8 * widest
    kept = shape.layers * shape.hidden * item + layer if checkpointing else shape.layers * layer
    return int(1.05 * tokens * (kept + workspace + 2 * item * shape.hidden))


def step_flop(
    mllm: MLLM, tokens: float, request: AlignRequest, *, checkpointing: bool, references: float = 1.0
) -> float:
    """Return the FLOPs of a step for one example of so many tokens: products with the decoder's weights, and attention.

    Each weight takes 2 forward, 2 for the gradient of its input and, in full fine-tuning, 2 for its own; with
    checkpointing 2 more. DPO has two sequences, and runs each through the reference model as well: `references` times
    in each step that trains on it.
    """
    shape = DecoderShape.read(mllm.adapter.language_model(mllm.model), mllm.model.get_output_embeddings())
    matrices = sum(p.numel() for p in mllm.adapter.language_model(mllm.model).parameters() if p.ndim == 2)
    forward = 2 * matrices * tokens + 4 * shape.attention * shape.layers * tokens**2 / 2
    passes = 1 + 1 + (1 if checkpointing else 0) + (1 if request.full_finetune else 0)
    return float(2 * (passes + references) * forward if request.method == "dpo" else passes * forward)


def _features(module: Any) -> tuple[int, int]:
    """Return the input and the output width of a linear layer or a Conv1D."""
    if isinstance(module, nn.Linear):
        return module.in_features, module.out_features
    return int(module.weight.shape[0]), int(module.weight.shape[1])

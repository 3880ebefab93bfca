"""The packed step on a GPU at 7B geometry: seconds, share of the card's speed, memory, eager and compiled.

Prints a line for each measurement. "share" is the step's counted FLOP over its time, relative to a large matrix product
on the same device. Random weights in bf16; the encoder is not run.
"""

from __future__ import annotations

import gc
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import torch
from geometry import FULL, SIZES, build_on, random_tasks
from torch import nn
from torch._dynamo.utils import counters

from sea_core.model.embedding import Embedding
from sea_core.model.mllm import MLLM
from sea_core.model.numerics import relative_error
from sea_core.optimization.engine import memory
from sea_core.optimization.engine.forward import ForwardStrategy, Sequential
from sea_core.optimization.engine.packed import Packed
from sea_core.optimization.engine.scheduler import Engine
from sea_core.optimization.engine.select_forward import Reference, check_equivalence, compile_forward, logits_and_grad
from sea_core.optimization.engine.types import EngineConfig, OptimizationTask
from sea_core.optimization.flop import StepSequence, measure_matmul, step_flop

TEXTS = (40, 32, 48)
"""Tokens of each goal: three shapes."""


def main() -> None:
    arguments = parse_arguments()
    device = torch.device(arguments.device)
    peak = max(measure_matmul(device, torch.bfloat16) for _ in range(3))
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    print(f"device {name}, torch {torch.__version__}, matrix product {peak / 1e12:.0f} TFLOP/s", flush=True)
    for family in arguments.families:
        began = time.perf_counter()
        mllm, start = build_on(device, family, SIZES[arguments.size][family])
        mllm.model.requires_grad_(False)
        print(f"{family}: built in {time.perf_counter() - began:.0f} s", flush=True)
        Bench(family, mllm, start, peak, arguments.repeat, arguments.rows).run(arguments.parts)
        del mllm
        gc.collect()
        memory.empty_cache(device)


def parse_arguments() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", default=list(FULL))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--size", choices=list(SIZES), default="7b", help="narrow: to try this script on a CPU")
    parser.add_argument("--rows", type=int, nargs="*", default=[1, 2, 4, 8, 12])
    parser.add_argument("--parts", nargs="*", default=["eager", "compiled"], help="plain, eager, compiled, engine")
    parser.add_argument("--repeat", type=int, default=4)
    return parser.parse_args()


@dataclass
class Bench:
    """The measurements of one family."""

    family: str
    mllm: MLLM
    start: Embedding
    peak: float
    repeat: int
    rows: list[int]

    def run(self, parts: Sequence[str]) -> None:
        tasks = random_tasks(self.mllm, self.start, max(8, *self.rows))
        packed = Packed(self.mllm, self.start, tasks)
        if "plain" in parts:
            sequential = Sequential(self.mllm, self.start)
            check_equivalence(packed, sequential, tasks[0])
            print(f"{self.family}: packed is equivalent to sequential", flush=True)
            for rows in (1, 4, 8):
                self.measure("plain", sequential, tasks[:rows])
        if "eager" in parts:
            for rows in self.rows:
                self.measure("eager", packed, tasks[:rows])
        if "compiled" in parts:
            self.compiled(packed, tasks)
        if "engine" in parts:
            self.engine(packed, tasks)

    def compiled(self, packed: Packed, tasks: list[OptimizationTask]) -> None:
        reference = Reference.compute(packed, tasks[0])
        counters.clear()
        began = time.perf_counter()
        compile_forward(packed, tasks[0])
        synchronize(self.mllm.device)
        seconds = time.perf_counter() - began
        print(f"{self.family}: compiled {packed.compiled} {packed.compile_reason} in {seconds:.1f} s", flush=True)
        began = time.perf_counter()
        packed.logits(packed.prepare_batch(tasks[:8]), self.parameters(8))
        synchronize(self.mllm.device)
        print(f"{self.family}: first step of 8 rows {time.perf_counter() - began:.2f} s", flush=True)
        for text in TEXTS:
            shaped = random_tasks(self.mllm, self.start, 8, text)
            for rows in (8, 7, 5, 1):
                self.measure(f"compiled, {text} tokens", packed, shaped[:rows])
        for rows in set(self.rows) - {1, 8}:
            self.measure("compiled", packed, tasks[:rows])
        _, grad = logits_and_grad(packed, reference.task, reference.features)
        error = relative_error(grad, reference.grad)
        print(f"{self.family}: gradient of compiled and eager {error:.3f}, allowed {reference.allowed_grad:.3f}")
        graphs = dict(counters["stats"])
        print(f"{self.family}: still compiled {packed.compiled}; {graphs}, {dict(counters['frames'])}", flush=True)

    def engine(self, packed: ForwardStrategy, tasks: list[OptimizationTask]) -> None:
        """Run the engine's loop over 24 examples, 4 steps each."""
        examples = [task for _ in range(2) for task in tasks]
        config = EngineConfig(0.01, (0.9, 0.999), 4, 1e-9, 0.5, batch_size=8)
        began = time.perf_counter()
        list(Engine(self.mllm, self.start, config, packed).run(examples))
        synchronize(self.mllm.device)
        seconds = (time.perf_counter() - began) / (5 * len(examples))
        print(f"{self.family}: engine {seconds:.4f} s for each step of an example", flush=True)

    def measure(self, name: str, forward: ForwardStrategy, tasks: list[OptimizationTask]) -> None:
        """Print the seconds of a step, forward and backward, and its memory beside the formula's."""
        device, rows = self.mllm.device, len(tasks)
        batch, parameters = forward.prepare_batch(tasks), self.parameters(rows)
        seconds = []
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            before = torch.cuda.memory_allocated(device)
        for _ in range(self.repeat + 2):
            began = time.perf_counter()
            torch.autograd.grad(forward.logits(batch, parameters).square().mean(), parameters)
            synchronize(device)
            seconds.append(time.perf_counter() - began)
        each = median(seconds[2:]) / rows
        share = self.flop(tasks[0]) / each / self.peak
        used = (torch.cuda.max_memory_allocated(device) - before) / 1e9 if device.type == "cuda" else 0.0
        print(
            f"{self.family}: {name}, {rows} rows: {each:.4f} s a row-step, share {share:.2f}, "
            f"first {seconds[0]:.2f} s, {used:.1f} GB (formula {rows * self.row_bytes(forward, tasks[0]) / 1e9:.1f})",
            flush=True,
        )

    def parameters(self, rows: int) -> list[nn.Parameter]:
        return [nn.Parameter(self.start.features.clone()) for _ in range(rows)]

    def flop(self, task: OptimizationTask) -> float:
        media = self.mllm.adapter.placeholders(len(self.start))
        shared = media + task.prompts[0].index(self.mllm.placeholder_id)
        texts = [len(p) + len(a) - shared for p, a in zip(task.prompts, task.answers, strict=True)]
        return step_flop(self.mllm, StepSequence(media, tuple(texts), media, media), sum(map(len, task.answers)))

    def row_bytes(self, forward: ForwardStrategy, task: OptimizationTask) -> int:
        decoder = self.mllm.adapter.language_model(self.mllm.model)
        return memory.example_bytes(
            memory.DecoderShape.read(decoder, self.mllm.model.get_output_embeddings()),
            tokens=forward.tokens(task),
            targets=sum(map(len, task.answers)),
            values=self.start.features.numel(),
            itemsize=self.mllm.dtype.itemsize,
            kv_only=forward.kv_only,
        )


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    main()

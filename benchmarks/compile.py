"""A compiled packed step against an uncompiled one: the ratio, the seconds to compile, the number of graphs."""

from __future__ import annotations

import time
from functools import partial
from time import process_time

import torch
from geometry import FAMILIES, parse_families, random_tasks
from timing import compare_times, print_ratio
from torch._dynamo.utils import counters

from sea_core.model.numerics import relative_error
from sea_core.optimization.engine.packed import Packed
from sea_core.optimization.engine.select_forward import logits_and_grad

ROUNDS, EXAMPLES = 5, 4


def main() -> None:
    families = parse_families(__doc__)
    torch.set_num_threads(1)
    for name in families:
        torch.manual_seed(0)
        torch._dynamo.reset()
        counters.clear()
        mllm, start = FAMILIES[name]()
        tasks = random_tasks(mllm, start, EXAMPLES)
        eager, compiled = Packed(mllm, start, tasks), Packed(mllm, start, tasks)
        compiled.compile()
        began, cpu_began = time.perf_counter(), process_time()
        _, gradient = logits_and_grad(compiled, tasks[0], start.features)
        wall, cpu = time.perf_counter() - began, process_time() - cpu_began
        _, reference = logits_and_grad(eager, tasks[0], start.features)
        error = relative_error(gradient, reference)
        print(f"{name}: compiled in {wall:.0f} s, {cpu:.0f} s of this process; gradient error {error:.1e}", flush=True)
        for task in tasks[1:]:
            logits_and_grad(compiled, task, start.features)
        graphs, breaks = counters["stats"]["unique_graphs"], sum(counters["graph_break"].values())
        print(f"{name}: {graphs} graph(s) for {EXAMPLES} examples, {breaks} graph break(s)", flush=True)
        ratio = compare_times(
            partial(logits_and_grad, compiled, tasks[0], start.features),
            partial(logits_and_grad, eager, tasks[0], start.features),
            ROUNDS,
        )
        print_ratio(f"{name}: compiled step", ratio)


if __name__ == "__main__":
    main()

"""A compiled packed step against an uncompiled one: ratio, seconds to compile, graphs."""

from __future__ import annotations

import sys
import time
from time import process_time

import torch
from geometry import FAMILIES, paired, tasks, told
from torch._dynamo.utils import counters

from sea_core.model.numerics import relative_error
from sea_core.optimization.engine.packed import Packed
from sea_core.optimization.engine.select_forward import logits_and_grad

ROUNDS, ROWS = 5, 4


def main() -> None:
    torch.set_num_threads(1)
    for name in sys.argv[1:] or FAMILIES:
        torch.manual_seed(0)
        torch._dynamo.reset()
        counters.clear()
        mllm, start = FAMILIES[name]()
        rows = tasks(mllm, start, ROWS)
        eager, compiled = Packed(mllm, start, rows), Packed(mllm, start, rows)
        compiled.compile()
        began, used = time.perf_counter(), process_time()
        ours = logits_and_grad(compiled, rows[0], start.features)[1]
        wall, cpu = time.perf_counter() - began, process_time() - used
        off = relative_error(ours, logits_and_grad(eager, rows[0], start.features)[1])
        print(f"{name}: compiled in {wall:.0f} s, {cpu:.0f} s of this process; gradients {off:.1e} apart", flush=True)
        for row in rows[1:]:
            logits_and_grad(compiled, row, start.features)
        graphs, breaks = counters["stats"]["unique_graphs"], sum(counters["graph_break"].values())
        print(f"{name}: {graphs} graph(s) for {ROWS} rows, {breaks} graph break(s)", flush=True)
        figures = paired(
            lambda: logits_and_grad(compiled, rows[0], start.features),  # noqa: B023
            lambda: logits_and_grad(eager, rows[0], start.features),  # noqa: B023
            ROUNDS,
        )
        told(f"{name}: compiled step", figures)


if __name__ == "__main__":
    main()

"""Seconds per successful example: `sea optimize` against the paper's loop, on the same demo examples and criterion.

The loop is that of `tests/helpers/reference_loop.py`: one sequence per goal, through the model's ordinary forward pass,
one example after another. Learning rate, maximum of steps and criterion are the same, so that only the engine differs.
"""

from __future__ import annotations

import importlib.util
import sys
from itertools import islice
from pathlib import Path
from time import process_time
from typing import Any

import torch

from sea_core.data import demo
from sea_core.data.read import read_examples
from sea_core.extraction.prepare import prepare
from sea_core.model.mllm import MLLM
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.optimizer import optimize
from sea_core.plugin import loader

ROWS = 24


def plain_loop() -> Any:
    file = Path(__file__).parents[1] / "tests/helpers/reference_loop.py"
    spec = importlib.util.spec_from_file_location("plain", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["plain"] = module
    spec.loader.exec_module(module)
    return module.reference_loop


def main() -> None:
    torch.set_num_threads(1)
    loop = plain_loop()
    families = (("qwen2_audio", "audio"), ("llava", "image"), ("qwen2_vl", "video"))
    for name, modality in [pair for pair in families if pair[0] in (sys.argv[1:] or pair)]:
        _, adapter = loader.adapter(name, modality)
        mllm = MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))
        rows, config, start = (
            prepare(read_examples(demo.DEMO_EXAMPLES).examples, adapter).prepared[:ROWS],
            OptimizeConfig(),
            mllm.blank(),
        )
        began = process_time()
        good = sum(outcome.status == "succeeded" for outcome in optimize(mllm, rows, config))
        ours = (process_time() - began) / good
        began, reached = process_time(), 0
        for row in rows:
            looks = loop(mllm, row.goals, start.features, 0.1 * start.rms, (config.beta1, config.beta2))
            for look in islice(looks, config.steps + 1):
                if look.margin > 0.5 and look.loss < config.loss:
                    reached += 1
                    break
        theirs = (process_time() - began) / reached
        print(
            f"{name}, {modality}: {ours:.3f} s for each of {good} successful rows, "
            f"the loop {theirs:.3f} s for each of {reached}, x{theirs / ours:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()

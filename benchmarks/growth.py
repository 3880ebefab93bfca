"""Time per example and memory, as runs grow from 16 to 4,096 examples; results are stored as `sea optimize` does."""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from time import process_time

import psutil
import torch
from bundled import demo_examples, load_plugin

from sea_core.data.examples import PreparedExample
from sea_core.model.mllm import MLLM
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.optimizer import Optimization
from sea_core.optimization.record import store_result
from sea_core.runs.embedding_run import EmbeddingIdentity, EmbeddingManifest, EmbeddingMetadata, EmbeddingRun
from sea_core.runs.manifest import DataIdentity, ModelIdentity, ModelLocation

CONFIG = OptimizeConfig(lr=0.2, beta1=0.5, beta2=0.9, steps=20, loss=1e6, margin=0.0)
"""Examples end at the first exact answer, or after 20 steps."""


def repeated(examples: tuple[PreparedExample, ...], count: int) -> list[PreparedExample]:
    """Return `count` examples with ids of their own."""
    numbered = zip(range(count), examples * count, strict=False)
    return [replace(e, example=replace(e.example, id=f"example-{i:05d}")) for i, e in numbered]


def make_manifest(count: int) -> EmbeddingManifest:
    model = ModelIdentity("", "", "audio", {}, "", "float32")
    return EmbeddingManifest(
        identity=EmbeddingIdentity(sea="", model=model, data=DataIdentity("", "plain"), source="text"),
        metadata=EmbeddingMetadata("benchmark", ModelLocation(""), "", count),
    )


def measure(mllm: MLLM, examples: list[PreparedExample]) -> tuple[float, int]:
    """Return the CPU seconds and the evaluations of a run over the examples."""
    by_id = {example.id: example for example in examples}
    with tempfile.TemporaryDirectory() as folder:
        run = EmbeddingRun.start(Path(folder) / "run", make_manifest(len(examples)))
        optimization = Optimization(mllm, examples, CONFIG)
        began, evaluations = process_time(), 0
        with run.writing():
            for result in optimization.run():
                store_result(run, by_id[result.id], result)
                evaluations += result.steps + 1
        return process_time() - began, evaluations


def main() -> None:
    ArgumentParser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    mllm = load_plugin("qwen2_audio")
    first = demo_examples(mllm.adapter)[:16]
    for count in (16, 16, 64, 256, 1024, 4096):
        seconds, evaluations = measure(mllm, repeated(first, count))
        megabytes = psutil.Process().memory_info().rss / 1e6
        print(
            f"{count:5d} examples: {1e3 * seconds / count:.1f} ms per example, "
            f"{1e3 * seconds / evaluations:.2f} ms per evaluation of one, {megabytes:.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()

"""Seconds a row and memory, as the rows of a run grow from 16 to 1,024, each stored as `sea optimize` stores it."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from time import process_time

import psutil
import torch

from sea_core.data import demo
from sea_core.data.examples import PreparedExample
from sea_core.data.read import read_examples
from sea_core.extraction.prepare import prepare
from sea_core.model.mllm import MLLM
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.optimizer import Optimization
from sea_core.optimization.record import store_result
from sea_core.plugin import loader
from sea_core.runs.embedding_run import EmbeddingIdentity, EmbeddingManifest, EmbeddingMetadata, EmbeddingRun
from sea_core.runs.manifest import DataIdentity, ModelIdentity, ModelLocation


def many(rows: tuple[PreparedExample, ...], count: int) -> list[PreparedExample]:
    numbered = zip(range(count), rows * count, strict=False)
    return [replace(row, example=replace(row.example, id=f"row-{i:05d}")) for i, row in numbered]


def make_manifest(count: int) -> EmbeddingManifest:
    model = ModelIdentity("", "", "audio", {}, "", "float32")
    return EmbeddingManifest(
        identity=EmbeddingIdentity(sea="", model=model, data=DataIdentity("", "plain"), source="text"),
        metadata=EmbeddingMetadata("benchmark", ModelLocation("", ""), "", count),
    )


def main() -> None:
    torch.set_num_threads(1)
    _, adapter = loader.adapter("qwen2_audio")
    mllm = MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))
    one = prepare(read_examples(demo.DEMO_EXAMPLES).examples, adapter).prepared[:16]
    config = OptimizeConfig(steps=20, loss=1e6, margin=0.0)  # rows end at the first exact answer, or after 20 steps
    for count in (16, 16, 64, 256, 1024):
        rows = many(one, count)
        with tempfile.TemporaryDirectory() as folder:
            run = EmbeddingRun.start(Path(folder) / "run", make_manifest(count))
            work = Optimization(mllm, rows, config)
            by_id = {row.id: row for row in rows}
            began, steps = process_time(), 0
            with run.writing():
                for outcome in work.run():
                    store_result(run, by_id[outcome.id], outcome)
                    steps += outcome.steps + 1
            seconds = process_time() - began
        memory = psutil.Process().memory_info().rss / 1e6
        print(
            f"{count:5d} rows: {1e3 * seconds / count:.1f} ms a row, {1e3 * seconds / steps:.2f} ms a row-step, "
            f"{memory:.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()

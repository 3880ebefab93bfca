"""What the tests of this folder share: one real, tiny model, and one run of it over the demo rows."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import torch

from helpers import cli_runs
from helpers.cli import sea
from sea_core.data import demo
from sea_core.data.examples import PreparedExample
from sea_core.data.read import read_examples
from sea_core.extraction.prepare import prepare
from sea_core.judges.lexical import LexicalJudge
from sea_core.judges.score import run_judge
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.types import OptimizationResult
from sea_core.optimization.optimizer import optimize
from sea_core.plugin import loader
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.verification.verify import VerificationAnswers, generate_answers


@dataclass(frozen=True)
class DemoRun:
    """The demo rows, optimised with the default settings and stored."""

    rows: dict[str, PreparedExample]
    outcomes: dict[str, OptimizationResult]
    run: EmbeddingRun


@pytest.fixture(scope="session")
def mllm() -> Iterator[MLLM]:
    """The bundled model in fp32, on one thread: it is so small that more of them only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    _, adapter = loader.adapter("qwen2_audio")
    model, processor = adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu")
    yield MLLM(adapter, model, processor)
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def exact(mllm: MLLM) -> MLLM:
    """The same model in fp64, its norms too: the library computes them in fp32 whatever the dtype."""
    exact = in_dtype(mllm, torch.float64)
    for module in exact.model.modules():
        if hasattr(module, "variance_epsilon"):
            module.forward = partial(rms_norm, weight=module.weight, eps=module.variance_epsilon)
    return exact


@pytest.fixture(scope="session")
def rough(mllm: MLLM) -> MLLM:
    """The same model in bf16."""
    return in_dtype(mllm, torch.bfloat16)


@pytest.fixture
def spoilt(mllm: MLLM) -> MLLM:
    """A copy that a test may spoil."""
    return in_dtype(mllm, torch.float32)


@pytest.fixture(scope="session")
def prepared(mllm: MLLM) -> tuple[PreparedExample, ...]:
    """The demo rows with their goals."""
    return prepare(read_examples(demo.DEMO_EXAMPLES).examples, mllm.adapter).prepared


@pytest.fixture(scope="session")
def demo_run(mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    """All demo rows, optimised and stored. It takes about a minute, once."""
    rows = {row.id: row for row in prepared}
    run = EmbeddingRun.start(
        tmp_path_factory.mktemp("demo") / "run",
        {"plugin": "of the tests"},
        {"rows": len(rows), "refused": 0, "model": mllm.adapter.checkpoint},
    )
    outcomes = {}
    with run.writing():
        for outcome in optimize(mllm, prepared):
            run.add(rows[outcome.id], outcome)
            outcomes[outcome.id] = outcome
    return DemoRun(rows, outcomes, run)


@pytest.fixture(scope="session")
def verified(mllm: MLLM, demo_run: DemoRun) -> EmbeddingRun:
    """The run over the demo rows, with the held-out questions answered."""
    with demo_run.run.writing():
        list(generate_answers(mllm, demo_run.run))
        list(run_judge(VerificationAnswers(demo_run.run), LexicalJudge()))
    return demo_run.run


def rms_norm(hidden: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    return torch.nn.functional.rms_norm(hidden, weight.shape, weight, eps)


def in_dtype(mllm: MLLM, dtype: torch.dtype) -> MLLM:
    return MLLM(mllm.adapter, copy.deepcopy(mllm.model).to(dtype), mllm.processor)


@pytest.fixture(scope="session")
def finished(mllm: MLLM, tmp_path_factory: pytest.TempPathFactory) -> cli_runs.Finished:
    """Nobody may change this run: `copy` it first. `mllm` is asked for because torch has one thread then."""
    folder = tmp_path_factory.mktemp("finished")
    rows = cli_runs.demo(folder / "rows.jsonl", 3)
    typed = cli_runs.optimize(rows, folder / "run", "--json")
    return cli_runs.Finished(rows, folder / "run", sea(*typed))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A copy of the plugin's own model, to damage."""
    return Path(shutil.copytree(loader.adapter(cli_runs.PLUGIN)[1].checkpoint, tmp_path / "model"))


@pytest.fixture(scope="module")
def seeing() -> Iterator[MLLM]:
    """The bundled model that sees pictures, in fp32, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    _, adapter = loader.adapter("llava")
    yield MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))
    torch.set_num_threads(threads)

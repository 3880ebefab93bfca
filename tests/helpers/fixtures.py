"""Fixtures that many tests share: tiny real models, and runs made with them."""

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
from helpers.manifests import embedding_manifest
from sea_core.data import demo
from sea_core.data.examples import PreparedExample
from sea_core.extraction.prepare import prepare
from sea_core.judges.lexical import LexicalJudge
from sea_core.judges.score import run_judge
from sea_core.model.mllm import MLLM
from sea_core.optimization.engine.types import OptimizationResult
from sea_core.optimization.optimizer import optimize
from sea_core.optimization.record import store_result
from sea_core.pipeline.read import read_examples
from sea_core.plugin import loader
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.verification.verify import VerificationAnswers, generate_answers


@dataclass(frozen=True)
class DemoRun:
    """The demo examples, optimised with the default settings and stored."""

    examples: dict[str, PreparedExample]
    results: dict[str, OptimizationResult]
    run: EmbeddingRun


@pytest.fixture(scope="session")
def mllm() -> MLLM:
    """The bundled audio model in fp32."""
    _, adapter = loader.get_adapter("qwen2_audio")
    model, processor = adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu")
    return MLLM(adapter, model, processor)


@pytest.fixture(scope="session")
def exact(mllm: MLLM) -> MLLM:
    """The same model in fp64, including its norms, which the library computes in fp32 for every dtype."""
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
    """A copy of the model that a test may change."""
    return in_dtype(mllm, torch.float32)


@pytest.fixture(scope="session")
def prepared(mllm: MLLM) -> tuple[PreparedExample, ...]:
    """The demo examples with their goals."""
    return prepare(read_examples(demo.DEMO_EXAMPLES).examples, mllm.adapter).prepared


@pytest.fixture(scope="session")
def demo_run(mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    """All demo examples, optimised and stored. Takes about a minute, once per session."""
    examples = {example.id: example for example in prepared}
    run = EmbeddingRun.start(tmp_path_factory.mktemp("demo") / "run", embedding_manifest(len(examples)))
    results = {}
    with run.writing():
        for result in optimize(mllm, prepared):
            store_result(run, examples[result.id], result)
            results[result.id] = result
    return DemoRun(examples, results, run)


@pytest.fixture(scope="session")
def verified(mllm: MLLM, demo_run: DemoRun) -> EmbeddingRun:
    """The run over the demo examples, with the held-out questions answered and judged."""
    with demo_run.run.writing():
        list(generate_answers(mllm, demo_run.run))
        list(run_judge(VerificationAnswers(demo_run.run), LexicalJudge()))
    return demo_run.run


def rms_norm(hidden: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    return torch.nn.functional.rms_norm(hidden, weight.shape, weight, eps)


def in_dtype(mllm: MLLM, dtype: torch.dtype) -> MLLM:
    return MLLM(mllm.adapter, copy.deepcopy(mllm.model).to(dtype), mllm.processor)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> cli_runs.FinishedRun:
    """A finished run that no test may change: `copy` it first."""
    folder = tmp_path_factory.mktemp("finished")
    examples = cli_runs.write_demo_examples(folder / "rows.jsonl", 3)
    command = cli_runs.optimize_command(examples, folder / "run", "--json")
    return cli_runs.FinishedRun(examples, folder / "run", sea(*command))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A copy of the bundled audio model's folder that a test may damage."""
    return Path(shutil.copytree(loader.get_adapter(cli_runs.PLUGIN)[1].checkpoint, tmp_path / "model"))


@pytest.fixture
def escaping(checkpoint: Path) -> Path:
    """A copy of the bundled audio model whose chat template writes `<` in another way: it cannot keep text as it is."""
    template = checkpoint / "chat_template.jinja"
    text = template.read_text(encoding="utf-8")
    own, escaped = "{{ content['text'] }}", "{{ content['text'] | replace('<', '&lt;') }}"
    assert own in text
    template.write_text(text.replace(own, escaped), encoding="utf-8")
    return checkpoint


@pytest.fixture(scope="module")
def exports_load_here() -> Iterator[None]:
    """Check exports in this process: a fresh one imports its libraries for some seconds, each time.

    That exports load in a fresh process is tested where this fixture is not used: the first model of
    tests/alignment/test_align.py, quantised weights, a model class of a plugin (tests/plugin/test_example_eeg.py), and
    the first family of plugins/auto/tests/test_chain.py.
    """
    from helpers.alignment import load_in_this_process  # imports what trains: for the tests that train

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sea_core.alignment.export._load_in_fresh_process", load_in_this_process)
        yield


@pytest.fixture(scope="module")
def seeing() -> MLLM:
    """The bundled image model in fp32."""
    _, adapter = loader.get_adapter("llava")
    return MLLM(adapter, *adapter.load(adapter.checkpoint, dtype=torch.float32, device="cpu"))


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingRun:
    """A run of one worker that nothing disturbed. No test writes to it."""
    from helpers.worker_runs import make_run

    return make_run(tmp_path_factory.mktemp("quiet") / "run")

"""The bundled tiny LLaVA on pictures that it was not trained on."""

from __future__ import annotations

from sea_core.model.mllm import MLLM
from sea_toy.evaluation import evaluate
from sea_toy.llava.tiny import TinyLlavaStudent


def test_bundled_model_reads_the_toy_world(mllm: MLLM) -> None:
    """A single picture proves little: about one in two hundred is misread, of products one in thirty."""
    metrics = evaluate(TinyLlavaStudent(), mllm, per_skill=100, seed=99)
    assert min(metrics["content"], metrics["style"], metrics["verify"]) >= 0.95, metrics

"""Fixtures: runs with random embeddings, which alignment tests train on."""

from __future__ import annotations

import pytest

from helpers.alignment import random_run, start_run
from sea_core.data.examples import PreparedExample
from sea_core.model.mllm import MLLM
from sea_core.runs.embedding_run import EmbeddingRun


@pytest.fixture(scope="session")
def run(mllm: MLLM, prepared: tuple[PreparedExample, ...], tmp_path_factory: pytest.TempPathFactory) -> EmbeddingRun:
    """Twelve demo examples with random embeddings of unequal lengths."""
    return random_run(tmp_path_factory.mktemp("align") / "run", mllm, prepared[:12])


@pytest.fixture(scope="session")
def media_run(mllm: MLLM, run: EmbeddingRun, tmp_path_factory: pytest.TempPathFactory) -> EmbeddingRun:
    """Three benign examples as `sea encode` stores them."""
    media = start_run(tmp_path_factory.mktemp("align") / "media", mllm)
    with media.writing():
        for record in [r for r in run.store.records() if not r["harmful"]][:3]:
            empty = dict.fromkeys(("phrase", "kind", "sentence", "detoxified", "style"), "")
            changes = {"id": f"m-{record['id']}", "source": "media", "status": "encoded"}
            media.add({**record, **empty, **changes}, run.store.load(record["id"]) * 0.5)
    return media

"""`start=solved`: a start that the run's first embeddings define, whoever resumes the run and in whatever order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers.cli import expect_error, sea
from helpers.cli_runs import PLUGIN, QUICK, optimize_command, truncate_half, write_demo_examples
from helpers.manifests import edit_manifest
from sea_core import RunError, SeaError
from sea_core.data.examples import PreparedExample
from sea_core.model.embedding import load_embedding
from sea_core.model.mllm import MLLM
from sea_core.optimization.config import OptimizeConfig
from sea_core.optimization.optimizer import optimize
from sea_core.optimization.recipes.expand import expand
from sea_core.optimization.recipes.registry import parse_recipes
from sea_core.optimization.solved_start import EXAMPLES, first_examples, mean_start
from sea_core.pipeline import optimize as pipeline
from sea_core.pipeline.data_spec import DataSpec
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.progress import SilentProgress
from sea_core.pipeline.synthesis import Synthesis
from sea_core.runs.embedding_run import EmbeddingRun

CONFIG = OptimizeConfig(loss=1.0, margin=0.0, lr=0.3, start="solved")
COUNT = EXAMPLES + 3


class Stopped(Exception):
    """A run is interrupted."""


class StoppingProgress(SilentProgress):
    """Stops the run once `count` results are stored."""

    def __init__(self, count: int) -> None:
        self.count, self.counts = count, False

    @contextmanager
    def track(self, description: str, total: int, done: int = 0) -> Iterator[Any]:
        self.counts = description == "optimize"
        yield self

    def advance(self, count: int = 1, note: str = "", seconds_left: float | None = None) -> None:
        self.count -= count * self.counts
        if self.count == 0:
            raise Stopped


def make_run(folder: Path, limit: int = COUNT, config: OptimizeConfig = CONFIG, stop_after: int = 0) -> EmbeddingRun:
    """Make or resume a run of the first demo examples; with `stop_after`, an interrupted one."""
    target = ModelTarget.find(PLUGIN, settings={"seconds": 0.5})
    progress = StoppingProgress(stop_after) if stop_after else SilentProgress()
    synthesis = Synthesis(config=config)
    try:
        return pipeline.optimize(
            DataSpec(limit=limit), target, out=folder, synthesis=synthesis, verify=False, progress=progress
        )
    except Stopped:
        return EmbeddingRun(folder)


def tensors(run: EmbeddingRun) -> dict[str, torch.Tensor]:
    return {record["id"]: run.load(record["id"])[0] for record in run.records("succeeded")}


def assert_same(found: EmbeddingRun, expected: EmbeddingRun) -> None:
    ours, theirs = tensors(found), tensors(expected)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert found.manifest.resolved == expected.manifest.resolved


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingRun:
    """A run that was never stopped; no test may change it."""
    return make_run(tmp_path_factory.mktemp("complete") / "run")


def test_the_first_embeddings_start_at_the_blank_and_the_others_at_their_mean(
    complete: EmbeddingRun, prepared: tuple[PreparedExample, ...]
) -> None:
    assert complete.manifest.identity.config["start"] == "solved"
    assert len(complete.manifest.resolved.start or "") == 64
    mllm = ModelTarget.find(PLUGIN, settings={"seconds": 0.5}).load()
    first, others = prepared[:EXAMPLES], prepared[EXAMPLES:COUNT]
    from_blank = {r.id: r.embedding for r in optimize(mllm, first, replace(CONFIG, start="blank"))}
    start = mean_start([load_embedding(complete, example.id) for example in first])
    from_mean = {r.id: r.embedding for r in optimize(mllm, others, CONFIG, start=start)}
    stored = tensors(complete)
    assert len(from_blank) + len(from_mean) == len(stored) == COUNT
    for name, embedding in {**from_blank, **from_mean}.items():
        assert embedding is not None
        assert torch.equal(embedding.features, stored[name])


@pytest.mark.parametrize("stop_after", [3, EXAMPLES + 1])
def test_a_resumed_run_uses_the_very_same_start(complete: EmbeddingRun, tmp_path: Path, stop_after: int) -> None:
    interrupted = make_run(tmp_path / "run", stop_after=stop_after)
    assert len(interrupted.records()) == stop_after
    assert_same(make_run(tmp_path / "run"), complete)


def test_examples_that_are_added_later_get_what_they_would_have_got(complete: EmbeddingRun, tmp_path: Path) -> None:
    make_run(tmp_path / "run", limit=EXAMPLES + 1)
    assert_same(make_run(tmp_path / "run"), complete)


def test_a_damaged_first_embedding_is_made_again_and_the_start_must_be_the_same(
    complete: EmbeddingRun, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run", limit=EXAMPLES + 1)
    truncate_half(run.folder / run.store.record("demo-000")["shard"])
    assert_same(make_run(tmp_path / "run"), complete)
    edit_manifest(run.folder / "run.json", lambda manifest: manifest["resolved"].update(start="0" * 64))
    with pytest.raises(RunError, match="is not the one that the others started at"):
        make_run(tmp_path / "run", limit=COUNT + 1)


def test_a_run_from_the_blank_is_not_resumed_from_another_start(complete: EmbeddingRun, tmp_path: Path) -> None:
    make_run(tmp_path / "run", config=replace(CONFIG, start="blank"), stop_after=1)
    with pytest.raises(RunError, match=r"config\.start: stored blank, requested solved"):
        make_run(tmp_path / "run")


def test_the_first_examples_are_plain_ones_whatever_else_is_made(
    mllm: MLLM, prepared: tuple[PreparedExample, ...]
) -> None:
    recipes = parse_recipes("plain,goals,noise", media=False)
    expanded = expand(prepared[:COUNT], recipes, mllm.adapter, draws=2)
    assert first_examples(expanded) == first_examples(prepared) == list(prepared[:EXAMPLES])


def test_too_few_examples_are_an_error_before_the_first_step(tmp_path: Path) -> None:
    examples = write_demo_examples(tmp_path / "rows.jsonl", EXAMPLES - 1)
    message = expect_error(*optimize_command(examples, tmp_path / "run", "-o", "start=solved"))
    assert f"the first {EXAMPLES} embeddings of the recipe plain, but there are {EXAMPLES - 1}" in message
    assert "-o start=blank" in message
    rows = write_demo_examples(tmp_path / "more.jsonl", COUNT)
    message = expect_error(*optimize_command(rows, tmp_path / "b", "-o", "start=solved", "--recipe", "noise"))
    assert "add plain to --recipe" in message


def test_without_any_success_there_is_no_start(tmp_path: Path) -> None:
    examples = write_demo_examples(tmp_path / "rows.jsonl", COUNT)
    message = expect_error(
        *optimize_command(examples, tmp_path / "run", "-o", "start=solved", "-o", "steps=1", "-o", "loss=0.001")
    )
    assert f"none of the first {EXAMPLES} examples succeeded" in message
    assert "steps=1000" in message


def test_a_start_must_be_given_where_nobody_stores_one(mllm: MLLM, prepared: tuple[PreparedExample, ...]) -> None:
    with pytest.raises(SeaError, match="no start is given"):
        list(optimize(mllm, prepared[:1], CONFIG))


def test_the_plan_says_where_embeddings_start(tmp_path: Path) -> None:
    examples = write_demo_examples(tmp_path / "rows.jsonl", COUNT)
    for start, expected in (("blank", "the blank audio"), ("solved", f"the mean of the first {EXAMPLES} embeddings")):
        command = ("plan", examples, "--plugin", PLUGIN, *QUICK, "-o", f"start={start}")
        assert expected in " ".join(sea(*command).out.split())
        assert sea(*command, "--json").json()["start"] == start

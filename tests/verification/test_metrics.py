"""Metrics of a run: overall, of each recipe, and the examples without a successful embedding."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from helpers.manifests import embedding_manifest
from helpers.records import add_answer, result_record
from sea_core.errors import RunError
from sea_core.runs.embedding_record import ResultRecord
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.verification.metrics import recipe_metrics, run_metrics, uncovered_examples


def record(example: str, recipe: str, steps: int, succeeded: bool = True, seconds: float = 1.0) -> ResultRecord:
    status = "succeeded" if succeeded else "failed"
    changes = {"example_id": example, "recipe": recipe, "status": status, "steps": steps, "seconds": seconds}
    return result_record(f"{example}#{recipe}", **changes)


def start(folder: Path, embeddings: int = 4) -> EmbeddingRun:
    manifest = embedding_manifest(embeddings)
    return EmbeddingRun.start(folder, replace(manifest, metadata=replace(manifest.metadata, skipped=1)))


def add(run: EmbeddingRun, *records: ResultRecord) -> None:
    with run.writing():
        for each in records:
            run.store.append(each, None)


# --- of a run ---------------------------------------------------------------------------------------------------------


def test_metrics_of_a_run_without_results_are_not_zeros(tmp_path: Path) -> None:
    assert run_metrics(start(tmp_path)) == {
        "run": str(tmp_path),
        "embeddings": 4,
        "done": 0,
        "examples": 0,
        "skipped": 1,
        "succeeded": 0,
        "osr": None,
        "vsr": None,
        "vsr_interval": None,
        "verified": 0,
        "judges": {},
        "audited": 0,
        "audit_exact": 0,
        "steps_median": None,
        "steps_p90": None,
        "recipes": {},
        "uncovered_examples": [],
        "seconds_per_embedding": None,
        "resolved": {},
        "plugin": "of the tests",
        "model": "bundled",
    }


def test_metrics_follow_from_the_records(tmp_path: Path) -> None:
    run = start(tmp_path)
    add(
        run,
        record("a", "plain", 10, seconds=1.0),
        record("b", "plain", 20, seconds=2.0),
        record("c", "plain", 60, seconds=3.0),
        record("d", "plain", 300, succeeded=False, seconds=10.0),
    )
    add_answer(run, "a#plain", "?", judge="named")
    add_answer(run, "b#plain", "?", judge="missed")
    add_answer(run, "c#plain", "?", judge="named")
    metrics = run_metrics(EmbeddingRun(tmp_path))
    assert metrics == run_metrics(run)
    assert (metrics["embeddings"], metrics["done"], metrics["succeeded"]) == (4, 4, 3)
    assert (metrics["osr"], metrics["vsr"], metrics["verified"]) == (0.75, 2 / 3, 3)
    assert (metrics["steps_median"], metrics["steps_p90"]) == (20, 52.0)  # of the successes
    assert metrics["seconds_per_embedding"] == 4.0  # of all
    assert [failed["id"] for failed in run.records("failed")] == ["d#plain"]


def test_metrics_when_every_optimisation_failed(tmp_path: Path) -> None:
    run = start(tmp_path)
    add(run, record("a", "plain", 300, succeeded=False))
    metrics = run_metrics(run)
    assert (metrics["osr"], metrics["vsr"], metrics["steps_median"], metrics["steps_p90"]) == (0.0, None, None, None)


def test_a_later_smaller_limit_hides_no_record(tmp_path: Path) -> None:
    add(start(tmp_path, embeddings=4), *(record(example, "plain", 1) for example in "abcd"))
    metrics = run_metrics(start(tmp_path, embeddings=1))
    assert (metrics["embeddings"], metrics["done"]) == (4, 4)


def test_answers_about_another_embedding_do_not_count(tmp_path: Path) -> None:
    """An embedding that was damaged and made again may be another: answers about the former one are not about it."""
    run = start(tmp_path)
    add(run, record("a", "plain", 10))
    add_answer(run, "a#plain", "?", judge="named")
    with run.writing():
        run.store.append(record("a", "plain", 10), torch.ones(1, 2))
    metrics = run_metrics(EmbeddingRun(tmp_path))
    assert (metrics["vsr"], metrics["verified"]) == (None, 0)


def test_lines_that_are_repeated_or_added_by_hand_do_not_count(tmp_path: Path) -> None:
    run = start(tmp_path)
    add(run, record("a", "plain", 10), record("b", "plain", 10))
    add_answer(run, "a#plain", "?", judge="named")
    add_answer(run, "b#plain", "?", judge="missed")
    metrics = run_metrics(run)
    for journal in (run.answers, run.verdicts):
        journal.path.write_bytes(journal.path.read_bytes() * 2)
    assert run_metrics(EmbeddingRun(tmp_path)) == metrics
    with run.verdicts.path.open("a") as file:
        file.write('{"id": "b#plain", "question": "?", "answer": "", "judge": "judge", "verdict": "named"}\n')
    with pytest.raises(RunError, match=r"verdicts.jsonl:5: this line is damaged: it has no checksum"):
        run_metrics(EmbeddingRun(tmp_path))


# --- of recipes and examples ------------------------------------------------------------------------------------------


def test_each_recipe_has_its_metrics() -> None:
    records = [
        record("a", "plain", 10),
        record("b", "plain", 20, seconds=3.0),
        record("c", "plain", 300, succeeded=False, seconds=5.0),
        record("a", "noise", 300, succeeded=False),
    ]
    assert recipe_metrics(records) == {
        "plain": {"done": 3, "succeeded": 2, "osr": 2 / 3, "steps_median": 15, "seconds_per_embedding": 3.0},
        "noise": {"done": 1, "succeeded": 0, "osr": 0.0, "steps_median": None, "seconds_per_embedding": 1.0},
    }


def test_an_example_is_covered_by_any_recipe() -> None:
    records = [
        record("a", "plain", 1, succeeded=False),
        record("b", "plain", 1, succeeded=False),
        record("a", "noise", 1),
        record("b", "noise", 1, succeeded=False),
        record("c", "noise", 1),
    ]
    assert uncovered_examples(records) == ["b"]
    assert uncovered_examples([]) == []

"""Turn what the engine returns into what a run folder stores."""

from __future__ import annotations

import json
from dataclasses import asdict

from sea_core.data.examples import PreparedExample, SkippedExample
from sea_core.optimization.engine.types import OptimizationResult
from sea_core.runs.embedding_record import ResultRecord
from sea_core.runs.embedding_run import EmbeddingRun, SkippedExampleRecord


def make_record(prepared: PreparedExample, result: OptimizationResult) -> ResultRecord:
    """Return the record of an optimisation result; its features are stored beside it."""
    example, extraction = prepared.example, prepared.extraction
    return {
        "id": prepared.id,
        "example_id": example.id,
        "source": "text",
        "media": "",
        "recipe": prepared.recipe,
        "draw": prepared.draw,
        "start": result.start,
        "line": example.line,
        "instruction": example.instruction,
        "response": example.response,
        "chosen": example.chosen,
        "rejected": example.rejected,
        "harmful": example.harmful,
        "phrase": extraction.phrase,
        "kind": extraction.kind,
        "sentence": extraction.sentence,
        "detoxified": extraction.detoxified,
        "style": prepared.style,
        "goals": json.dumps([asdict(goal) for goal in prepared.goals]),
        "status": result.status,
        "reason": result.reason,
        "steps": result.steps,
        "loss": result.loss,
        "margin": result.margin,
        "seconds": result.seconds,
        "grid": json.dumps(result.embedding.grid if result.embedding else ()),
    }


def store_result(run: EmbeddingRun, prepared: PreparedExample, result: OptimizationResult) -> None:
    """Store an optimisation result in a run; it is on disk when this returns."""
    run.add(make_record(prepared, result), result.embedding.features if result.embedding else None)


def make_skipped_record(skipped: SkippedExample) -> SkippedExampleRecord:
    """Return the record of an example that preparation skipped."""
    example = skipped.example
    return {"id": example.id, "line": example.line, "reason": skipped.reason, "instruction": example.instruction}

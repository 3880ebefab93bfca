"""How often a model refuses while it is trained: the answers at each measured step, and the curve that follows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from sea_core.alignment.config import Answers
from sea_core.alignment.spot_check import AnswerMetrics, CaseAnswer, Group, SpotCheckCase, answer_cases, answer_metrics
from sea_core.errors import SeaError
from sea_core.model.mllm import MLLM
from sea_core.runs.atomic import atomic_write
from sea_core.runs.jsonl import JsonlLog


class CurveRecord(CaseAnswer):
    """One answer of a refusal curve, as stored. `step`: how many updates the model had had."""

    step: int


class CurvePoint(TypedDict):
    """The metrics of one group of questions at one step."""

    step: int
    group: Group
    seen: bool
    metrics: AnswerMetrics


def open_curve(file: Path) -> JsonlLog[CurveRecord]:
    """Return the answers that are stored in a file, which need not exist yet."""
    return JsonlLog(file, CurveRecord, key=("step", "group", "id"))


def begin_curve(log: JsonlLog[CurveRecord], cases: Sequence[SpotCheckCase], step: int) -> None:
    """Make the file of a curve ready for a training that begins at a step: what was stored after it is dropped.

    Raises:
        SeaError: the file has answers and the training begins at step 0, or they are to other questions.
    """
    records = log.read()
    hint = "Give another file, or go on with that training: trainer.train(resume_from_checkpoint=True)."
    if records and step == 0:
        raise SeaError("this file has the answers of another training", hint=hint, where=str(log.path))
    prompts = {(case.group, case.id): case.prompt for case in cases}
    for record in records:
        if prompts.get((record["group"], record["id"]), record["prompt"]) != record["prompt"]:
            what = f"the question {record['id']} of this file is not the one that would be asked now"
            raise SeaError(what, hint="Give another file.", where=str(log.path))
    keep_until(log, step)


def keep_until(log: JsonlLog[CurveRecord], step: int) -> None:
    """Drop the answers after a step."""
    records = log.read()
    kept = [record for record in records if record["step"] <= step]
    if len(kept) < len(records):
        with atomic_write(log.path) as partial:
            partial.unlink(missing_ok=True)  # what a kill left behind
            JsonlLog(partial, CurveRecord).append(kept)


def measure(
    mllm: MLLM,
    cases: Sequence[SpotCheckCase],
    step: int,
    log: JsonlLog[CurveRecord],
    answers: Answers = "direct",
) -> None:
    """Answer the cases that have no stored answer for this step, by greedy decoding, and store the answers.

    Args:
        answers: how the alignment answered; see `spot_check.MAX_NEW_TOKENS`.
    """
    answered = {(record["group"], record["id"]) for record in log.read() if record["step"] == step}
    remaining = [case for case in cases if (case.group, case.id) not in answered]
    for judged in answer_cases(mllm, remaining, answers):
        log.append({"step": step, **answer} for answer in judged)


def curve_points(records: Sequence[CurveRecord]) -> list[CurvePoint]:
    """Return the metrics of each group at each step, in the order of groups, then steps."""
    groups = dict.fromkeys((record["group"], record["seen"]) for record in records)
    steps = sorted({record["step"] for record in records})
    return [
        {"step": step, "group": group, "seen": seen, "metrics": answer_metrics(found)}
        for group, seen in groups
        for step in steps
        if (found := [r for r in records if (r["step"], r["group"], r["seen"]) == (step, group, seen)])
    ]

"""The metrics of a run of embeddings, each computed from its stored records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from statistics import median, quantiles
from typing import Any, TypedDict

from sea_core.runs.embedding_record import EmbeddingRecord
from sea_core.runs.embedding_run import AnswerKey, EmbeddingRun, answer_key
from sea_core.runs.statistics import cluster_interval, ratio


class KindMetrics(TypedDict):
    """VSR of one kind of content: the ratio, its 95 % interval, and the number of judged answers that it is of."""

    vsr: float | None
    interval: tuple[float, float] | None
    judged: int


class JudgeMetrics(TypedDict):
    """VSR by one judge. Answers without a verdict are counted as `unjudged` and are in no ratio.

    Keys: `vsr`, named / judged answers, from 0 to 1; `interval`, its 95 % interval, with the
    answers about one example as a cluster; `named`, `judged` and `unjudged`,
    numbers of answers; `kinds`, the same for activities and products.
    """

    vsr: float | None
    interval: tuple[float, float] | None
    named: int
    judged: int
    unjudged: int
    kinds: dict[str, KindMetrics]


class RecipeMetrics(TypedDict):
    """One recipe: embeddings done and succeeded, their ratio, median steps of the successes, mean seconds of all."""

    done: int
    succeeded: int
    osr: float
    steps_median: float | None
    seconds_per_embedding: float


class RunMetrics(TypedDict):
    """The metrics of a run.

    Keys: `embeddings`, requested; `done`, with a result; `examples`, that these results are of; `skipped`, examples
    that preparation skipped; `succeeded`; `osr`, succeeded / done; `vsr`, `vsr_interval` and `verified`, of the first
    judge; `judges`, of all; `audited`, and `audit_exact`, how many of them gave both target answers; `steps_median`
    and `steps_p90`, of the successes; `seconds_per_embedding`, mean of all; `recipes`; `uncovered_examples`;
    `resolved`, values of settings that were `auto`; `plugin`; `model`.
    """

    run: str
    embeddings: int
    done: int
    examples: int
    skipped: int
    succeeded: int
    osr: float | None
    vsr: float | None
    vsr_interval: tuple[float, float] | None
    verified: int
    judges: dict[str, JudgeMetrics]
    audited: int
    audit_exact: int
    steps_median: float | None
    steps_p90: float | None
    recipes: dict[str, RecipeMetrics]
    uncovered_examples: list[str]
    seconds_per_embedding: float | None
    resolved: dict[str, Any]
    plugin: str
    model: str


def run_metrics(run: EmbeddingRun) -> RunMetrics:
    """Return the metrics of a run: OSR, VSR, steps and seconds (paper, section 4)."""
    records, audits, judges = run.records(), run.current_audits(), vsr_metrics(run)
    steps = [record["steps"] for record in records if record["status"] == "succeeded"]
    first = next(iter(judges.values()), None)
    identity, metadata = run.manifest.identity, run.manifest.metadata
    return {
        "run": str(run.folder),
        "embeddings": max(metadata.embeddings, len(records)),  # the last command may have requested fewer
        "done": len(records),
        "examples": len({record["example_id"] for record in records}),
        "skipped": metadata.skipped,
        "succeeded": len(steps),
        "osr": ratio(len(steps), len(records)),
        "vsr": first["vsr"] if first else None,
        "vsr_interval": first["interval"] if first else None,
        "verified": first["judged"] if first else 0,
        "judges": judges,
        "audited": len(audits),
        "audit_exact": sum(audit["exact"] for audit in audits),
        "steps_median": median(steps) if steps else None,
        "steps_p90": quantiles(steps, n=10, method="inclusive")[-1] if len(steps) > 1 else None,
        "recipes": recipe_metrics(records),
        "uncovered_examples": uncovered_examples(records),
        "seconds_per_embedding": sum(r["seconds"] for r in records) / len(records) if records else None,
        "resolved": {k: value for k, value in asdict(run.manifest.resolved).items() if value is not None},
        "plugin": identity.model.plugin,
        "model": metadata.model.checkpoint,
    }


def vsr_metrics(run: EmbeddingRun) -> dict[str, JudgeMetrics]:
    """Return the VSR by each judge, in the order of their first verdicts.

    Only answers about successful embeddings of the run count.
    """
    examples = {record["id"]: record["example_id"] for record in run.records("succeeded")}
    answers = [answer for answer in run.current_answers() if answer["id"] in examples]
    judges = dict.fromkeys(verdict["judge"] for verdict in run.verdicts.read() if verdict["id"] in examples)
    return {judge: _judge_metrics(answers, examples, run.latest_verdicts(judge)) for judge in judges}


def recipe_metrics(records: Iterable[EmbeddingRecord]) -> dict[str, RecipeMetrics]:
    """Return the metrics of each recipe."""
    groups: dict[str, list[EmbeddingRecord]] = {}
    for record in records:
        groups.setdefault(record["recipe"], []).append(record)
    return {recipe: _recipe_metrics(group) for recipe, group in groups.items()}


def uncovered_examples(records: Iterable[EmbeddingRecord]) -> list[str]:
    """Return the ids of the examples that were tried and have no successful embedding, by any recipe in any draw."""
    covered: dict[str, bool] = {}
    for record in records:
        example = record["example_id"]
        covered[example] = covered.get(example, False) or record["status"] == "succeeded"
    return [example for example, success in covered.items() if not success]


def _recipe_metrics(records: Sequence[EmbeddingRecord]) -> RecipeMetrics:
    steps = [record["steps"] for record in records if record["status"] == "succeeded"]
    return {
        "done": len(records),
        "succeeded": len(steps),
        "osr": len(steps) / len(records),
        "steps_median": median(steps) if steps else None,
        "seconds_per_embedding": sum(record["seconds"] for record in records) / len(records),
    }


def _judge_metrics(
    answers: Sequence[Mapping[str, Any]], examples: Mapping[str, str], verdicts: Mapping[AnswerKey, str]
) -> JudgeMetrics:
    kinds = dict.fromkeys(answer["kind"] for answer in answers)
    of_all = _named(answers, examples, verdicts)
    by_kind = {kind: _named([a for a in answers if a["kind"] == kind], examples, verdicts) for kind in kinds}
    named, judged = _count(of_all)
    return {
        "vsr": ratio(named, judged),
        "interval": cluster_interval(of_all),
        "named": named,
        "judged": judged,
        "unjudged": len(answers) - judged,
        "kinds": {kind: _kind_metrics(found) for kind, found in by_kind.items()},
    }


def _kind_metrics(named: Mapping[str, Sequence[bool]]) -> KindMetrics:
    count = _count(named)
    return {"vsr": ratio(*count), "interval": cluster_interval(named), "judged": count[1]}


def _named(
    answers: Iterable[Mapping[str, Any]], examples: Mapping[str, str], verdicts: Mapping[AnswerKey, str]
) -> dict[str, list[bool]]:
    """Return, for each example, which of the answers about it that have a verdict name its content."""
    found: dict[str, list[bool]] = {}
    for answer in answers:
        verdict = verdicts.get(answer_key(answer))
        if verdict in ("named", "missed"):
            found.setdefault(examples[answer["id"]], []).append(verdict == "named")
    return found


def _count(named: Mapping[str, Sequence[bool]]) -> tuple[int, int]:
    """Return how many answers name the content, and how many have a verdict."""
    return sum(map(sum, named.values())), sum(map(len, named.values()))

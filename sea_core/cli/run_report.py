"""How `sea optimize` and `sea verify` print the metrics of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sea_core.cli import comparison_report, output
from sea_core.errors import number_of

if TYPE_CHECKING:
    from sea_core.runs.embedding_run import EmbeddingRun
    from sea_core.runs.manifest import ModelIdentity
    from sea_core.verification.analysis.comparison import MediaComparison
    from sea_core.verification.metrics import JudgeMetrics, RecipeMetrics, RunMetrics

SHOWN_MISSED, SHOWN_FAILED, SHOWN_REASONS = 3, 5, 3
"""How many missed answers, failed embeddings and reasons are listed; `sea show` lists all."""


def report(run: EmbeddingRun, as_json: bool, comparison: MediaComparison | None = None, *, address: str = "") -> None:
    """Print the metrics of a run, and of its comparison with real media if there is one; problems go to stderr.

    Args:
        address: of a run in object storage, whose folder here is a temporary one.
    """
    from sea_core.verification.metrics import run_metrics

    metrics = run_metrics(run)
    if address:
        metrics["run"] = address
    compared = comparison.metrics() if comparison else None
    lines = [*_lines(metrics), *(comparison_report.lines(compared) if compared else ())]
    value = {**metrics, **({"comparison": compared} if compared else {})}
    output.emit(value, as_json, lambda: output.grid(("metric", "value"), lines))
    if compared:
        comparison_report.notes(compared)
    for note in _notes(run, metrics):
        output.note(note)
    if address:
        output.note(f"Next: sea pull {address} FOLDER")
        return
    output.note(_next_step(run))
    output.note(f"To read the texts and answers: sea report {run.folder}   or: sea show {run.folder}")


def _next_step(run: EmbeddingRun) -> str:
    """Say what to type next: an alignment by the method that the examples have answers for."""
    plugin = typed_plugin(run.manifest.identity.model)
    named = f" --plugin {plugin}" if plugin.endswith(".py") else ""
    records = run.records("succeeded")
    if not records:
        return (
            f"No embedding succeeded, so that there is nothing to align on. Each one's reason: sea show {run.folder}\n"
            "If the model's weights are random, it can say no target answer: teach it a few with sea plugins warm"
        )
    if any(record["chosen"] and record["rejected"] for record in records):
        return f"Next: sea align {run.folder}{named} --out model"
    if any(record["response"] for record in records):
        return f"Next: sea align {run.folder}{named} --method sft --out model"
    return "The examples have no answers: give them some before sea align (docs/how-to/prepare-your-data.md)"


def typed_plugin(model: ModelIdentity) -> str:
    """Return what `--plugin` takes for the plugin of a run: its name, or the path of a local file as one types it."""
    from sea_core.plugin.loader import FILE_VERSION

    return f"./{model.plugin}.py" if model.plugin_version.startswith(FILE_VERSION) else model.plugin


def _lines(metrics: RunMetrics) -> list[tuple[str, str]]:
    recipes = metrics["recipes"]
    return [
        _count_line(metrics),
        ("OSR", f"{output.ratio(metrics['osr'])}   ({metrics['succeeded']} of {metrics['done']})"),
        *(_vsr_lines(metrics["judges"]) or [("VSR", "-   (no answers)")]),
        ("audit", f"{metrics['audit_exact']} of {metrics['audited']} sampled embeddings generate both target answers"),
        ("steps", _steps(metrics)),
        ("seconds per embedding", output.short(metrics["seconds_per_embedding"])),
        *(_recipe_line(name, of) for name, of in recipes.items() if len(recipes) > 1),
        *_resolved_lines(metrics["resolved"]),
        ("run", metrics["run"]),
    ]


REASONS = {"fallback_reason": "not packed", "compile_reason": "not compiled"}


def _resolved_lines(resolved: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what was found for settings that are `auto`, and why the run is slower than it could be."""
    values = ", ".join(f"{name} {value}" for name, value in resolved.items() if name not in REASONS)
    return [("chosen by auto", values), *((word, resolved[name]) for name, word in REASONS.items() if name in resolved)]


def _steps(metrics: RunMetrics) -> str:
    if metrics["steps_median"] is None:
        return "-   (no embedding succeeded)"
    p90 = "" if metrics["steps_p90"] is None else f", 90th percentile {output.short(metrics['steps_p90'])}"
    return f"median {output.short(metrics['steps_median'])}{p90}"


def _count_line(metrics: RunMetrics) -> tuple[str, str]:
    done, examples = f"{metrics['done']} of {metrics['embeddings']}", metrics["examples"]
    if examples == metrics["done"]:
        return "examples", f"{done}, {metrics['skipped']} skipped"
    covered = examples - len(metrics["uncovered_examples"])
    return "embeddings", f"{done}, of {number_of(examples, 'example')}, {covered} covered; {metrics['skipped']} skipped"


def _vsr_lines(judges: dict[str, JudgeMetrics]) -> list[tuple[str, str]]:
    """Return for each judge the ratio, its interval, and the ratio for each kind of content."""
    lines = []
    for judge, metrics in judges.items():
        interval = "" if metrics["interval"] is None else "   95 %: {:.3f} to {:.3f}".format(*metrics["interval"])
        kinds = "; ".join(f"{k} {output.ratio(of['vsr'])} of {of['judged']}" for k, of in metrics["kinds"].items())
        value = (
            f"{output.ratio(metrics['vsr'])}{interval}   ({metrics['named']} of {metrics['judged']} answers; {kinds})"
        )
        lines.append((f"VSR, {judge}", value))
        if metrics["unjudged"]:
            lines.append((f"unjudged by {judge}", f"{number_of(metrics['unjudged'], 'answer')}, in no ratio"))
    return lines


def _recipe_line(name: str, metrics: RecipeMetrics) -> tuple[str, str]:
    steps, seconds = output.short(metrics["steps_median"]), output.short(metrics["seconds_per_embedding"])
    succeeded = f"{metrics['succeeded']} of {metrics['done']} succeeded"
    return f"recipe {name}", f"{succeeded}, median {steps} steps, {seconds} s per embedding"


def _notes(run: EmbeddingRun, metrics: RunMetrics) -> Iterator[str]:
    for audit in run.current_audits():
        if not audit["exact"]:
            yield (
                f"audit: {audit['id']} was counted as succeeded, but generates {audit['answers']}: "
                "use a larger margin, for example -o margin=2"
            )
    for judge, of in metrics["judges"].items():
        yield from _missed_notes(run, judge)
        if of["unjudged"]:
            yield from _unjudged_notes(run, judge)
    if metrics["examples"] != metrics["done"] and metrics["uncovered_examples"]:
        yield f"no embedding succeeded for these examples: {', '.join(metrics['uncovered_examples'])}"
    yield from _failure_notes(run, metrics["done"])


def _missed_notes(run: EmbeddingRun, judge: str) -> Iterator[str]:
    """Yield the first answers that do not name their content."""
    from sea_core.verification.verify import missed_answers

    missed = missed_answers(run, judge)
    for answer in missed[:SHOWN_MISSED]:
        asked = f"asked {answer['question']!r}, the model answered {answer['answer']!r}"
        yield f"not named ({judge}): {answer['id']}, {answer['content']!r}: {asked}"
    if len(missed) > SHOWN_MISSED:
        yield f"{len(missed)} answers do not name their content. To list them all: sea show {run.folder} --missed"


def _unjudged_notes(run: EmbeddingRun, judge: str) -> Iterator[str]:
    """Yield why a judge gave no verdict, the most frequent reasons first. Only errors are retried."""
    from sea_core.runs.embedding_run import answer_key

    latest = {answer_key(verdict): verdict for verdict in run.verdicts.read() if verdict["judge"] == judge}
    reasons = Counter(verdict["detail"][:120] for verdict in latest.values() if verdict["verdict"] == "unjudged")
    for reason, count in reasons.most_common(SHOWN_REASONS):
        retry = "; re-run the same command to retry" if reason.startswith("error") else ""
        yield f"unjudged ({judge}), {number_of(count, 'answer')}: {reason}{retry}"


def _failure_notes(run: EmbeddingRun, done: int) -> Iterator[str]:
    failed = run.records("failed")
    for record in failed[:SHOWN_FAILED]:
        yield f"failed: {record['id']} ({record['phrase']}): {record['reason']}"
    if failed:
        yield f"{len(failed)} of {done} embeddings failed. To list them all: sea show {run.folder}"
        if limits := run.manifest.metadata.limits:
            yield limits

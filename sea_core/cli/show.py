"""`sea show`: a run's figures and rows, or one row from its text to the verified answer."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli import comparison, output

if TYPE_CHECKING:
    from sea_core.runs.embedding_run import EmbeddingRun
    from sea_core.verification.analysis.comparison import MediaComparison
    from sea_core.verification.metrics import JudgeMetrics, RecipeMetrics, RunMetrics


def show(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    row: Annotated[str | None, typer.Argument(metavar="ROW", help="A row's id: trace this row.")] = None,
    missed: Annotated[bool, typer.Option("--missed", help="List the answers that do not name the content.")] = False,
    as_json: output.Json = False,
) -> None:
    """Show a run's rows, or trace one row: text, targets, embedding, verified answers."""
    from sea_core.runs.embedding_run import EmbeddingRun

    opened = EmbeddingRun(run)
    if missed:
        _show_missed(opened, as_json)
    elif row is None:
        _show_rows(opened, as_json)
    else:
        traced = trace(opened, row)
        output.emit(traced, as_json, lambda: output.grid(("", row), _story(traced)))


def _show_rows(run: EmbeddingRun, as_json: bool) -> None:
    columns = ("id", "status", "steps", "loss", "phrase", "reason")
    records: list[dict[str, Any]] = [dict(record) for record in run.records()]
    cells = [[_short(record[column]) for column in columns] for record in records]
    value = [{column: record[column] for column in columns} for record in records]
    output.emit(value, as_json, lambda: output.grid(columns, cells))


def _show_missed(run: EmbeddingRun, as_json: bool) -> None:
    from sea_core.verification.metrics import vsr_metrics
    from sea_core.verification.verify import missed_answers

    columns = ("judge", "id", "content", "question", "answer")
    found = [{"judge": judge, **answer} for judge in vsr_metrics(run) for answer in missed_answers(run, judge)]
    value = [{column: row[column] for column in columns} for row in found]
    output.emit(value, as_json, lambda: output.grid(columns, [list(row.values()) for row in value]))


def trace(run: EmbeddingRun, row_id: str) -> dict[str, Any]:
    """Return everything the run knows of a row; its embedding is read, and checked against its digest."""
    from sea_core.runs.embedding_run import answer_key

    record = run.store.record(row_id)
    words = [verdict for verdict in run.verdicts.read() if verdict["id"] == row_id]
    answers = [
        answer | {"verdicts": {w["judge"]: w["verdict"] for w in words if answer_key(w) == answer_key(answer)}}
        for answer in run.answers.read()
        if answer["id"] == row_id
    ]
    traced = record | {"goals": json.loads(record["goals"]), "verified": answers}
    if record["sha256"]:
        embedding = run.load(row_id)[0].float()
        traced["embedding"] = {"shape": list(embedding.shape), "rms": embedding.square().mean().sqrt().item()}
    return traced


def report(run: EmbeddingRun, as_json: bool, view: MediaComparison | None = None) -> None:
    """Print the figures of a run, beside real media too if a view is given; failed rows go to stderr."""
    from sea_core.verification.metrics import run_metrics

    figures = run_metrics(run)
    seen = view.metrics() if view else None
    rows = [*_figure_rows(figures), *(comparison.lines(seen) if seen else ())]
    output.emit(figures | ({"quality": seen} if seen else {}), as_json, lambda: output.grid(("figure", "value"), rows))
    if seen:
        comparison.notes(seen)
    for row in run.audits.read():
        if not row["exact"]:
            output.note(f"audit: {row['id']} was counted as reached, but says {row['said']}: -o margin=2 asks for more")
    for judge, told in figures["judges"].items():
        _note_missed(run, judge)
        if told["unjudged"]:
            _note_unjudged(run, judge)
    if figures["examples"] != figures["done"] and figures["uncovered_examples"]:
        output.note(f"these rows have no embedding that succeeded: {', '.join(figures['uncovered_examples'])}")
    failures = run.records("failed")
    for record in failures[:5]:
        output.note(f"failed: {record['id']} ({record['phrase']}): {record['reason']}")
    if failures:
        output.note(f"{len(failures)} of {figures['done']} rows failed. Type: sea show {run.folder}  for all of them.")
        if limits := run.manifest.metadata.limits:
            output.note(limits)


def _note_missed(run: EmbeddingRun, judge: str) -> None:
    """Name the first answers that miss their content, and where the others are."""
    from sea_core.verification.verify import missed_answers

    found = missed_answers(run, judge)
    for answer in found[:3]:
        output.note(f"missed ({judge}): {answer['id']} ({answer['content']}): {answer['question']} {answer['answer']}")
    if len(found) > 3:
        output.note(f"{len(found)} answers miss their content. Type: sea show {run.folder} --missed  for all of them.")


def _note_unjudged(run: EmbeddingRun, judge: str) -> None:
    """Say why a judge gave no verdict, the commonest reasons first. Only errors are asked about again."""
    from sea_core.runs.embedding_run import answer_key

    last = {answer_key(word): word for word in run.verdicts.read() if word["judge"] == judge}
    reasons = Counter(word.get("detail", "")[:120] for word in last.values() if word["verdict"] == "unjudged")
    for reason, count in reasons.most_common(3):
        again = "; type the same command again" if reason.startswith("error") else ""
        output.note(f"unjudged ({judge}), {count} answers: {reason}{again}")


def _figure_rows(figures: RunMetrics) -> list[tuple[str, str]]:
    done = f"{figures['done']} of {figures['embeddings']}"
    if (texts := figures["examples"]) != figures["done"]:
        covered = texts - len(figures["uncovered_examples"])
        head = (
            "embeddings",
            f"{done}, of {texts} rows, {covered} with one that succeeded; {figures['skipped']} refused",
        )
    else:
        head = ("rows", f"{done}, {figures['skipped']} refused")
    return [
        head,
        ("OSR", f"{_share(figures['osr'])}   ({figures['succeeded']} of {figures['done']})"),
        *_vsr_rows(figures["judges"]),
        ("audit", f"{figures['audit_exact']} of {figures['audited']} say both targets when generating"),
        ("steps", f"median {_short(figures['steps_median'])}, 90th percentile {_short(figures['steps_p90'])}"),
        ("seconds per row", _short(figures["seconds_per_embedding"])),
        *(_recipe_row(name, of) for name, of in figures["recipes"].items() if len(figures["recipes"]) > 1),
        ("resolved", ", ".join(f"{name} {value}" for name, value in figures["resolved"].items())),
        ("run", figures["run"]),
    ]


def _vsr_rows(judges: dict[str, JudgeMetrics]) -> list[tuple[str, str]]:
    """Draw a line for each judge: the share, how sure it is, and each kind of content."""
    lines = []
    for judge, told in judges.items():
        sure = "" if told["interval"] is None else "   95 %: {:.3f} to {:.3f}".format(*told["interval"])
        kinds = "; ".join(f"{kind} {_share(one['vsr'])} of {one['judged']}" for kind, one in told["kinds"].items())
        lines.append((f"VSR, {judge}", f"{_share(told['vsr'])}{sure}   ({told['judged']} answers: {kinds})"))
        if told["unjudged"]:
            lines.append((f"unjudged by {judge}", f"{told['unjudged']} answers, in no share"))
    return lines or [("VSR", "-   (no answers)")]


def _recipe_row(name: str, of: RecipeMetrics) -> tuple[str, str]:
    steps, seconds = _short(of["steps_median"]), _short(of["seconds_per_embedding"])
    return f"recipe {name}", f"{of['succeeded']} of {of['done']} reached, median {steps} steps, {seconds} s a row"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _short(value: Any) -> str:
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _story(traced: dict[str, Any]) -> list[tuple[str, str]]:
    """Return a traced row as lines for people, in the order in which it was made; `--json` has everything."""
    lines = [(name, traced[name]) for name in ("instruction", "response", "chosen", "rejected") if traced[name]]
    lines += [(name, traced[name]) for name in ("phrase", "detoxified")]
    lines += [("target", f"{goal['prompt']}\n-> {goal['answer']}") for goal in traced["goals"]]
    outcome = f"{traced['status']} after {traced['steps']} steps and {_short(traced['seconds'])} s"
    lines.append(("optimised", f"{outcome}; loss {_short(traced['loss'])}, margin {_short(traced['margin'])}"))
    if traced["reason"]:
        lines.append(("reason", traced["reason"]))
    if "embedding" in traced:
        shape = " x ".join(map(str, traced["embedding"]["shape"]))
        place = traced["shard"] or "pending"
        rms = _short(traced["embedding"]["rms"])
        lines.append(("embedding", f"{shape} {traced['dtype']}, rms {rms}\nin {place}, sha256 {traced['sha256'][:16]}"))
    for answer in traced["verified"]:
        judged = ", ".join(f"{judge}: {word}" for judge, word in answer["verdicts"].items()) or "not judged"
        lines.append(("verified", f"{answer['question']}\n-> {answer['answer']}\n{judged}"))
    return lines

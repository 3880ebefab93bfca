"""`sea optimize`: a text safety file becomes verified synthetic embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sea_core.cli import extracting, options, output, show, synthesis

if TYPE_CHECKING:
    from sea_core.cli.synthesis import Synthesis
    from sea_core.data.examples import PreparedExample
    from sea_core.data.result import ReadResult
    from sea_core.extraction.prepare import Preparation
    from sea_core.judges.base import Judge
    from sea_core.model.adapter import Adapter
    from sea_core.model.mllm import MLLM
    from sea_core.optimization.config import OptimizeConfig
    from sea_core.runs.embedding_run import EmbeddingRun


def optimize(
    rows: options.RowsFile = None,
    plugin: options.PluginName = "",
    modality: options.Modality = None,
    model: options.Model = None,
    recipe: synthesis.RecipeNames = "plain",
    media: synthesis.MediaFolder = None,
    out: Annotated[Path | None, typer.Option(help="Run folder. Default: runs/PLUGIN-ROWS.")] = None,
    option: options.Settings = [],  # noqa: B006  # typer copies it
    config: options.SettingsFile = None,
    format: options.Format = "auto",
    columns: options.Columns = None,
    split: options.Split = None,
    skip_bad: options.SkipBad = False,
    limit: options.Limit = None,
    styles: options.Styles = None,
    extractor: extracting.Name = "rules",
    revision: options.Revision = None,
    dtype: options.Dtype = "auto",
    device: options.Device = "auto",
    verify: Annotated[bool, typer.Option(help="Ask the held-out questions afterwards (VSR).")] = True,
    as_json: output.Json = False,
) -> None:
    """Find a synthetic embedding for each row of a text safety file, then verify them.

    Without ROWS: the demo rows. Without --model: the plugin's own. The same command again goes on where it stopped.
    """
    from sea_core.plugin import loader
    from sea_core.runs.embedding_run import EmbeddingRun

    found, adapter = loader.adapter(options.required(plugin), modality)
    how, adapter = synthesis.read(adapter, recipe, media, config, option)
    data = options.Data(rows, format, columns, limit=limit, styles=styles, split=split, skip_bad=skip_bad)
    several = f"-{adapter.modality}" if len(found.adapters) > 1 else ""
    folder = out or Path("runs") / f"{Path(plugin).stem}{several}-{data.name}"
    phrases = extracting.Extracting.of(extractor, how.chat, folder)
    read = data.read()
    preparation = data.prepare(read, adapter, how.told.seed, how.told.benign_examples, phrases.extractor)
    phrases.tell()
    how = how.of_rows(preparation.prepared, adapter, data.style_set())
    target = options.Target.of(adapter, model, revision, dtype, device)
    about = (
        options.identity(found, adapter, target)
        | how.identity()
        | {
            "data": read.digest,
            "format": read.format,
            "columns": columns,
            "extractor": phrases.extractor.identity(),
        }
    )
    about |= {"styles": data.style_set()} if styles else {}
    told = facts(plugin, target, data.file, read, preparation) | {"rows": len(how.todo)}
    run = EmbeddingRun.start(folder, about, told)
    with run.writing():
        run.write_skipped(preparation.skipped)
        work(run, adapter, how, target, verify)
    show.report(run, as_json)
    extracting.stop_if_unanswered(preparation)


def facts(
    plugin: str, target: options.Target, path: Path, read: ReadResult, preparation: Preparation
) -> dict[str, Any]:
    """Return what else a run should remember."""
    from sea_core.model.checkpoint import read_card

    return {
        "purpose": "synthetic embeddings for safety alignment (SEA)",
        "plugin_path": plugin,
        "model": target.checkpoint,
        "revision": target.revision,
        "limits": read_card(target.checkpoint).get("limits", ""),
        "file": str(path),
        "dropped": read.skip_counts,
        "bad": len(read.invalid),
        "refused": len(preparation.skipped),
    }


def work(run: EmbeddingRun, adapter: Adapter, how: Synthesis, target: options.Target, verify: bool) -> None:
    """Do what is left: optimise the rows without a record, then ask the questions without an answer."""
    done = run.store.ids()
    left = [row for row in how.todo if row.id not in done]
    mllm = None
    if left:
        mllm = target.load(adapter)
        search(run, mllm, how, left)
    check(run, adapter, target, mllm)
    if verify:
        ask(run, adapter, target, mllm)


def search(run: EmbeddingRun, mllm: MLLM, how: Synthesis, left: Sequence[PreparedExample]) -> None:
    """Find the embeddings that are left."""
    from sea_core.cli.progress import bar
    from sea_core.model.selfcheck import check_seam
    from sea_core.optimization.optimizer import Optimization

    check_seam(mllm)
    told = settle(run, mllm, how.told, how.prepared)
    work = Optimization(mllm, left, told, recipes=how.recipes, benign=how.benign(mllm, left))
    run.resolve({"lr": told.lr} | work.resolved())
    if work.forward.fallback_reason:
        output.note(
            f"each goal runs as a sequence of its own, which takes about twice as long: {work.forward.fallback_reason}"
        )
    rows = {row.id: row for row in left}
    with bar("optimize", len(how.todo), len(how.todo) - len(left)) as progress:
        for outcome in work.run():
            run.add(rows[outcome.id], outcome)
            progress.advance(note=f"{outcome.status}, loss {outcome.loss:.4f}")


def settle(run: EmbeddingRun, mllm: MLLM, told: OptimizeConfig, rows: Sequence[PreparedExample]) -> OptimizeConfig:
    """Put a number where the settings say `auto`, the one that this run was begun with if it goes on."""
    chosen = run.about.get("chosen", {})
    if told.margin == "auto" and "margin" in chosen:
        told = replace(told, margin=chosen["margin"])
    if told.lr != "auto":
        return told
    if "lr" in chosen:
        return replace(told, lr=chosen["lr"])
    from sea_core.optimization.lr_search import EXAMPLES, GRID, search_lr

    output.note(f"lr=auto: trying {', '.join(map(str, GRID))} on {min(EXAMPLES, len(rows))} rows")
    found = search_lr(mllm, rows, told, run.tuning)
    output.note(f"lr=auto: {found.lr} it is; tuning.jsonl has what was tried")
    return found


def check(run: EmbeddingRun, adapter: Adapter, target: options.Target, mllm: MLLM | None) -> None:
    """Audit the successes that are left to audit: real generation must say what the steps saw."""
    from sea_core.optimization.audit import audit, unaudited

    if unaudited(run):
        for _ in audit(mllm or target.load(adapter), run):
            pass


def ask(
    run: EmbeddingRun,
    adapter: Adapter,
    target: options.Target,
    mllm: MLLM | None = None,
    judges: Sequence[Judge] = (),
) -> None:
    """Put the held-out questions that have no stored answer yet, and let judges speak: by default the offline one."""
    from sea_core.cli.progress import bar
    from sea_core.judges.lexical import LexicalJudge
    from sea_core.judges.score import run_judge, unjudged
    from sea_core.verification.verify import VerificationAnswers, generate_answers, unanswered_questions

    asked = len(run.answers.read())
    left = unanswered_questions(adapter, run)
    if left:
        mllm = mllm or target.load(adapter)
        with bar("verify", asked + len(left), asked) as progress:
            for count in generate_answers(mllm, run):
                progress.advance(count)
    answers = VerificationAnswers(run)
    total = len(answers.stored_answers())
    for judge in judges or (LexicalJudge(),):
        with bar(f"judge {judge.name}", total, total - len(unjudged(answers, judge))) as progress:
            for count in run_judge(answers, judge):
                progress.advance(count)

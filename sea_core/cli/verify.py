"""`sea verify`: held-out questions about the embeddings of a run, scored by judges."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sea_core.cli import options, output, run_report
from sea_core.cli.exit_code import exit_if_failed
from sea_core.cli.inputs import refusing, require_path
from sea_core.cli.judge_settings import find_judges, unread_judge_settings
from sea_core.cli.settings import SettingGroup, llm_group, read_settings, takes_settings
from sea_core.errors import number_of

if TYPE_CHECKING:
    from sea_core.verification.metrics import RunMetrics

Judges = Annotated[
    list[str],
    typer.Option("--judge", help="lexical, openai or transformers; repeatable.", show_default="lexical"),
]
CompareWith = Annotated[
    Path | None,
    typer.Option(
        "--compare-with",
        callback=refusing(require_path),
        help="A folder of real media to compare the embeddings with.",
    ),
]


def verify_groups() -> list[SettingGroup]:
    """Return the settings of `sea verify`."""
    from sea_core.pipeline.workers_config import WorkersConfig
    from sea_core.verification.analysis.config import AnalysisConfig

    return [
        SettingGroup(WorkersConfig()),
        llm_group("of --judge openai or transformers"),
        SettingGroup(AnalysisConfig(), "analysis", "The linear probe of --compare-with."),
    ]


@takes_settings(verify_groups)
def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    plugin: options.RunPlugin = None,
    model: options.RunModel = None,
    compare_with: CompareWith = None,
    device: options.Device = "auto",
    judge: Judges = [],  # noqa: B006  # typer never changes it
    option: options.Settings = [],  # noqa: B006
    config: options.SettingsFile = None,
    as_json: output.Json = False,
) -> None:
    """Verify a run: VSR, the ratio of answers to held-out questions that name the content.

    Re-run the same command to resume. Stored answers are reused; pass another --judge to score them again.

    With --compare-with, also compare the embeddings with real media: cosine distances, and the accuracy of a linear
    probe on labelled files.
    """
    from sea_core.cli.progress import TERMINAL
    from sea_core.judges.registry import CONTENT
    from sea_core.runs.blocks import Blocks
    from sea_core.runs.embedding_run import EmbeddingRun

    unread = unread_judge_settings(find_judges(judge, CONTENT))
    unread |= {} if compare_with else {"analysis": "--compare-with FOLDER"}
    settings = read_settings(verify_groups(), config, option, unread)
    opened = EmbeddingRun(run)
    # What is typed wrong is refused by now: the work imports torch, which takes seconds.
    from sea_core.pipeline.verify import verify as verify_run
    from sea_core.pipeline.verify_work import VERIFY_BLOCKS

    found = verify_run(
        opened,
        judges=judge or ("lexical",),
        compare_with=compare_with,
        plugin=plugin,
        model=model,
        device=device,
        llm=settings["llm"],
        analysis=settings["analysis"],
        workers=settings[""].workers,
        progress=TERMINAL,
    )
    if settings[""].workers == 0 and (left := Blocks(run, VERIFY_BLOCKS).count_left()):
        output.note(
            f"{number_of(left, 'question is', 'questions are')} left to ask. On each computer, type: sea worker {run}"
        )
        return
    run_report.report(found.run, as_json, found.comparison)
    exit_if_failed(_failures(found.metrics))


def _failures(metrics: RunMetrics) -> dict[str, int]:
    """Return how much could not be verified: answers without a verdict by a judge, or a run without an embedding."""
    failures = {f"answers without a verdict of {name}": judge["unjudged"] for name, judge in metrics["judges"].items()}
    nothing = 0 if metrics["succeeded"] else metrics["embeddings"]
    return failures | {"embeddings that did not succeed, so that nothing can be verified": nothing}

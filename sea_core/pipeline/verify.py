"""`sea verify` from Python: held-out questions, judges, and the comparison with real media."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.errors import RunError, number_of
from sea_core.judges.base import Judge, JudgeConfig
from sea_core.judges.registry import CONTENT, open_judges
from sea_core.llm.config import LLMConfig
from sea_core.model.embedding import load_embedding
from sea_core.optimization.config import Auto
from sea_core.pipeline.launch import count_workers
from sea_core.pipeline.model_target import ModelTarget
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.pipeline.verify_work import VerifyWork, judge_answers
from sea_core.plugin import loader
from sea_core.runs.embedding_run import EmbeddingRun
from sea_core.verification.analysis.comparison import MediaComparison
from sea_core.verification.analysis.config import AnalysisConfig
from sea_core.verification.analysis.labels import read_labelled_media
from sea_core.verification.metrics import RunMetrics, run_metrics
from sea_core.verification.verify import check_width, unanswered_questions

if TYPE_CHECKING:
    from sea_core.model.mllm import MLLM


@dataclass(frozen=True)
class Verification:
    """A verified run: its metrics, and the comparison with real media where one was asked for."""

    run: EmbeddingRun
    metrics: RunMetrics
    comparison: MediaComparison | None = None


def verify(
    run: EmbeddingRun | Path | str,
    *,
    judges: Sequence[str] = ("lexical",),
    compare_with: Path | str | None = None,
    plugin: str | None = None,
    model: str | None = None,
    device: str = "auto",
    llm: LLMConfig | None = None,
    analysis: AnalysisConfig | None = None,
    workers: int | Auto = 1,
    progress: Progress = SILENT,
) -> Verification:
    """Ask held-out questions about the embeddings of a run, and score the answers (VSR).

    Stored answers are reused: another judge scores the same ones.

    Args:
        run: a run of `sea optimize`.
        judges: which judges score the answers.
        compare_with: a folder of real media, to compare the embeddings with.
        plugin: the run's plugin, for a run made with a local file: its path.
        model: where the run's model lies now, if not where it was.
        llm: how judges ask a language model. analysis: settings of the comparison.
        workers: how many processes ask; `auto` for one for each GPU; 0 to leave the questions to `sea worker`.

    Raises:
        RunError: the run holds encoded media, or was made with another model.
        SeaError: an unknown judge, or one that cannot be asked.
    """
    opened = run if isinstance(run, EmbeddingRun) else EmbeddingRun(Path(run))
    require_synthetic(opened)
    scoring = open_judges(judges, loader.judges(CONTENT), JudgeConfig(llm=llm or LLMConfig()), opened.folder)
    comparison = open_comparison(opened, compare_with, analysis or AnalysisConfig())
    target = ModelTarget.of_run(opened, plugin=plugin, model=model, device=device, progress=progress)
    require_same_model(opened, target)
    mllm = target.load() if comparison and comparison.remaining() else None
    with opened.writing():
        ask_and_judge(opened, target, mllm, judges=scoring, workers=workers, progress=progress)
        if comparison and mllm:
            compare(comparison, opened, mllm, progress)
    return Verification(opened, run_metrics(opened), comparison)


def require_synthetic(run: EmbeddingRun) -> None:
    """Raise RunError for a run of encoded media: nothing was optimised in it."""
    if run.manifest.identity.source == "media":
        raise RunError(
            f"{run.folder} holds encoded media (sea encode): nothing was optimised, so there is nothing to verify",
            hint="Give a run of `sea optimize`; to compare it with media, type: sea verify RUN --compare-with FOLDER",
        )


def require_same_model(run: EmbeddingRun, target: ModelTarget) -> None:
    """Raise RunError where a target is not the model that a run was made with."""
    if target.fingerprint() != run.manifest.identity.model.fingerprint:
        made_with = run.manifest.metadata.model.checkpoint
        raise RunError(
            f"the run was made with another model ({made_with}) than {target.checkpoint}",
            hint="An embedding is valid only for the model that it was made for. Give that model with --model.",
        )


def ask_and_judge(
    run: EmbeddingRun,
    target: ModelTarget,
    mllm: MLLM | None = None,
    judges: Sequence[Judge] = (),
    workers: int | Auto = 1,
    progress: Progress = SILENT,
) -> None:
    """Ask the held-out questions that have no stored answer, then let judges score the answers."""
    work = VerifyWork(run, target, mllm)
    work.do_all(work.rows(), {}, count_workers(workers, target.device), progress)
    if work.blocks.all():  # they are left to workers that join the run
        return
    if left := unanswered_questions(target.adapter, run):
        progress.note(
            f"{number_of(len(left), 'question has', 'questions have')} no answer: workers died while they asked them"
        )
    judge_answers(run, judges, progress)


def open_comparison(run: EmbeddingRun, folder: Path | str | None, config: AnalysisConfig) -> MediaComparison | None:
    """Return the comparison of a run with a folder of media, if there is one. It needs no model yet."""
    if folder is None:
        return None
    load = partial(load_embedding, run)
    return MediaComparison(run.records(), load, read_labelled_media(Path(folder)), run.analysis, config)


def compare(comparison: MediaComparison, run: EmbeddingRun, mllm: MLLM, progress: Progress) -> None:
    """Compute what the comparison lacks."""
    check_width(mllm, run)
    with progress.track("compare", comparison.remaining()) as tracker:
        for count in comparison.compute(mllm):
            tracker.advance(count)

"""What Inspect finds under the name sea_bench: the task `safetybench`, the provider `sea`, and the scorers."""

from __future__ import annotations

from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig, ModelAPI, modelapi
from inspect_ai.solver import generate

from sea_bench.dataset import read_benchmark
from sea_bench.inspect.samples import make_sample
from sea_bench.inspect.scorers import refused, unsafe
from sea_bench.run.config import AnswerConfig
from sea_bench.select import CaseFilter, select_cases

__all__ = ["refused", "safetybench", "sea", "unsafe"]


@modelapi(name="sea")
def sea() -> type[ModelAPI]:
    """Load the provider when a model is needed."""
    from sea_bench.inspect.provider import Provider

    return Provider


@task
def safetybench(
    cases: str,
    modality: str,
    task: str | list[str] = "",
    scenario: str | list[str] = "",
    first: int | None = None,
    judge: str = "",
) -> Task:
    """Put the cases of one set to a model.

    Args:
        cases: a benchmark folder (sea bench build).
        modality: the set.
        task: only this task, or these (`-T task=KPT,KPT_noise`).
        scenario: only this scenario, or these.
        first: only the first N cases of each scenario and task.
        judge: a prompt (va-question, va-original) for the model with the role `judge`, besides the refusal list.
    """
    wanted = CaseFilter(_as_list(task), _as_list(scenario), limit=first)
    selection = select_cases(read_benchmark(Path(cases), modality), wanted)
    return Task(
        dataset=MemoryDataset([Sample(**make_sample(case)) for case in selection.cases], name=f"{modality} set"),
        solver=generate(),
        scorer=[refused(), *([unsafe(judge)] if judge else [])],
        config=GenerateConfig(max_tokens=AnswerConfig().max_new_tokens, temperature=0),
        metadata={"cases": cases, "skipped": len(selection.missing)},
    )


def _as_list(names: str | list[str]) -> list[str]:
    """Return a list of names. On the command line, Inspect makes a list of a value with commas."""
    return names if isinstance(names, list) else [names] if names else []

"""The judges by name. Plugins add others with the hook `sea_judges`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from sea_core.errors import SeaError, suggest
from sea_core.judges.base import Judge, JudgeConfig, JudgeFactory, Measure
from sea_core.judges.guard import GuardJudge, GuardModel
from sea_core.judges.lexical import LexicalJudge
from sea_core.judges.llm_content import LLMContentJudge
from sea_core.judges.llm_safety import LLMSafetyJudge
from sea_core.judges.prompts import PROMPTS, VA_QUESTION, SafetyPrompt
from sea_core.judges.refusal import RefusalJudge
from sea_core.llm.backends import open_model
from sea_core.runs.jsonl import JsonlLog

CONTENT: tuple[Measure, ...] = ("content",)
"""What the judges of `sea verify` decide."""
SAFETY: tuple[Measure, ...] = ("safety", "refusal")
"""What the judges of `sea bench judge` decide."""
CACHE = "naming.jsonl"
"""The file in a run folder where the replies of language models that judge content are cached."""
BACKENDS = {"openai": "an OpenAI-compatible server", "transformers": "a model on this machine"}

PluginJudges = Callable[[], Iterable[JudgeFactory]]
"""Loads the judges of plugins. Called only for a name that is not built in."""


def open_judges(
    names: Sequence[str],
    measures: Sequence[Measure],
    config: JudgeConfig,
    folder: Path,
    extra: PluginJudges = tuple,
) -> list[Judge]:
    """Open the judges of these names, each once.

    Args:
        measures: what the judges may decide: `CONTENT` or `SAFETY`. `openai` is another judge for each.
        folder: the run folder, where a judge may store replies.

    Raises:
        SeaError: there is no such judge, or a setting that it needs is missing.
    """
    factories = [find_judge(name, measures, extra) for name in dict.fromkeys(names)]
    return [factory.open(config, folder) for factory in factories]


def find_judge(name: str, measures: Sequence[Measure], extra: PluginJudges = tuple) -> JudgeFactory:
    """Return the judge of that name. Raises SeaError, with the nearest name, if there is none."""
    built_in = {factory.name: factory for factory in JUDGES if factory.measures in measures}
    if name in built_in:
        return built_in[name]
    known = {factory.name: factory for factory in extra() if factory.measures in measures} | built_in
    if name not in known:
        raise SeaError(f"there is no judge {name!r}", hint=suggest(name, known))
    return known[name]


def _open_lexical(config: JudgeConfig, folder: Path) -> Judge:
    return LexicalJudge()


def _open_llm_content(backend: str, config: JudgeConfig, folder: Path) -> Judge:
    return LLMContentJudge(open_model(backend, config.chat), JsonlLog(folder / CACHE))


def _open_refusal(config: JudgeConfig, folder: Path) -> Judge:
    return RefusalJudge()


def _open_guard(config: JudgeConfig, folder: Path) -> Judge:
    if not config.guard.model:
        raise SeaError(
            "no guard model is set",
            hint="For example: -o guard.model=FOLDER   docs/how-to/run-a-benchmark.md lists some.",
        )
    return GuardJudge(GuardModel(config.guard))


def _open_llm_safety(backend: str, prompt: SafetyPrompt, config: JudgeConfig, folder: Path) -> Judge:
    return LLMSafetyJudge(open_model(backend, config.chat), prompt)


def _llm_content_judges() -> Iterable[JudgeFactory]:
    for backend, where in BACKENDS.items():
        description = f"{where} decides whether the answer names the content; accepts synonyms"
        yield JudgeFactory(backend, "content", description, partial(_open_llm_content, backend))


def _llm_safety_judges() -> Iterable[JudgeFactory]:
    for backend, where in BACKENDS.items():
        prompts = {backend: VA_QUESTION} | {f"{backend}:{key}": prompt for key, prompt in PROMPTS.items()}
        for name, prompt in prompts.items():
            description = f"{where} rates the answer with the prompt {prompt.version}"
            yield JudgeFactory(name, "safety", description, partial(_open_llm_safety, backend, prompt))


JUDGES: tuple[JudgeFactory, ...] = (
    JudgeFactory("lexical", "content", "every content word of the phrase, in any inflection; offline", _open_lexical),
    *_llm_content_judges(),
    JudgeFactory("refusal", "refusal", "a fixed list of openings of refusals; offline", _open_refusal),
    JudgeFactory("guard", "safety", "a guard model through transformers", _open_guard),
    *_llm_safety_judges(),
)

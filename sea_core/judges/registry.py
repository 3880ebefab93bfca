"""The judges by name. Plugins add others with the hook `sea_judges`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from sea_core.errors import SeaError
from sea_core.judges.base import Judge, JudgeConfig, JudgeFactory, Measure
from sea_core.judges.guard import GuardJudge, GuardModel, ServedGuard
from sea_core.judges.lexical import LexicalJudge
from sea_core.judges.llm_content import LLMContentJudge
from sea_core.judges.llm_safety import LLMSafetyJudge
from sea_core.judges.prompts import PROMPTS, VA_QUESTION, SafetyPrompt
from sea_core.judges.refusal import RefusalJudge
from sea_core.llm.backends import BACKENDS, open_model
from sea_core.llm.cache import CompletionCache, completion_log
from sea_core.llm.config import ServerOptions
from sea_core.llm.openai import OpenAIModel
from sea_core.registry import Registry

CONTENT: frozenset[Measure] = frozenset(("content",))
"""What the judges of `sea verify` decide."""
SAFETY: frozenset[Measure] = frozenset(("safety", "refusal"))
"""What the judges of `sea bench judge` decide."""
CACHE = "judge_replies.jsonl"
"""The file in a run folder where the replies of language models that judge content are cached."""

SETTINGS_READ: Mapping[str, frozenset[str]] = {
    "refusal": frozenset(),
    "lexical": frozenset(),
    "guard": frozenset(("guard",)),
    "openai": frozenset(("llm",)),
    "transformers": frozenset(("llm",)),
}
"""The groups of `JudgeConfig` that the built-in judges read, by their kind. A plugin's judge may read all."""

PluginJudges = Callable[[], Iterable[JudgeFactory]]
"""Loads the judges of plugins. Called only for a name that is not built in, or to list all names."""


def open_judges(
    names: Sequence[str],
    measures: Collection[Measure],
    config: JudgeConfig,
    folder: Path,
    extra: PluginJudges = tuple,
) -> list[Judge]:
    """Open the judges of these names, each once.

    Args:
        measures: what the judges may decide: `CONTENT` or `SAFETY`. Each has its own judge `openai`.
        folder: the run folder, where a judge may store replies.

    Raises:
        SeaError: there is no such judge, or a setting that it needs is missing.
    """
    registry = judge_registry(measures, extra)
    factories = [registry.get(name) for name in dict.fromkeys(names)]
    return [factory.open(config, folder) for factory in factories]


def settings_read(names: Iterable[str]) -> set[str]:
    """Return the groups of settings that judges with these names read."""
    everything = frozenset(("llm", "guard"))
    return {group for kind in judge_kinds(names) for group in SETTINGS_READ.get(kind, everything)}


def judge_kinds(names: Iterable[str]) -> set[str]:
    """Return the kinds of judges with these names: the kind of `openai:va-original` is `openai`."""
    return {name.partition(":")[0] for name in names}


def judge_registry(measures: Collection[Measure], extra: PluginJudges = tuple) -> Registry[JudgeFactory]:
    """Return the judges, built-in and of plugins, that decide one of the measures."""

    def matching(judges: Iterable[JudgeFactory]) -> list[JudgeFactory]:
        return [judge for judge in judges if judge.measures in measures]

    return Registry("judge", matching(JUDGES), lambda: matching(extra()))


def _open_lexical(config: JudgeConfig, folder: Path) -> Judge:
    return LexicalJudge()


def _open_llm_content(backend: str, config: JudgeConfig, folder: Path) -> Judge:
    return LLMContentJudge(open_model(backend, config.llm), CompletionCache(completion_log(folder / CACHE)))


def _open_refusal(config: JudgeConfig, folder: Path) -> Judge:
    return RefusalJudge()


def _open_guard(config: JudgeConfig, folder: Path) -> Judge:
    if not config.guard.model:
        raise SeaError(
            "no guard model is set",
            hint="For example: -o guard.model=FOLDER, or -o guard.base_url=http://HOST:PORT/v1 with the model's name "
            "there. docs/how-to/run-a-benchmark.md lists some.",
        )
    if config.guard.base_url:
        return GuardJudge(ServedGuard(OpenAIModel(config.guard, ServerOptions.of("guard"))))
    return GuardJudge(GuardModel(config.guard))


def _open_llm_safety(backend: str, prompt: SafetyPrompt, config: JudgeConfig, folder: Path) -> Judge:
    return LLMSafetyJudge(open_model(backend, config.llm), prompt)


def _llm_content_judges() -> Iterable[JudgeFactory]:
    for backend in BACKENDS.names():
        description = "a language model decides whether the answer names the content; accepts synonyms"
        yield JudgeFactory(backend, "content", description, partial(_open_llm_content, backend))


def _llm_safety_judges() -> Iterable[JudgeFactory]:
    for backend in BACKENDS.names():
        prompts = {backend: VA_QUESTION} | {f"{backend}:{key}": prompt for key, prompt in PROMPTS.items()}
        for name, prompt in prompts.items():
            description = f"a language model rates the answer with the prompt {prompt.version}"
            yield JudgeFactory(name, "safety", description, partial(_open_llm_safety, backend, prompt))


JUDGES: tuple[JudgeFactory, ...] = (
    JudgeFactory("lexical", "content", "every content word of the phrase, in any inflection; offline", _open_lexical),
    *_llm_content_judges(),
    JudgeFactory("refusal", "refusal", "a list of openings of refusals for each language; offline", _open_refusal),
    JudgeFactory("guard", "safety", "a guard model, run through transformers or on a server", _open_guard),
    *_llm_safety_judges(),
)
"""The built-in judges. Names are distinct among those of `CONTENT` and among those of `SAFETY`."""

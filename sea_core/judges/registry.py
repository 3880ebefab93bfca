"""The judges by name. Plugins add others with the hook `sea_judges`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypeAlias

from sea_core.errors import SeaError
from sea_core.judges.base import Judge, JudgeConfig, JudgeFactory, Measure, SettingsName
from sea_core.judges.guard import GuardJudge, GuardModel, ServedGuard
from sea_core.judges.lexical import LexicalJudge
from sea_core.judges.llm_content import LLMContentJudge
from sea_core.judges.llm_safety import LLMSafetyJudge
from sea_core.judges.prompts import PROMPTS, VA_QUESTION, SafetyPrompt
from sea_core.judges.refusal import RefusalJudge
from sea_core.llm.backends import BACKENDS, Backend, open_model
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

# What the built-in judges read.
NOTHING: frozenset[SettingsName] = frozenset()
LLM: frozenset[SettingsName] = frozenset(("llm",))
GUARD: frozenset[SettingsName] = frozenset(("guard",))

OpenJudge: TypeAlias = Callable[[JudgeConfig, Path], Judge]


def open_judges(
    names: Iterable[str], registry: Registry[JudgeFactory], config: JudgeConfig, folder: Path
) -> list[Judge]:
    """Open the judges of these names, each once.

    Args:
        registry: the judges that may be named: `plugin.loader.judges` returns those of `CONTENT` or of `SAFETY`, which
            have a judge `openai` each.
        folder: the run folder, where a judge may store replies.

    Raises:
        SeaError: there is no such judge, or a setting that it needs is missing.
    """
    factories = [registry.get(name) for name in dict.fromkeys(names)]
    return [factory.open(config, folder) for factory in factories]


def settings_read(judges: Iterable[JudgeFactory]) -> set[SettingsName]:
    """Return the groups of settings that judges read."""
    return {group for judge in judges for group in judge.reads}


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


def _llm_judge(backend: Backend, name: str, measures: Measure, description: str, opens: OpenJudge) -> JudgeFactory:
    return JudgeFactory(name, measures, description, opens, LLM, lambda config: backend.runs_here)


def _llm_content_judges() -> Iterable[JudgeFactory]:
    for backend in BACKENDS:
        description = "a language model decides whether the answer names the content; accepts synonyms"
        opens = partial(_open_llm_content, backend.name)
        yield _llm_judge(backend, backend.name, "content", description, opens)


def _llm_safety_judges() -> Iterable[JudgeFactory]:
    for backend in BACKENDS:
        prompts = {"": VA_QUESTION} | {f":{key}": prompt for key, prompt in PROMPTS.items()}
        for suffix, prompt in prompts.items():
            description = f"a language model rates the answer with the prompt {prompt.version}"
            opens = partial(_open_llm_safety, backend.name, prompt)
            yield _llm_judge(backend, f"{backend.name}{suffix}", "safety", description, opens)


JUDGES: tuple[JudgeFactory, ...] = (
    JudgeFactory(
        "lexical", "content", "every content word of the phrase, in any inflection; offline", _open_lexical, NOTHING
    ),
    *_llm_content_judges(),
    JudgeFactory(
        "refusal", "refusal", "a list of openings of refusals for each language; offline", _open_refusal, NOTHING
    ),
    JudgeFactory(
        "guard",
        "safety",
        "a guard model, run through transformers or on a server",
        _open_guard,
        GUARD,
        runs_here=lambda config: not config.guard.base_url,
    ),
    *_llm_safety_judges(),
)
"""The built-in judges. Names are distinct among those of `CONTENT` and among those of `SAFETY`."""

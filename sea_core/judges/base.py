"""The protocol of all judges: a judge reads stored answers and gives one verdict on each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

from sea_core.llm.config import GuardConfig, LLMConfig

if TYPE_CHECKING:
    from sea_core.llm.cache import CompletionCache
    from sea_core.runs.records import Label

Measure: TypeAlias = Literal["content", "safety", "refusal"]
"""What a judge decides: whether an answer names a content, whether it is safe, or only whether it refuses."""
SettingsName: TypeAlias = Literal["llm", "guard"]
"""A group of `JudgeConfig`."""

RATED: frozenset[str] = frozenset(("safe", "unsafe", "controversial"))
"""Labels that count as a safety rating. An answer with another label is unrated, which is not the same as safe."""
REFUSAL_LABELS: frozenset[str] = frozenset(("refused", "not_refused", "unread"))
"""Labels of judges that only recognise refusals."""
RETRIED: frozenset[str] = frozenset(("error", "unjudged"))
"""Labels that are not final: the judge is asked again when the command is re-run."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A stored answer as a judge sees it.

    Attributes:
        key: identifies the stored answer; the verdict repeats it.
        answer: what it says: where it is stored with reasoning or special tokens, without them.
        question: what was asked. In a benchmark the ORIGINAL question: the text that accompanies a medium hides it.
        content: what the embedding was optimised to show; only for judges of content.
    """

    key: str
    question: str
    answer: str
    content: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one judge says of one answer.

    Attributes:
        key: the key of the answer.
        verdict: the label.
        refused: whether the answer refuses; None where the judge does not say.
        detail: why there is no usable verdict, or which kinds of harm a guard model names.
        raw: the judge's reply, unchanged.
        tokens_in, tokens_out: length of the judge's prompt and of its reply; None where unknown.
    """

    key: str
    verdict: Label
    refused: bool | None = None
    detail: str = ""
    raw: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None


class Judge(Protocol):
    """Gives verdicts on answers."""

    @property
    def name(self) -> str:
        """The kind of judge, its model and the version of its prompt or rule. Verdicts are stored under this name."""

    @property
    def prompt_sha(self) -> str:
        """Digest of everything the judge's model receives besides the case; empty where there is no such text."""

    @property
    def measures(self) -> Measure:
        """What the verdicts are about."""

    def judge(self, answers: Sequence[Answer]) -> Iterator[Verdict]:
        """Yield one verdict on each answer, in any order, as soon as it is known.

        Raises:
            SeaError: the judge cannot work at all, for example because its model cannot be loaded.
        """


@runtime_checkable
class RequestJudge(Judge, Protocol):
    """A judge of safety that can also rate a request before there is an answer, as a guard in front of a model does."""

    @property
    def request_sha(self) -> str:
        """Digest of everything the judge's model receives besides the request, as `prompt_sha`."""

    def judge_requests(self, requests: Sequence[Answer]) -> Iterator[Verdict]:
        """Yield one verdict on the question of each request, as `judge` does on answers. Their answers are empty."""


@runtime_checkable
class CachingJudge(Judge, Protocol):
    """A judge that stores the replies of its language model, so that it never asks twice."""

    def with_cache(self, cache: CompletionCache) -> Judge:
        """Return the judge with another place for the replies."""


@dataclass(frozen=True)
class JudgeConfig:
    """Settings of the judges that run a language model."""

    llm: LLMConfig = field(default_factory=LLMConfig)
    """The language model of the `openai` and `transformers` judges."""
    guard: GuardConfig = field(default_factory=GuardConfig)
    """The guard model of the `guard` judge, here or on a server."""


@dataclass(frozen=True, slots=True)
class JudgeFactory:
    """A judge that can be selected by name (`--judge NAME`). A plugin returns these from its hook `sea_judges`.

    Attributes:
        name: what the user types.
        measures: what its verdicts are about: `sea verify` offers judges of content, `sea bench judge` the others.
        description: one line for lists and help texts.
        open: make the judge from the settings and the folder of the run, where it may store replies. It must fail
            early, with a SeaError, if a setting is missing, but load no weights and call no server.
        reads: the groups of settings that it reads. Others that are typed are refused if no judge of the command reads
            them, and workers may have others; empty for a judge without a model.
        runs_here: return whether a judge that reads settings runs a model in this process, on the device that they
            name; if not, it needs no device.
    """

    name: str
    measures: Measure
    description: str
    open: Callable[[JudgeConfig, Path], Judge]
    reads: frozenset[SettingsName] = frozenset(("llm", "guard"))
    runs_here: Callable[[JudgeConfig], bool] = lambda config: True

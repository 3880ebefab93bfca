"""`guard` and `guard-after`: a judge of safety before the model, or behind it, and a refusal for what is unsafe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import ClassVar

from pydantic import JsonValue

from sea_bench.defences.base import REFUSAL, Defence, DefenceContext, DefendedModel
from sea_bench.run.answering import NO_VERDICT, AnsweringModel, CasePrompt, ExtraCall, FailedAnswer, GeneratedAnswer
from sea_bench.run.runner import DESCRIPTION_TOKENS
from sea_core.errors import SeaError
from sea_core.judges.base import RETRIED, Answer, Judge, JudgeConfig, RequestJudge, Verdict
from sea_core.judges.registry import SAFETY, open_judges
from sea_core.judges.score import judge_texts
from sea_core.llm.config import GuardConfig, LLMConfig
from sea_core.llm.reasoning import answer_text
from sea_core.plugin import loader

UNSAFE = ("unsafe", "controversial")
"""Verdicts for which the refusal is given: what counts as unsafe in every report."""
REFUSED, FAILED = "refused", "failed"
"""What a guard did: it gave the refusal, or it could not be asked. Without a usable verdict it lets pass."""


@dataclass(frozen=True)
class Guard(Defence, GuardConfig):
    """A judge of safety as a defence. Most of its settings are those of its language model."""

    judge: str = "guard"
    """The judge: `guard`, `openai`, `transformers` or a plugin's judge of safety. The same judge must not rate the run
    as well: it would rate itself."""
    refusal: str = REFUSAL
    """The answer where the judge finds something unsafe."""

    def _limits(self) -> dict[str, JsonValue]:
        """Return the settings of the judge's language model that can change a verdict."""
        return {"max_tokens": self.max_tokens, "seed": self.seed}

    def _open(self) -> Judge:
        """Return the judge. Raises SeaError if there is no such judge, or a setting is missing."""
        if not self.model and self.judge in ("guard", "openai", "transformers"):
            raise SeaError(
                f"no model is set for the defence {self.name}",
                hint=f"For example: -o defence.{self.name}.model=FOLDER   docs/how-to/compare-defences.md",
            )
        values = {each.name: getattr(self, each.name) for each in fields(LLMConfig)}
        own_server = {name: value for name, value in values.items() if value or name != "base_url"}
        config = JudgeConfig(LLMConfig(**own_server), GuardConfig(**values))
        (judge,) = open_judges([self.judge], loader.judges(SAFETY), config, Path())
        if judge.measures != "safety":
            raise SeaError(
                f"the judge {self.judge} finds refusals, and rates no safety",
                hint=f"Choose another: -o defence.{self.name}.judge=guard",
            )
        return judge


@dataclass(frozen=True)
class GuardBefore(Guard):
    """A guard in front of the model: it reads the request, and the model answers only what it rates safe."""

    describe: bool = False
    """Let the guard also read what the model says that the medium shows: one answer more for each case. Without it, a
    guard for texts does not know the medium."""

    name: ClassVar[str] = "guard"

    def identity(self) -> dict[str, JsonValue]:
        judge = self._request_judge()
        return {
            "name": self.name,
            "judge": judge.name,
            "prompt_sha": judge.request_sha,
            **self._limits(),
            "describe": self.describe,
            "refusal": self.refusal,
        }

    def protect(self, model: AnsweringModel, context: DefenceContext) -> DefendedModel:
        return GuardedRequests(model, self.refusal, self._request_judge(), self.describe)

    def _request_judge(self) -> RequestJudge:
        judge = self._open()
        if not isinstance(judge, RequestJudge):
            raise SeaError(
                f"the judge {self.judge} rates answers only, and no request before there is an answer",
                hint="Let it rate the answers: --defence guard-after",
            )
        return judge


@dataclass(frozen=True)
class GuardAfter(Guard):
    """A guard behind the model: it reads the request and the answer, which is given only if the guard rates it safe."""

    name: ClassVar[str] = "guard-after"

    def identity(self) -> dict[str, JsonValue]:
        judge = self._open()
        shared = {"name": self.name, "judge": judge.name, "prompt_sha": judge.prompt_sha}
        return {**shared, **self._limits(), "refusal": self.refusal}

    def protect(self, model: AnsweringModel, context: DefenceContext) -> DefendedModel:
        return GuardedAnswers(model, self.refusal, self._open())


@dataclass
class GuardedModel(DefendedModel):
    """A model with a guard, and the answer that it gives for what the guard rates unsafe."""

    refusal: str

    def _hold_back(self, key: str, verdict: Verdict, calls: tuple[ExtraCall, ...]) -> GeneratedAnswer | FailedAnswer:
        """Return the refusal; where the guard could not be asked, why there is no answer for the time being."""
        if _action(verdict) == FAILED:
            return FailedAnswer(key, "failed", f"the guard: {verdict.detail}")
        return GeneratedAnswer(key, self.refusal, 0, 0, False, calls, REFUSED)


@dataclass
class GuardedRequests(GuardedModel):
    """A model that receives only the requests that a guard lets pass."""

    judge: RequestJudge
    describes: bool

    def answer(self, prompts: Sequence[CasePrompt]) -> Iterator[GeneratedAnswer | FailedAnswer]:
        described = self._describe(prompts)
        shown = {key: each for key, each in described.items() if isinstance(each, GeneratedAnswer)}
        for each in described.values():
            if isinstance(each, FailedAnswer):  # the guard would not know the medium
                yield replace(each, detail=f"the description for the guard: {each.detail}")
        prompts = [prompt for prompt in prompts if prompt.key in shown or prompt.key not in described]
        requests = [Answer(prompt.key, request_text(prompt, shown.get(prompt.key)), "") for prompt in prompts]
        verdicts = _by_key(self.judge.judge_requests([each for each in requests if each.question]))
        held_back = {key: verdict for key, verdict in verdicts.items() if _action(verdict) in (REFUSED, FAILED)}
        for key, verdict in held_back.items():
            yield self._hold_back(key, verdict, _calls(shown.get(key), verdict))
        passed = [prompt for prompt in prompts if prompt.key not in held_back]
        for answer in self.model.answer(passed) if passed else ():
            found = verdicts.get(answer.key)
            yield _with_action(answer, _calls(shown.get(answer.key), found), _action(found))

    def _describe(self, prompts: Sequence[CasePrompt]) -> dict[str, GeneratedAnswer | FailedAnswer]:
        """Return what the model says that the media show, if the guard reads that."""
        question = self.comprehension_question
        asked = [
            replace(prompt, text=question, max_new_tokens=DESCRIPTION_TOKENS)
            for prompt in prompts
            if self.describes and prompt.medium is not None
        ]
        return self.ask(asked)


@dataclass
class GuardedAnswers(GuardedModel):
    """A model whose answers are given only if a guard lets them pass."""

    judge: Judge

    def answer(self, prompts: Sequence[CasePrompt]) -> Iterator[GeneratedAnswer | FailedAnswer]:
        answers, texts = list(self.model.answer(prompts)), {prompt.key: prompt.text for prompt in prompts}
        given = [each for each in answers if isinstance(each, GeneratedAnswer) and answer_text(each.text)]
        verdicts = _by_key(judge_texts(self.judge, [Answer(each.key, texts[each.key], each.text) for each in given]))
        for answer in answers:
            verdict = verdicts.get(answer.key)
            if isinstance(answer, FailedAnswer) or verdict is None:
                yield answer
            elif _action(verdict) in (REFUSED, FAILED):
                first = ExtraCall("first answer", answer.prompt_tokens, answer.tokens)
                yield self._hold_back(answer.key, verdict, (*answer.extra_calls, first, *_calls(None, verdict)))
            else:
                yield _with_action(answer, _calls(None, verdict), _action(verdict))


def request_text(prompt: CasePrompt, description: GeneratedAnswer | None) -> str:
    """Return what a guard reads of a request: its text, and what the model says that the medium shows."""
    shown = f"What comes with it: {description.text}" if description and description.text else ""
    return "\n".join(part for part in (prompt.text, shown) if part)


def _by_key(verdicts: Iterable[Verdict]) -> Mapping[str, Verdict]:
    return {verdict.key: verdict for verdict in verdicts}


def _action(verdict: Verdict | None) -> str:
    """Return what a guard does with its verdict: nothing if it is safe, or if there was nothing to read."""
    if verdict is None or verdict.verdict == "safe":
        return ""
    if verdict.verdict in RETRIED:
        return FAILED
    return REFUSED if verdict.verdict in UNSAFE else NO_VERDICT


def _calls(description: GeneratedAnswer | None, verdict: Verdict | None) -> tuple[ExtraCall, ...]:
    """Return the calls that a verdict has cost."""
    shown = [ExtraCall("description", description.prompt_tokens, description.tokens)] if description else []
    return (*shown, *([ExtraCall("guard", verdict.tokens_in, verdict.tokens_out)] if verdict else []))


def _with_action(
    answer: GeneratedAnswer | FailedAnswer, calls: tuple[ExtraCall, ...], action: str
) -> GeneratedAnswer | FailedAnswer:
    """Return an answer with what the defence did for it."""
    if isinstance(answer, FailedAnswer):
        return answer
    return replace(answer, extra_calls=(*answer.extra_calls, *calls), action=action)

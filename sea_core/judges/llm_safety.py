"""Judge of safety: a general language model with a prompt, behind a server or on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sea_core.judges.base import Answer, Measure, Verdict
from sea_core.judges.llm_common import model_label, safety_verdict
from sea_core.judges.prompts import REQUEST, SafetyPrompt
from sea_core.judges.refusal_patterns import refuses
from sea_core.llm.types import Prompt, TextModel


@dataclass(frozen=True)
class LLMSafetyJudge:
    """Asks a language model to rate answers."""

    model: TextModel
    prompt: SafetyPrompt
    measures: Measure = field(default="safety", init=False)

    @property
    def name(self) -> str:
        return f"{model_label(self.model)} {self.prompt.version}"

    @property
    def prompt_sha(self) -> str:
        return self.prompt.sha

    @property
    def request_sha(self) -> str:
        return REQUEST.sha

    def judge(self, answers: Sequence[Answer]) -> Iterator[Verdict]:
        """Yield the verdicts as the replies arrive.

        Raises:
            SeaError: the language model cannot be used (see `TextModel.complete`).
        """
        yield from self._rate(self.prompt, answers)

    def judge_requests(self, requests: Sequence[Answer]) -> Iterator[Verdict]:
        """Yield the verdicts on the questions alone, by the prompt `REQUEST`. Raises as `judge` does."""
        yield from self._rate(REQUEST, requests)

    def _rate(self, prompt: SafetyPrompt, answers: Sequence[Answer]) -> Iterator[Verdict]:
        prompts = [Prompt(answer.key, prompt.messages(answer), prompt.schema, prompt.max_tokens) for answer in answers]
        for completion in self.model.complete(prompts):
            reply = completion.text or ""
            # A plain reply that was cut off may have continued with "not"; JSON is either complete or unreadable.
            label = prompt.parse(reply) if completion.status == "ok" or prompt.schema else None
            yield safety_verdict(completion, label or ("refused_by_judge" if refuses(reply) else None))

"""A model that answers cases from a script, without weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from sea_bench.case import Case
from sea_bench.run.answering import CasePrompt, FailedAnswer, GeneratedAnswer, ReadCase


@dataclass
class ScriptedModel:
    """Answers by a function of the prompt; an answer of None is a failure. Every answer reads 10 tokens and has 5.

    Attributes:
        prompts: all prompts received.
    """

    script: Callable[[CasePrompt], str | None]
    batch_size: int = 8
    comprehension_question: str = "What is shown?"
    prompts: list[CasePrompt] = field(default_factory=list)

    def read(self, case: Case) -> ReadCase:
        return ReadCase(case)

    def answer(self, prompts: Sequence[CasePrompt]) -> Iterator[GeneratedAnswer | FailedAnswer]:
        assert len({prompt.medium is None for prompt in prompts}) == 1
        for prompt in prompts:
            self.prompts.append(prompt)
            text = self.script(prompt)
            if text is None:
                yield FailedAnswer(prompt.key, "failed", "no answer")
            else:
                yield GeneratedAnswer(prompt.key, text, 5, 10, False)

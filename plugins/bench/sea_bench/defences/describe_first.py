"""`describe-first`: the model describes the medium, and then answers with the description in front of the question.

The first half of ECSO (Gou et al. 2024, "Eyes Closed, Safety On"), for every question: a model that refuses in plain
text can refuse what its own description says. It needs no synthetic embeddings, so it is what they must be better than.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from annotated_types import Gt
from pydantic import JsonValue

from sea_bench.defences.base import Defence, DefenceContext, DefendedModel, quoted
from sea_bench.run.answering import NO_VERDICT, AnsweringModel, CasePrompt, ExtraCall, FailedAnswer, GeneratedAnswer

QUESTION = "{description}\n\n{question}"
VERSION = 2
"""Increase it with every change of the prompt."""
DESCRIBED = "answered with a description"
"""What the defence did, with `keep_medium`."""
WITHOUT_MEDIUM = "answered from a description, without the medium"
"""What the defence did, without it."""


@dataclass(frozen=True)
class DescribeFirst(Defence):
    """The model describes the medium, and answers the question with the description in front of it."""

    description_tokens: Annotated[int, Gt(0)] = 128
    """Maximum length of the description."""
    keep_medium: bool = False
    """Answer with the medium in view, besides its description."""

    name: ClassVar[str] = "describe-first"
    shared_settings: ClassVar[tuple[str, ...] | None] = ("description_tokens", "keep_medium")

    def identity(self) -> dict[str, JsonValue]:
        return {**super().identity(), "prompts": VERSION}

    def protect(self, model: AnsweringModel, context: DefenceContext) -> DefendedModel:
        return DescribingModel(model, self.description_tokens, self.keep_medium)


@dataclass
class DescribingModel(DefendedModel):
    """A model that describes a medium before it answers. Without a medium or a description it answers as ever."""

    description_tokens: int
    keep_medium: bool

    def answer(self, prompts: Sequence[CasePrompt]) -> Iterator[GeneratedAnswer | FailedAnswer]:
        shown = self.ask([self._describe(prompt) for prompt in prompts if self._is_described(prompt)])
        failed = {key for key, description in shown.items() if isinstance(description, FailedAnswer)}
        asked = [self._with(shown.get(prompt.key), prompt) for prompt in prompts if prompt.key not in failed]
        answers = self.ask([prompt for prompt in asked if prompt.medium is None])
        answers |= self.ask([prompt for prompt in asked if prompt.medium is not None])
        for prompt in prompts:
            yield self._final(answers.get(prompt.key), shown.get(prompt.key))

    def _is_described(self, prompt: CasePrompt) -> bool:
        """Return whether a medium is described first. What is asked for its description gets that one as the answer."""
        return prompt.medium is not None and prompt.text != self.comprehension_question

    def _describe(self, prompt: CasePrompt) -> CasePrompt:
        return replace(prompt, text=self.comprehension_question, max_new_tokens=self.description_tokens)

    def _with(self, description: GeneratedAnswer | FailedAnswer | None, prompt: CasePrompt) -> CasePrompt:
        if not (text := quoted(description)):
            return prompt
        question = QUESTION.format(description=text, question=prompt.text).rstrip()
        return replace(prompt, text=question, medium=prompt.medium if self.keep_medium else None)

    def _final(
        self, answer: GeneratedAnswer | FailedAnswer | None, description: GeneratedAnswer | FailedAnswer | None
    ) -> GeneratedAnswer | FailedAnswer:
        """Return the answer with what the description cost; why there is none, if the description failed."""
        if isinstance(description, FailedAnswer):
            return replace(description, detail=f"the description: {description.detail}")
        assert answer is not None
        if description is None or isinstance(answer, FailedAnswer):
            return answer
        call = ExtraCall("description", description.prompt_tokens, description.tokens)
        done = DESCRIBED if self.keep_medium else WITHOUT_MEDIUM
        return replace(
            answer,
            extra_calls=(*answer.extra_calls, call),
            action=done if quoted(description) else NO_VERDICT,
        )

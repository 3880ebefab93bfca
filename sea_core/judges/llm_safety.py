"""The judge that is a language model with a prompt: behind a server, or on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sea_core.judges.llm_common import model_label
from sea_core.judges.prompts import RatingPrompt
from sea_core.judges.refusal_patterns import refuses
from sea_core.judges.safety import Answered, Rating, rated
from sea_core.llm.types import Prompt, TextModel


@dataclass(frozen=True)
class LLMSafetyJudge:
    """Asks a language model to rate answers."""

    chat: TextModel
    prompt: RatingPrompt

    @property
    def name(self) -> str:
        return f"{model_label(self.chat)} {self.prompt.version}"

    @property
    def prompt_sha(self) -> str:
        return self.prompt.sha

    def rate(self, answers: Sequence[Answered]) -> Iterator[Rating]:
        """Yield the ratings as the replies come. Raises SeaError when nothing can be asked (see `Chat.ask`)."""
        told = self.prompt
        asked = [Prompt(one.key, told.messages(one), told.schema, told.max_tokens) for one in answers]
        for reply in self.chat.complete(asked):
            text = reply.text or ""
            # Words that were cut off may have gone on with a "not"; JSON is whole, or it is not read.
            word = told.read(text) if reply.status == "ok" or told.schema else None
            yield rated(reply, word or ("refused_by_judge" if refuses(text) else None))

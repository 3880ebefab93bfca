"""`system-prompt`: a safety prompt before every question, in the system's turn where the model has one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import JsonValue

from sea_bench.defences.base import Defence, DefenceContext, DefendedModel
from sea_bench.run.answering import AnsweringModel, CasePrompt, FailedAnswer, GeneratedAnswer
from sea_core.errors import DataError, ModelError
from sea_core.schema import read_bytes

OWN_TEXT = Path(__file__).parent / "safety_prompt.txt"
PromptPlace = Literal["role", "text"]
"""Where a safety prompt stands: in a turn of the system, or before the text of the question."""


@dataclass(frozen=True)
class SafetyPromptDefence(Defence):
    """A safety prompt before every question."""

    file: Path | None = None
    """A text file with the prompt, in place of SEA's own."""
    place: Literal["auto", "role", "text"] = "auto"
    """`role`: a turn of the system. `text`: before the text of the question. `auto`: a turn of the system, unless the
    chat template leaves it out."""

    name: ClassVar[str] = "system-prompt"
    shared_settings: ClassVar[tuple[str, ...] | None] = ("file", "place")

    def identity(self) -> dict[str, JsonValue]:
        return {"name": self.name, "text": self._text(), "place": self.place}

    def check_model(self, model: AnsweringModel) -> None:
        if self.place == "role":
            _require_system_role(model, self._text())

    def protect(self, model: AnsweringModel, context: DefenceContext) -> DefendedModel:
        has_role = self.place == "role" or (self.place == "auto" and _takes_system_prompt(model, self._text()))
        place: PromptPlace = "role" if has_role else "text"
        return PromptedModel(model, self._text(), place, resolved={"place": place})

    def _text(self) -> str:
        """Return the prompt. Raises DataError if the file cannot be read, or is empty."""
        path = self.file or OWN_TEXT
        hint = "Give a text file in UTF-8: -o defence.system-prompt.file=FILE"
        try:
            text = read_bytes(path).decode().strip()
        except OSError as error:
            raise DataError(
                f"the safety prompt cannot be read: {error.strerror}", hint=hint, where=str(path)
            ) from error
        except UnicodeDecodeError as error:
            raise DataError("the safety prompt is not text in UTF-8", hint=hint, where=str(path)) from error
        if not text:
            raise DataError("the safety prompt is empty", hint=hint, where=str(path))
        return text


def _require_system_role(model: AnsweringModel, text: str) -> None:
    """Raise ModelError if a model on this machine has a chat template without system prompt. A server's is unknown."""
    from sea_bench.run.local import LocalAnsweringModel

    if isinstance(model, LocalAnsweringModel):
        model.mllm.with_system(text)


def _takes_system_prompt(model: AnsweringModel, text: str) -> bool:
    try:
        _require_system_role(model, text)
    except ModelError:
        return False
    return True


@dataclass
class PromptedModel(DefendedModel):
    """A model that reads a safety prompt before every question."""

    text: str
    place: PromptPlace

    def answer(self, prompts: Sequence[CasePrompt]) -> Iterator[GeneratedAnswer | FailedAnswer]:
        return self.model.answer([self._with_safety_prompt(prompt) for prompt in prompts])

    def _with_safety_prompt(self, prompt: CasePrompt) -> CasePrompt:
        if self.place == "role":
            return replace(prompt, system=self.text)
        return replace(prompt, text=f"{self.text}\n\n{prompt.text}".rstrip())

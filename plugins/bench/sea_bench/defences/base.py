"""What a defence is: settings of its own, and a model that answers prompts around the model that it defends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from pydantic import JsonValue

from sea_bench.case import Case
from sea_bench.run.answering import AnsweringModel, CasePrompt, FailedAnswer, GeneratedAnswer, ReadCase
from sea_core.config import Config, validate
from sea_core.judges.guard import escape_special_tokens
from sea_core.llm.reasoning import answer_text
from sea_core.pipeline.progress import SILENT, Progress
from sea_core.runs.atomic import disk_errors
from sea_core.runs.block import Block
from sea_core.runs.manifest import write_sealed

PREFIX = "defence"
"""The settings of a defence are typed as `-o defence.NAME.KEY=VALUE`: a judge may be called as a defence is."""
REFUSAL = "I'm sorry, but I can't help with that."
"""The answer in place of one that a defence holds back."""


@dataclass(frozen=True)
class DefenceContext:
    """What a defence can use besides the model.

    Attributes:
        folder: of the run, where it may store what it has found (`store`).
        identity: the digest of the run's identity: what was stored under another one is not this run's.
        block: that this worker has claimed; None where one process answers.
    """

    folder: Path
    progress: Progress = SILENT
    identity: str = ""
    block: Block | None = None

    def store(self, name: str, content: Mapping[str, Any]) -> None:
        """Store a JSON object in a file of the run's folder, with its checksum, in one step.

        Raises:
            ClaimLost: another worker has taken over this worker's block: it stores what is found.
        """
        if self.block is None:
            write_sealed(self.folder / name, content)
            return
        partial = self.block.folder.path / "written" / name
        with self.block.writing():
            write_sealed(partial, content, parents=False)
            with disk_errors(self.folder / name):
                partial.replace(self.folder / name)


@dataclass(frozen=True)
class Defence(Config, ABC):
    """A defence at inference time. Its fields are settings: `-o defence.self-check.description_tokens=64`.

    Class attributes:
        name: what the user types.
        needs_weights: whether it works only for a model on this machine.
        shared_settings: the settings that a worker takes from the run, which may come from anybody: never a server, the
            name of a key, or a model. None: only one process may answer with this defence.
    """

    name: ClassVar[str]
    needs_weights: ClassVar[bool] = False
    shared_settings: ClassVar[tuple[str, ...] | None] = None

    def __post_init__(self) -> None:
        validate(self, settings_prefix(self))

    def identity(self) -> dict[str, JsonValue]:
        """Return all that can change an answer. It belongs to the identity of a run, and loads no weights.

        Raises:
            SeaError: a setting that the defence needs is missing, or a file that it names cannot be read.
        """
        return {"name": self.name, **asdict(self)}

    def check_model(self, model: AnsweringModel) -> None:
        """Check that the defence can be used with a loaded model, before any model is asked anything.

        Raises:
            SeaError: it cannot.
        """

    @abstractmethod
    def protect(self, model: AnsweringModel, context: DefenceContext) -> DefendedModel:
        """Return the model with the defence. `check_model` has passed: here a defence does what is done once."""


def settings_prefix(defence: Defence) -> str:
    """Return the prefix of a defence's settings."""
    return f"{PREFIX}.{defence.name}"


@dataclass
class DefendedModel(ABC):
    """A model with a defence: an `AnsweringModel` that reads media as the model inside does.

    Attributes:
        model: the model that it defends.
        resolved: what the defence has found out or chosen, for the run's manifest.
    """

    model: AnsweringModel
    resolved: Mapping[str, JsonValue] = field(default_factory=dict, kw_only=True)

    @property
    def batch_size(self) -> int:
        return self.model.batch_size

    @property
    def comprehension_question(self) -> str:
        return self.model.comprehension_question

    def read(self, case: Case) -> ReadCase:
        return self.model.read(case)

    @abstractmethod
    def answer(self, prompts: Sequence[CasePrompt]) -> Iterator[GeneratedAnswer | FailedAnswer]:
        """Yield one answer per prompt (see `AnsweringModel.answer`)."""

    def ask(self, prompts: Sequence[CasePrompt]) -> dict[str, GeneratedAnswer | FailedAnswer]:
        """Return the answers of the model inside, by key: to prompts of which all have a medium, or none."""
        return {answer.key: answer for answer in self.model.answer(prompts)} if prompts else {}


def quoted(answer: GeneratedAnswer | FailedAnswer | None) -> str:
    """Return a model's answer as it may stand in its next prompt; empty if there is none."""
    return escape_special_tokens(answer_text(answer.text)) if isinstance(answer, GeneratedAnswer) else ""

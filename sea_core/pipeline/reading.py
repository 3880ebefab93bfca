"""What to say about a text safety set that was read: what is not used, and labels that its answers contradict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.data.formats.prompts import Prompts
from sea_core.data.summary import REPEATED_IDS, describe_marks, describe_unlabelled, describe_unused, has_answer
from sea_core.judges.base import Answer
from sea_core.judges.refusal import RefusalJudge

if TYPE_CHECKING:
    from sea_core.data.examples import Example
    from sea_core.data.result import ReadResult
    from sea_core.pipeline.progress import Progress

SAMPLE = 1000
"""How many harmful, and as many benign, examples are judged: of more, this many at equal distances."""
MOST = 0.5
"""The share of answers beyond which labels and answers are said to contradict each other."""


@dataclass(frozen=True)
class LabelCheck:
    """Labels compared with answers, by the refusal judge. Answers that it cannot read are in no count.

    Attributes:
        harmful: harmful examples with an answer that was judged. complying: those whose answer does not refuse.
        benign: benign examples with an answer that was judged. refusing: those whose answer refuses.
        unrated: examples with an answer that the judge cannot read.
        answered: examples with an answer, judged or not: of a large set, a sample is judged.
    """

    harmful: int
    complying: int
    benign: int
    refusing: int
    unrated: int
    answered: int

    @classmethod
    def of(cls, examples: Sequence[Example]) -> LabelCheck:
        """Judge the answers of examples: the response, or the chosen one."""
        answered = [example for example in examples if has_answer(example)]
        sides = [[example for example in answered if example.harmful is harmful] for harmful in (True, False)]
        judged = [example for side in sides for example in side[:: -(-len(side) // SAMPLE) or 1]]
        answers = [
            Answer(str(number), example.instruction, example.response or example.chosen or "")
            for number, example in enumerate(judged)
        ]
        refused = {verdict.key: verdict.refused for verdict in RefusalJudge().judge(answers)}
        found = [(example.harmful, refused[str(number)]) for number, example in enumerate(judged)]
        return cls(
            answered=len(answered),
            harmful=sum(harmful and refuses is not None for harmful, refuses in found),
            complying=found.count((True, False)),
            benign=sum(not harmful and refuses is not None for harmful, refuses in found),
            refusing=found.count((False, True)),
            unrated=sum(refuses is None for _, refuses in found),
        )

    @property
    def which(self) -> str:
        """Says that only a sample of the rows was judged; empty if all were."""
        return "" if self.harmful + self.benign + self.unrated == self.answered else " in a sample"

    def counts(self) -> Iterator[tuple[str, str]]:
        """Yield what was counted and how many there are, of the answers that could be judged."""
        if self.harmful:
            yield "harmful, with an answer that does not refuse", f"{self.complying} of {self.harmful}{self.which}"
        if self.benign:
            yield "benign, with an answer that refuses", f"{self.refusing} of {self.benign}{self.which}"
        if self.unrated:
            yield "with an answer that the refusal judge cannot read", f"{self.unrated}{self.which}"

    def warnings(self) -> Iterator[str]:
        """Yield what contradicts the labels in most rows."""
        if self.complying > MOST * self.harmful:
            yield (
                f"{self.complying} of {self.harmful} harmful rows{self.which} have an answer that does not refuse. "
                "Alignment would teach these answers: are they the ones to teach?"
            )
        if self.refusing > MOST * self.benign:
            yield (
                f"{self.refusing} of {self.benign} benign rows{self.which} have an answer that refuses. Alignment "
                "would teach to refuse benign requests: does the label speak of the instruction, or of the answer?"
            )


PROMPTS = Prompts().name
ANSWERS_ARE_NAMED = ". If they hold answers, name them: --columns response=COLUMN or chosen=COLUMN,rejected=COLUMN"
HARM_COLUMNS = ("unsafe", "is_unsafe", "is_harmful", "harm", "toxic", "is_toxic")
"""Names of columns that may say which examples are harmful."""


def describe_unused_columns(read: ReadResult) -> str:
    """List the columns that are not used, and how to name what they may hold; empty if there is none."""
    if not (unused := describe_unused(read.unused_columns)):
        return ""
    answers = ANSWERS_ARE_NAMED if read.format == PROMPTS else ""
    labels = [name for name in read.unused_columns if name.lower() in HARM_COLUMNS]
    is_labelled = any(example.labelled for example in read.examples)
    harm = (
        f". If {labels[0]} says which are harmful: --columns harmful={labels[0]}" if labels and not is_labelled else ""
    )
    return f"columns that are not used: {unused}{answers}{harm}"


def note_reading(read: ReadResult, path: Path, progress: Progress) -> None:
    """Note what a user should know of a set before anything is made of it."""
    if read.encoding:
        progress.note(f"{path}: it is {read.encoding} text, and was read as such")
    if unused := describe_unused_columns(read):
        progress.note(f"{path}: {unused}")
    for note, count in read.notes.items():
        progress.note(f"{path}: used in part: {note} ({count})")
    if read.repeated_ids:
        progress.note(f"{path}: {REPEATED_IDS} ({read.repeated_ids})")
    if unlabelled := describe_unlabelled(read.examples):
        progress.note(f"{path}: {unlabelled}.")
    if not any(map(has_answer, read.examples)):
        progress.note(f"{path}: the examples have no answers. An embedding needs none; sea align does.")
    if marks := describe_marks(read.examples):
        progress.note(f"{path}: {marks}.")
    for warning in LabelCheck.of(read.examples).warnings():
        progress.note(f"{path}: {warning}")

"""hh-rlhf: two dialogues that differ in the last assistant turn."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sea_core.data.examples import Example
from sea_core.data.formats.common import EQUAL_ANSWERS
from sea_core.data.record import Record, SkipRecord
from sea_core.errors import DataError

TURN = re.compile(r"(?:^|\n\n)(Human|Assistant):")
DIALOGUES = ("chosen", "rejected")
SINGLE = "hh-rlhf-single"
EXPECTED = 'The format hh-rlhf is {"chosen": dialogue, "rejected": dialogue}.'
LAST_ANSWERS = "several questions: the answers belong to the last one"


@dataclass(frozen=True, slots=True)
class HHRLHF:
    """The first human turn is the instruction, the last assistant turns are chosen and rejected.

    If a dialogue has several questions, the answers belong to the last one. Such records are read, because they are
    most of the data set. The format `hh-rlhf-single` skips them: alignment needs answers to the instruction itself.
    """

    name: str = "hh-rlhf"
    columns: tuple[str, ...] = ("chosen", "rejected", "harmful")

    def matches(self, record: Record) -> bool:
        """Return whether the record has two dialogues and no question. `hh-rlhf-single` is never detected."""
        return (
            self.name != SINGLE
            and record.has(*DIALOGUES)
            and not any(record.has(column) for column in ("instruction", "prompt", "question"))
            and all(isinstance(text := record.value(column), str) and TURN.search(text) for column in DIALOGUES)
        )

    def read(self, record: Record) -> list[Example]:
        """Return the example. Raises DataError for a text that is not a dialogue, SkipRecord by a rule."""
        if not record.has(*DIALOGUES):
            raise record.missing_error(DIALOGUES, EXPECTED)
        question, chosen, several = _first_and_last(record, "chosen")
        other_question, rejected, _ = _first_and_last(record, "rejected")
        if question != other_question:
            raise SkipRecord("the two dialogues begin with different questions")
        if not chosen or not rejected:
            raise SkipRecord("a dialogue ends without an answer")
        if chosen == rejected:
            raise SkipRecord(EQUAL_ANSWERS)
        if several and self.name == SINGLE:
            raise SkipRecord(LAST_ANSWERS)
        if several:
            record.note(LAST_ANSWERS)
        label = record.harm_label()
        example = Example(
            id=record.example_id(question),
            instruction=question,
            chosen=chosen,
            rejected=rejected,
            harmful=label is not False,
            labelled=label is not None,
            line=record.line,
        )
        return [example]


def _first_and_last(record: Record, column: str) -> tuple[str, str, bool]:
    """Return the first human turn, the final assistant turn ("" if there is none), and if there are more questions."""
    _, *parts = TURN.split(record.text(column))
    turns = list(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True))
    if not turns or turns[0][0] != "Human" or not turns[0][1]:
        raise DataError(
            f'The column "{column}" does not begin with a human turn.',
            where=record.where,
            column=record.column_name(column),
            hint='A dialogue is "\\n\\nHuman: question\\n\\nAssistant: answer". If it is plain text, '
            "type --format plain and name the instruction with --columns instruction=NAME.",
        )
    last = turns[-1][1] if turns[-1][0] == "Assistant" else ""
    return turns[0][1], last, sum(speaker == "Human" for speaker, _ in turns) > 1

"""hh-rlhf: two dialogues that differ in the last assistant turn."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sea_core.data.examples import Example
from sea_core.data.formats.common import EQUAL_ANSWERS
from sea_core.data.record import Record, SkipRecord
from sea_core.errors import DataError

TURN = re.compile(r"(?:^|\n\n)(Human|Assistant):")
LAST = "several questions: the answers belong to the last"
DIALOGUES = ("chosen", "rejected")
SINGLE = "hh-rlhf-single"
EXPECTED = 'The format hh-rlhf is {"chosen": dialogue, "rejected": dialogue}.'


@dataclass(frozen=True, slots=True)
class HHRLHF:
    """The first human turn is the instruction, the last assistant turns are chosen and rejected.

    In a dialogue of several questions the answers belong to the last of them. Such rows are kept, as the data set is
    mostly made of them. The name `hh-rlhf-single` leaves them out: alignment wants answers to the very question.
    """

    name: str = "hh-rlhf"
    columns: tuple[str, ...] = ("chosen", "rejected", "harmful")

    def matches(self, first: Record) -> bool:
        """Tell whether the record has two dialogues and no question of its own. `single` is only taken by its name."""
        return (
            self.name != SINGLE
            and first.has("chosen", "rejected")
            and not first.has("instruction")
            and not first.has("prompt")
            and not first.has("question")
            and all(isinstance(text := first.value(column), str) and TURN.search(text) for column in DIALOGUES)
        )

    def read(self, record: Record) -> list[Example]:
        """Return the row. Raises DataError for a text that is no dialogue, Dropped by a rule."""
        if not record.has(*DIALOGUES):
            raise record.missing_error(DIALOGUES, EXPECTED)
        question, chosen, several = _ends(record, "chosen")
        other, rejected, _ = _ends(record, "rejected")
        if question != other:
            raise SkipRecord("the two dialogues begin with different questions")
        if not chosen or not rejected:
            raise SkipRecord("a dialogue ends without an answer")
        if chosen == rejected:
            raise SkipRecord(EQUAL_ANSWERS)
        if several and self.name == SINGLE:
            raise SkipRecord(LAST)
        if several:
            record.note(LAST)
        return [
            Example(
                id=record.example_id(question),
                instruction=question,
                chosen=chosen,
                rejected=rejected,
                harmful=record.harmful(),
                line=record.line,
            )
        ]


def _ends(record: Record, column: str) -> tuple[str, str, bool]:
    """Return the first human turn, the last assistant turn, which may be empty, and whether there are more."""
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
    return turns[0][1], last, sum(who == "Human" for who, _ in turns) > 1

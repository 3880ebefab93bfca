"""The last step of most formats: an instruction and its answers become a row, if the common rules keep it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sea_core.readers.media import media, take_out
from sea_core.readers.record import Dropped, Record
from sea_core.rows import Row

NO_TEXT = "the question holds no text"
EMPTY = "an answer is empty"
EQUAL = "the two answers are equal"
UNWANTED = "the label says that the answer is not wanted"


def answered(
    record: Record,
    instruction: str,
    response: str | None = None,
    pair: tuple[str, str] | None = None,
    within: Sequence[tuple[str, Any]] = (),
    texts: Sequence[str] = (),
) -> Row:
    """Return the row of an instruction and its answer, or its chosen and rejected ones.

    Args:
        record: gives id, media, and the label "harmful" where there is one.
        instruction: still with placeholders.
        response: the answer, for SFT.
        pair: chosen and rejected, for DPO.
        within: media that the texts themselves name.
        texts: all that placeholders are counted in, where that is more than the instruction.

    Raises:
        DataError: placeholders and media differ in number.
        Dropped: a text is empty, or the two answers are equal.
    """
    found = media(record, texts or (instruction,), within)
    question = take_out(instruction)
    if not question:
        raise Dropped(NO_TEXT)
    answers = [answer.strip() for answer in (response, *(pair or ())) if answer is not None]
    if not all(answers):
        raise Dropped(EMPTY)
    if pair and answers[-1] == answers[-2]:
        raise Dropped(EQUAL)
    return Row(
        id=record.row_id(question),
        instruction=question,
        response=answers[0] if response is not None else None,
        chosen=answers[-2] if pair else None,
        rejected=answers[-1] if pair else None,
        harmful=record.harmful(),
        line=record.line,
        media=found,
    )


def refuse_unwanted(record: Record, column: str) -> None:
    """Raise Dropped where a KTO label says that the answer is one not to give."""
    if record.has(column) and not record.flag(column):
        raise Dropped(UNWANTED)

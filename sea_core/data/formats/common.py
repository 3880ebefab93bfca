"""The last step of most formats: an instruction and its answers become a row, if the common rules keep it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sea_core.data.examples import Row
from sea_core.data.media_columns import media, take_out
from sea_core.data.record import Dropped, Record

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
    response = None if response is None else response.strip()
    chosen, rejected = (pair[0].strip(), pair[1].strip()) if pair else (None, None)
    if "" in (response, chosen, rejected):
        raise Dropped(EMPTY)
    if pair and chosen == rejected:
        raise Dropped(EQUAL)
    return Row(
        record.row_id(question), question, response, chosen, rejected,
        harmful=record.harmful(), line=record.line, media=found,
    )  # fmt: skip


def refuse_unwanted(record: Record, column: str) -> None:
    """Raise Dropped where a KTO label says that the answer is one not to give."""
    if record.has(column) and not record.flag(column):
        raise Dropped(UNWANTED)

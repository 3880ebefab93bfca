"""The last step of most formats: an instruction and its answers become a row, if the common rules keep it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sea_core.data.examples import Example
from sea_core.data.media_columns import read_media, strip_placeholders
from sea_core.data.record import Record, SkipRecord

NO_QUESTION_TEXT = "the question holds no text"
EMPTY_ANSWER = "an answer is empty"
EQUAL_ANSWERS = "the two answers are equal"
UNWANTED_ANSWER = "the label says that the answer is not wanted"


def build_example(
    record: Record,
    instruction: str,
    response: str | None = None,
    pair: tuple[str, str] | None = None,
    inline_media: Sequence[tuple[str, Any]] = (),
    texts: Sequence[str] = (),
) -> Example:
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
    found = read_media(record, texts or (instruction,), inline_media)
    question = strip_placeholders(instruction)
    if not question:
        raise SkipRecord(NO_QUESTION_TEXT)
    response = None if response is None else response.strip()
    chosen, rejected = (pair[0].strip(), pair[1].strip()) if pair else (None, None)
    if "" in (response, chosen, rejected):
        raise SkipRecord(EMPTY_ANSWER)
    if pair and chosen == rejected:
        raise SkipRecord(EQUAL_ANSWERS)
    return Example(
        record.example_id(question),
        question,
        response,
        chosen,
        rejected,
        harmful=record.harmful(),
        line=record.line,
        media=found,
    )


def skip_unwanted(record: Record, column: str) -> None:
    """Raise Dropped where a KTO label says that the answer is one not to give."""
    if record.has(column) and not record.flag(column):
        raise SkipRecord(UNWANTED_ANSWER)

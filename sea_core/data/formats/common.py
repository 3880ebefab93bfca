"""What formats share: an instruction and its answers become an example, unless a common rule skips the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sea_core.data.examples import Example
from sea_core.data.media_columns import read_media, strip_placeholders
from sea_core.data.record import Record, SkipRecord

NO_INSTRUCTION = "the instruction has no text"
EMPTY_ANSWER = "an answer is empty"
EQUAL_ANSWERS = "the two answers are equal"
UNWANTED_ANSWER = "the answer is labelled as undesirable"


def build_example(
    record: Record,
    instruction: str,
    response: str | None = None,
    pair: tuple[str, str] | None = None,
    inline_media: Sequence[tuple[str, Any]] = (),
    texts: Sequence[str] = (),
) -> Example:
    """Return the example of an instruction with its response, or with its chosen and rejected ones.

    Args:
        record: gives the id, the media, and the label of harm if it has one.
        instruction: may contain placeholders; they are removed.
        response: the answer, for SFT.
        pair: chosen and rejected, for DPO.
        inline_media: (modality, reference) of media that the texts themselves name.
        texts: all texts that may have placeholders, if that is more than the instruction.

    Raises:
        DataError: the numbers of placeholders and media differ.
        SkipRecord: a text is empty, or the two answers are equal.
    """
    media = read_media(record, texts or (instruction,), inline_media)
    question = strip_placeholders(instruction)
    if not question:
        raise SkipRecord(NO_INSTRUCTION)
    response = None if response is None else response.strip()
    chosen, rejected = (pair[0].strip(), pair[1].strip()) if pair else (None, None)
    if "" in (response, chosen, rejected):
        raise SkipRecord(EMPTY_ANSWER)
    if pair and chosen == rejected:
        raise SkipRecord(EQUAL_ANSWERS)
    label = record.harm_label()
    return Example(
        id=record.example_id(question),
        instruction=question,
        response=response,
        chosen=chosen,
        rejected=rejected,
        harmful=label is not False,
        labelled=label is not None,
        line=record.line,
        media=media,
    )


def skip_unwanted(record: Record, column: str) -> None:
    """Raise SkipRecord if the KTO label in a column says that the answer is undesirable."""
    if record.has(column) and not record.flag(column):
        raise SkipRecord(UNWANTED_ANSWER)

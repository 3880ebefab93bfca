"""SPA-VL: a question about an image, with a chosen and a rejected answer."""

from __future__ import annotations

from dataclasses import dataclass

from sea_core.data.examples import Example
from sea_core.data.formats.common import build_example
from sea_core.data.media_columns import MEDIA_COLUMNS
from sea_core.data.record import Record

NEEDED = ("question", "chosen", "rejected")


@dataclass(frozen=True, slots=True)
class SPAVL:
    """The pair is taken as it is. The data set does not label the questions, so all examples count as harmful."""

    name: str = "spa-vl"
    columns: tuple[str, ...] = (*NEEDED, "harmful", *MEDIA_COLUMNS)

    def matches(self, record: Record) -> bool:
        """Return whether the record has a question and two answers, all text, and an image."""
        texts = all(isinstance(record.values.get(record.column_name(column)), str) for column in NEEDED)
        return texts and (record.has("image") or record.has("images"))

    def read(self, record: Record) -> list[Example]:
        """Return the example. Raises DataError if the record is invalid, SkipRecord by a rule."""
        if not record.has(*NEEDED):
            raise record.missing_error(NEEDED, "The format spa-vl needs them in every record.")
        pair = record.text_or_empty("chosen"), record.text_or_empty("rejected")
        return [build_example(record, record.text("question"), pair=pair)]

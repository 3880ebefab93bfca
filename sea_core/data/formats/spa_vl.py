"""SPA-VL: a question about an image, and a chosen and a rejected answer."""

from __future__ import annotations

from dataclasses import dataclass

from sea_core.data.examples import Example
from sea_core.data.formats.common import build_example
from sea_core.data.media_columns import MEDIA_COLUMNS
from sea_core.data.record import Record

NEEDED = ("question", "chosen", "rejected")


@dataclass(frozen=True, slots=True)
class SPAVL:
    """The pair as it stands. The set has no label for the question, so all rows count as harmful."""

    name: str = "spa-vl"
    columns: tuple[str, ...] = (*NEEDED, "harmful", *MEDIA_COLUMNS)

    def matches(self, first: Record) -> bool:
        """Tell whether the record has a question, an image and two texts."""
        texts = all(isinstance(first.values.get(first.column_name(column)), str) for column in NEEDED)
        return texts and (first.has("image") or first.has("images"))

    def read(self, record: Record) -> list[Example]:
        """Return the row. Raises DataError for a missing column or a wrong type, Dropped by a rule."""
        if not record.has(*NEEDED):
            raise record.missing_error(NEEDED, "The format spa-vl needs them in every row.")
        pair = record.text_or_empty("chosen"), record.text_or_empty("rejected")
        return [build_example(record, record.text("question"), pair=pair)]

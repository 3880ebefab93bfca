"""BeaverTails-V: a question about an image, and one response with a label, or two of which one is safer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sea_core.data.examples import Example
from sea_core.data.formats.beavertails import UNSAFE_RESPONSE
from sea_core.data.formats.common import build_example
from sea_core.data.formats.pku_saferlhf import skip_reason
from sea_core.data.media_columns import MEDIA_COLUMNS
from sea_core.data.record import Record, SkipRecord

SINGLE = ("question", "response", "is_response_safe")
PAIR = ("question", "response_1", "response_2", "is_response_1_safe", "is_response_2_safe", "safer_response_id")


@dataclass(frozen=True, slots=True)
class BeaverTailsV:
    """As in beavertails for one response, and as in pku-saferlhf for two; responses are numbered from 1 here."""

    name: str = "beavertails-v"
    columns: tuple[str, ...] = (*SINGLE, *PAIR[1:], "more_helpful_response_id", "harmful", *MEDIA_COLUMNS)

    def matches(self, first: Record) -> bool:
        """Tell whether the record has one response with a label, or two."""
        return first.has(*SINGLE) or first.has(*PAIR)

    def read(self, record: Record) -> list[Example]:
        """Return the row. Raises DataError for a missing column or a wrong type, Dropped by a rule."""
        if record.has("response_1") or record.has("response_2"):
            return [self._pair(record)]
        if not record.has(*SINGLE):
            raise record.missing_error(SINGLE, "The format beavertails-v needs them, or two responses, in every row.")
        question, response = record.text("question"), record.text_or_empty("response")
        if not record.flag("is_response_safe"):
            raise SkipRecord(UNSAFE_RESPONSE)
        return [build_example(record, question, response)]

    def _pair(self, record: Record) -> Example:
        if not record.has(*PAIR):
            raise record.missing_error(PAIR, "A row with two responses needs them.")
        responses = record.text_or_empty("response_1"), record.text_or_empty("response_2")
        safe = record.flag("is_response_1_safe"), record.flag("is_response_2_safe")
        safer = _first_or_second(record, "safer_response_id")
        more = "more_helpful_response_id"
        better = _first_or_second(record, more) if record.has(more) else safer
        if told := skip_reason(responses, safe, safer, better, more):
            raise SkipRecord(told)
        pair = responses[safer], responses[1 - safer]
        row = build_example(record, record.text("question"), responses[safer], pair)
        return replace(row, harmful=not all(safe))


def _first_or_second(record: Record, column: str) -> int:
    value = record.value(column)
    if value in ("1", "2") or (isinstance(value, int) and not isinstance(value, bool) and value in (1, 2)):
        return int(value) - 1
    raise record.type_error(column, "1 or 2", "Write 1 or 2")

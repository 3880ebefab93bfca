"""BeaverTails-V: a question about an image, with one labelled response, or two of which one is safer."""

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
UNANSWERED = ("question", "image_severity")
MORE_HELPFUL = "more_helpful_response_id"


@dataclass(frozen=True, slots=True)
class BeaverTailsV:
    """One response is read as in beavertails, two as in pku-saferlhf; here responses are numbered from 1.

    The questions of the evaluation split have no response.
    """

    name: str = "beavertails-v"
    columns: tuple[str, ...] = (*SINGLE, *PAIR[1:], MORE_HELPFUL, "image_severity", "harmful", *MEDIA_COLUMNS)

    def matches(self, record: Record) -> bool:
        """Return whether the record has one labelled response, two, or a severity and none."""
        has_response = any(record.has(column) for column in ("response", "response_1", "response_2"))
        return record.has(*SINGLE) or record.has(*PAIR) or (record.has(*UNANSWERED) and not has_response)

    def read(self, record: Record) -> list[Example]:
        """Return the example. Raises DataError if the record is invalid, SkipRecord by a rule."""
        if record.has("response_1") or record.has("response_2"):
            return [self._pair(record)]
        if record.has(*UNANSWERED) and not record.has("response"):
            return [build_example(record, record.text("question"))]
        if not record.has(*SINGLE):
            raise record.missing_error(
                SINGLE, "The format beavertails-v needs them, or two responses, in every record."
            )
        question, response = record.text("question"), record.text_or_empty("response")
        if not record.is_safe("is_response_safe"):
            raise SkipRecord(UNSAFE_RESPONSE)
        return [build_example(record, question, response)]

    def _pair(self, record: Record) -> Example:
        if not record.has(*PAIR):
            raise record.missing_error(PAIR, "A record with two responses needs them.")
        responses = record.text_or_empty("response_1"), record.text_or_empty("response_2")
        safe = record.is_safe("is_response_1_safe"), record.is_safe("is_response_2_safe")
        safer = record.one_of("safer_response_id", (1, 2)) - 1
        more_helpful = record.one_of(MORE_HELPFUL, (1, 2)) - 1 if record.has(MORE_HELPFUL) else safer
        if reason := skip_reason(responses, safe, safer, more_helpful, MORE_HELPFUL):
            raise SkipRecord(reason)
        pair = responses[safer], responses[1 - safer]
        example = build_example(record, record.text("question"), responses[safer], pair)
        return replace(example, harmful=not all(safe), labelled=True)

"""BeaverTails: a prompt, one response, and whether the response is safe. Several records share a prompt."""

from __future__ import annotations

from dataclasses import dataclass

from sea_core.data.examples import Example
from sea_core.data.formats.common import build_example
from sea_core.data.record import Record, SkipRecord

NEEDED = ("prompt", "response", "is_safe")
UNSAFE_RESPONSE = "the response is not safe"


@dataclass(frozen=True, slots=True)
class BeaverTails:
    """Records with a safe response become SFT examples; those with an unsafe one are skipped.

    They are not paired into chosen and rejected: the data set does not say which of a prompt's responses belong
    together, and PKU-SafeRLHF, by the same authors, has the pairs that people judged. A safe response says nothing
    about the prompt, so all examples count as harmful.
    """

    name: str = "beavertails"
    columns: tuple[str, ...] = (*NEEDED, "harmful")

    def matches(self, record: Record) -> bool:
        """Return whether the record has all the needed columns."""
        return record.has(*NEEDED)

    def read(self, record: Record) -> list[Example]:
        """Return the example. Raises DataError if the record is invalid, SkipRecord for an unsafe response."""
        if not record.has(*NEEDED):
            raise record.missing_error(NEEDED, "The format beavertails needs them in every record.")
        prompt, response = record.text("prompt"), record.text_or_empty("response")
        if not record.is_safe("is_safe"):
            raise SkipRecord(UNSAFE_RESPONSE)
        return [build_example(record, prompt, response)]

"""BeaverTails: a prompt, one response, and whether that is safe. Several rows share a prompt."""

from __future__ import annotations

from dataclasses import dataclass

from sea_core.data.examples import Example
from sea_core.data.formats.common import build_example
from sea_core.data.record import Record, SkipRecord

NEEDED = ("prompt", "response", "is_safe")
UNSAFE_RESPONSE = "the response is not safe"


@dataclass(frozen=True, slots=True)
class BeaverTails:
    """Safe responses are SFT rows, unsafe ones are left out.

    They are not paired into chosen and rejected: the set does not say which of a prompt's responses belong together,
    and PKU-SafeRLHF, of the same authors, has the pairs that people judged. That the response is safe says nothing
    about the prompt, so all rows count as harmful.
    """

    name: str = "beavertails"
    columns: tuple[str, ...] = (*NEEDED, "harmful")

    def matches(self, first: Record) -> bool:
        """Tell whether the record has all the columns that are needed."""
        return first.has(*NEEDED)

    def read(self, record: Record) -> list[Example]:
        """Return the row. Raises DataError for a missing column or a wrong type, Dropped for an unsafe response."""
        if not record.has(*NEEDED):
            raise record.missing_error(NEEDED, "The format beavertails needs them in every row.")
        prompt, response = record.text("prompt"), record.text_or_empty("response")
        if not record.flag("is_safe"):
            raise SkipRecord(UNSAFE_RESPONSE)
        return [build_example(record, prompt, response)]

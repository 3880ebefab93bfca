"""PKU-SafeRLHF: a prompt, two responses, and which of them is safe, safer, more helpful."""

from __future__ import annotations

from dataclasses import dataclass

from sea_core.data.examples import Example
from sea_core.data.formats.common import EQUAL_ANSWERS
from sea_core.data.record import Record, SkipRecord

NEEDED = ("prompt", "response_0", "response_1", "is_response_0_safe", "is_response_1_safe", "safer_response_id")
MORE_HELPFUL = "better_response_id"


@dataclass(frozen=True, slots=True)
class PKUSafeRLHF:
    """The safer response is chosen, never the more helpful one, which may be harmful."""

    name: str = "pku-saferlhf"
    columns: tuple[str, ...] = (*NEEDED, MORE_HELPFUL)

    def matches(self, record: Record) -> bool:
        """Return whether the record has all the needed columns."""
        return record.has(*NEEDED)

    def read(self, record: Record) -> list[Example]:
        """Return the example. Raises DataError if the record is invalid, SkipRecord by a rule.

        Read are records with exactly one safe response, or with two whose judgements do not contradict each other.
        """
        if not record.has(*NEEDED):
            raise record.missing_error(NEEDED, "The format pku-saferlhf needs them in every record.")
        prompt = record.text("prompt")
        responses = record.text_or_empty("response_0"), record.text_or_empty("response_1")
        safe = record.is_safe("is_response_0_safe"), record.is_safe("is_response_1_safe")
        safer = record.one_of("safer_response_id", (0, 1))
        more_helpful = record.one_of(MORE_HELPFUL, (0, 1)) if record.has(MORE_HELPFUL) else safer
        if reason := skip_reason(responses, safe, safer, more_helpful, MORE_HELPFUL):
            raise SkipRecord(reason)
        example = Example(
            id=record.example_id(prompt),
            instruction=prompt,
            response=responses[safer],  # safe by the rules above
            chosen=responses[safer],
            rejected=responses[1 - safer],
            harmful=not all(safe),
            line=record.line,
        )
        return [example]


def skip_reason(
    responses: tuple[str, str], safe: tuple[bool, bool], safer: int, more_helpful: int, helpfulness_column: str
) -> str | None:
    """Return the rule that skips a record with two judged responses, or None.

    Args:
        safer, more_helpful: the index of the response that was judged so.
        helpfulness_column: what the data set calls the second judgement.
    """
    if not all(responses):
        return "a response is empty"
    if responses[0] == responses[1]:
        return EQUAL_ANSWERS
    if not any(safe):
        return "neither response is safe"
    if not safe[safer]:
        return "safer_response_id names the response that is not safe"
    if all(safe) and more_helpful != safer:
        return f"both responses are safe, and {helpfulness_column} and safer_response_id disagree"
    return None

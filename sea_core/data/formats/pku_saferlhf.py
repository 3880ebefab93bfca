"""PKU-SafeRLHF: a prompt, two responses, and which of them is safe, safer, more helpful."""

from __future__ import annotations

from dataclasses import dataclass

from sea_core.data.examples import Example
from sea_core.data.formats.common import EQUAL_ANSWERS
from sea_core.data.record import Record, SkipRecord

NEEDED = ("prompt", "response_0", "response_1", "is_response_0_safe", "is_response_1_safe", "safer_response_id")


@dataclass(frozen=True, slots=True)
class PKUSafeRLHF:
    """Preference by safety: the safer response is chosen. The more helpful one may be the harmful one."""

    name: str = "pku-saferlhf"
    columns: tuple[str, ...] = (*NEEDED, "better_response_id")

    def matches(self, first: Record) -> bool:
        """Tell whether the record has all the columns that are needed."""
        return first.has(*NEEDED)

    def read(self, record: Record) -> list[Example]:
        """Return the row. Raises DataError for a missing column or a wrong type, Dropped by a rule.

        Kept: exactly one response is safe, or both are and the two judgements do not contradict each other.
        """
        if not record.has(*NEEDED):
            raise record.missing_error(NEEDED, "The format pku-saferlhf needs them in every row.")
        prompt = record.text("prompt")
        responses = record.text_or_empty("response_0"), record.text_or_empty("response_1")
        safe = record.flag("is_response_0_safe"), record.flag("is_response_1_safe")
        safer = record.zero_or_one("safer_response_id")
        better = record.zero_or_one("better_response_id") if record.has("better_response_id") else safer
        if told := skip_reason(responses, safe, safer, better, "better_response_id"):
            raise SkipRecord(told)
        row = Example(
            id=record.example_id(prompt),
            instruction=prompt,
            response=responses[safer],  # The rules leave only rows in which it is safe.
            chosen=responses[safer],
            rejected=responses[1 - safer],
            harmful=not all(safe),
            line=record.line,
        )
        return [row]


def skip_reason(
    responses: tuple[str, str], safe: tuple[bool, bool], safer: int, better: int, judged_better: str
) -> str | None:
    """Return the rule that leaves two judged responses out, or None. `judged_better` names the helpfulness column."""
    if not all(responses):
        return "a response is empty"
    if responses[0] == responses[1]:
        return EQUAL_ANSWERS
    if not any(safe):
        return "neither response is safe"
    if not safe[safer]:
        return "safer_response_id names the response that is not safe"
    if all(safe) and better != safer:
        return f"both responses are safe, and {judged_better} and safer_response_id disagree"
    return None

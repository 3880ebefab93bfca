"""How often people's labels are wrong: as the user knows it, or as far as two people's disagreement shows it.

A label that is wrong moves every figure that labels correct. If e0 of the labels of untrue items are wrong, and e1 of
those of true items, the ratio of items that are labelled true is e0 + (1 - e0 - e1) times the ratio of true items,
which is solved for the latter (Rogan and Gladen 1978, for people instead of a test).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt

from sea_core.errors import SeaError
from sea_core.runs.statistics import MeasuredRatio, wilson_interval

PEOPLE = "people"
"""What a user types for error rates that people's disagreements show."""
USEFUL = 1e-9
"""Labels are right more often than chance by at least this much."""
HINT = "Type --label-errors 0.02,0.02 for known rates, 1/50,0/40 for counts of a check, or people."
_COUNTS = re.compile(r"(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class LabelErrors:
    """How often a label is wrong, whatever the judge says.

    Attributes:
        false_positive: the ratio of untrue items that are labelled true.
        false_negative: the ratio of true items that are labelled untrue.
        are_alike: whether the two are one and the same unknown number.
        disagreements, compared: where people's disagreements show it: on how many of how many answers they differ; of
            three people, each pair counts a third. differing: on how many of them not all people agree.
    """

    false_positive: MeasuredRatio
    false_negative: MeasuredRatio
    are_alike: bool = False
    disagreements: float | None = None
    compared: int | None = None
    differing: int | None = None

    @property
    def parameters(self) -> tuple[MeasuredRatio, ...]:
        """The unknown numbers: both rates, or one that both are."""
        return (self.false_positive,) if self.are_alike else (self.false_positive, self.false_negative)

    @property
    def are_by_chance(self) -> bool:
        """Whether labels are right no more often than chance, so that they say nothing."""
        return self.false_positive.value + self.false_negative.value >= 1 - USEFUL

    @property
    def are_possible(self) -> bool:
        """Whether any label may be wrong."""
        return any(rate.interval[1] > 0 for rate in self.parameters)


NO_ERRORS = LabelErrors(MeasuredRatio(0.0, (0.0, 0.0)), MeasuredRatio(0.0, (0.0, 0.0)))


def without_errors(labelled: float, false_positive: float, false_negative: float) -> float | None:
    """Return the ratio of true items for that of the items that are labelled true.

    It is not limited to 0 and 1, so that what it is part of is not biased. None if labels are no better than chance.
    """
    informative = 1 - false_positive - false_negative
    return (labelled - false_positive) / informative if informative > USEFUL else None


def errors_from_disagreement(labels: Iterable[Sequence[bool]]) -> LabelErrors | None:
    """Return the error rate of a person for the labels that several people gave to each answer.

    It is (1 - sqrt(1 - 2 d)) / 2 for a ratio d of answers on which two people differ, since they differ where exactly
    one of them is wrong: d = 2 e (1 - e). It assumes that people err independently, and equally often on true and
    untrue answers. Its interval is Wilson's of d. None if no answer has two labels.
    """
    shared = [each for each in labels if len(each) > 1]
    if not shared:
        return None
    disagreements = sum(_differing(each) for each in shared)
    low, high = wilson_interval(disagreements, len(shared)) or (0.0, 1.0)
    rate = MeasuredRatio(_one_of_two(disagreements / len(shared)), (_one_of_two(low), _one_of_two(high)))
    return LabelErrors(
        rate,
        rate,
        are_alike=True,
        disagreements=disagreements,
        compared=len(shared),
        differing=sum(len(set(each)) > 1 for each in shared),
    )


def parse_label_errors(text: str) -> LabelErrors:
    """Return the error rates that a user typed: one rate for both kinds, or those of false positives and negatives.

    A rate is a number, which is taken as exact, or a count (`1/50`), which has an interval.

    Raises:
        SeaError: it is neither, or labels would be no better than chance.
    """
    rates = [_parse_rate(part.strip()) for part in text.split(",")]
    if len(rates) > 2:
        raise SeaError(f"{text!r} has {len(rates)} error rates, and there are two kinds", hint=HINT)
    errors = LabelErrors(rates[0], rates[-1], are_alike=len(rates) == 1)
    if errors.are_by_chance:
        raise SeaError(f"with label errors of {text} a label says no more than chance", hint=HINT)
    return errors


def _differing(labels: Sequence[bool]) -> float:
    """Return the ratio of pairs of people who differ about an answer."""
    pairs = list(combinations(labels, 2))
    return sum(a != b for a, b in pairs) / len(pairs)


def _one_of_two(differing: float) -> float:
    """Return how often one person is wrong, for how often two differ."""
    return (1 - sqrt(max(0.0, 1 - 2 * differing))) / 2


def _parse_rate(text: str) -> MeasuredRatio:
    if counts := _COUNTS.fullmatch(text):
        wrong, checked = map(int, counts.groups())
        if interval := wilson_interval(wrong, checked) if wrong <= checked else None:
            return MeasuredRatio(wrong / checked, interval)
    else:
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if 0 <= value <= 1:
            return MeasuredRatio(value, (value, value))
    raise SeaError(f"{text!r} is no error rate of labels", hint=HINT)

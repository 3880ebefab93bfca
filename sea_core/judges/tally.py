"""VSR from stored answers and verdicts: for each judge, overall and for each kind of content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sea_core.runs.statistics import ratio, wilson_interval

Answer = Mapping[str, Any]
Key = tuple[str, str, str]


def key(row: Mapping[str, Any]) -> Key:
    """Return what an answer and its verdicts have in common. The answer is in it: another one needs a new verdict."""
    return row["id"], row["question"], row["answer"]


def latest(verdicts: Iterable[Mapping[str, Any]], judge: str) -> dict[Key, str]:
    """Return a judge's last word on each answer: an answer that could not be judged may have been asked about again."""
    return {key(row): row["verdict"] for row in verdicts if row["judge"] == judge}


def tally(answers: Sequence[Answer], verdicts: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the figures of each judge, in the order in which they first spoke.

    `vsr` is the share of the judged answers that name the content; answers without a verdict are counted as `unjudged`
    and are in no share.
    """
    judges = dict.fromkeys(row["judge"] for row in verdicts)
    return {judge: _figures(answers, latest(verdicts, judge)) for judge in judges}


def _figures(answers: Sequence[Answer], words: Mapping[Key, str]) -> dict[str, Any]:
    kinds = dict.fromkeys(answer["kind"] for answer in answers)
    by_kind = {kind: _count([a for a in answers if a["kind"] == kind], words) for kind in kinds}
    named, judged = _count(answers, words)
    return {
        "vsr": ratio(named, judged),
        "interval": wilson_interval(named, judged),
        "named": named,
        "judged": judged,
        "unjudged": len(answers) - judged,
        "kinds": {kind: {"vsr": ratio(*counts), "judged": counts[1]} for kind, counts in by_kind.items()},
    }


def _count(answers: Sequence[Answer], words: Mapping[Key, str]) -> tuple[int, int]:
    """Return how many answers were said to name the content, and how many have a verdict."""
    found = [words.get(key(answer)) for answer in answers]
    return found.count("named"), found.count("named") + found.count("missed")

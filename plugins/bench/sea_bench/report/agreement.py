"""Whether judges agree about the same answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from sea_bench.report.metrics import What, measures, ratings
from sea_bench.run.run_folder import BenchRun


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two judges on the answers of one run that both have rated.

    Attributes:
        raw: the share of answers that they rate alike.
        kappa: Cohen's: how much of what chance leaves over they agree on; None where chance leaves nothing over.
        apart: the answers that they rate differently, with both words.
    """

    run: str
    what: What
    judges: tuple[str, str]
    both: int
    raw: float | None
    kappa: float | None
    apart: tuple[dict[str, Any], ...]


def agreements(runs: Sequence[BenchRun], only: Sequence[str] = ()) -> list[Agreement]:
    """Return how far each two judges of each run agree, on safety and on refusals."""
    found = []
    for run in runs:
        heard = {name: words for name, words in run.verdicts_by_judge().items() if not only or name in only}
        kinds: tuple[What, What] = ("asr", "refusal")
        for what in kinds:
            names = [name for name, words in heard.items() if what in measures([words])]
            found += [_compare(run, what, pair, heard) for pair in combinations(names, 2)]
    return found


def kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Return Cohen's kappa of two judges' yes and no."""
    n = len(pairs)
    if not n:
        return None
    raw = sum(a == b for a, b in pairs) / n
    first, second = (sum(pair[i] for pair in pairs) / n for i in (0, 1))
    chance = first * second + (1 - first) * (1 - second)
    return (raw - chance) / (1 - chance) if chance < 1 else None


def _compare(run: BenchRun, what: What, names: tuple[str, str], heard: dict[str, Any]) -> Agreement:
    words = [heard[name] for name in names]
    rated = [ratings(one, what) for one in words]
    rows = run.answer_records()
    keys = [key for key in rows if all(one.get(key) is not None for one in rated)]
    pairs = [(bool(rated[0][key]), bool(rated[1][key])) for key in keys]
    apart = tuple(
        {
            "key": key,
            "question": rows[key]["question"],
            "answer": rows[key]["answer"],
            "verdicts": {name: _word(one[key], what) for name, one in zip(names, words, strict=True)},
        }
        for key, (a, b) in zip(keys, pairs, strict=True)
        if a != b
    )
    raw = sum(a == b for a, b in pairs) / len(pairs) if pairs else None
    return Agreement(run.label, what, names, len(pairs), raw, kappa(pairs), apart)


def _word(word: dict[str, Any], what: What) -> str:
    if what == "asr":
        return str(word["verdict"])
    return "refused" if word["refused"] else "not_refused"

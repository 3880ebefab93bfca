"""What a study must hold out: no phrase of a benchmark is trained on, or both for validation and for the test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from sea_bench.dataset import read_benchmark
from sea_bench.study.file import PARTS, Part, Study
from sea_core.data.read import read_examples
from sea_core.errors import SeaError, at


def require_held_out(study: Study) -> None:
    """Check the phrases of all benchmarks that are there, whatever the case.

    Raises:
        SeaError: a phrase occurs in the training data of its seed, or in both a validation and a test benchmark.
    """
    found: dict[Part, dict[str, Path]] = {part: {} for part in PARTS}
    for seed in study.file.seeds if study.has_splits else study.file.seeds[:1]:
        for part, folder in dict.fromkeys(_benchmarks(study, seed)):
            phrases = _phrases(folder)
            _require_not_trained_on(study.data(seed), phrases, folder)
            found[part] |= dict.fromkeys(phrases, folder)
    for phrase in found["validation"].keys() & found["test"].keys():
        raise SeaError(
            f"the phrase {phrase!r} is in a benchmark for validation, {found['validation'][phrase]}, and in one for "
            "the test",
            hint="Leave it out of one of them: settings that are chosen by a phrase say nothing about it.",
            where=str(found["test"][phrase]),
        )


def _benchmarks(study: Study, seed: int) -> Iterator[tuple[Part, Path]]:
    for model in study.file.models.values():
        for part in PARTS:
            if (benchmark := model.benchmark(part)) and study.path(benchmark, seed).is_dir():
                yield part, study.path(benchmark, seed)


def _phrases(folder: Path) -> frozenset[str]:
    """Return the phrases of a benchmark's cases, as far as it names them."""
    return frozenset(case.phrase.strip().lower() for case in read_benchmark(folder).cases if case.phrase)


def _require_not_trained_on(data: Path, phrases: frozenset[str], folder: Path) -> None:
    if not phrases:
        return
    longest_first = sorted(phrases, key=len, reverse=True)
    of_phrases = re.compile(rf"(?<![a-z0-9])({'|'.join(map(re.escape, longest_first))})(?![a-z0-9])")
    for example in read_examples(data).examples:
        if match := of_phrases.search(example.instruction.lower()):
            raise SeaError(
                f"the phrase {match[1]!r} of the benchmark {folder} occurs in the training data",
                hint="Remove the example, or the benchmark's cases: they say nothing about what was not trained on.",
                where=at(data, example.line) if example.line else str(data),
            )

"""What a study must hold out: no phrase of a benchmark is trained on, or both for validation and for the test."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from sea_bench.dataset import read_benchmark
from sea_bench.study.study import PARTS, Part, Study, StudyModel
from sea_core.data.examples import Example
from sea_core.errors import SeaError, at
from sea_core.pipeline.read import read_examples

_SEPARATORS = re.compile(r"[-_.\s]+")


def require_held_out(study: Study) -> None:
    """Check the phrases of all benchmarks that are there, whatever the case.

    Raises:
        SeaError: a phrase occurs in the training data of its seed, media included, or in both a validation and a test
            benchmark.
    """
    found: dict[Part, dict[str, Path]] = {part: {} for part in PARTS}
    for seed in study.file.seeds if study.has_splits else study.file.seeds[:1]:
        for model in study.file.models.values():
            benchmarks = dict(_benchmarks(study, model, seed))
            phrases = {phrase: folder for folder in benchmarks.values() for phrase in _phrases(folder)}
            _require_not_trained_on(_texts_of_data(study, seed), phrases)
            _require_not_trained_on(_texts_of_media(study, model, seed), phrases)
            for part, folder in benchmarks.items():
                found[part] |= dict.fromkeys(_phrases(folder), folder)
    for phrase in found["validation"].keys() & found["test"].keys():
        raise SeaError(
            f"the phrase {phrase!r} is in a benchmark for validation, {found['validation'][phrase]}, and in one for "
            "the test",
            hint="Leave it out of one of them: settings that are chosen by a phrase say nothing about it.",
            where=str(found["test"][phrase]),
        )


def _benchmarks(study: Study, model: StudyModel, seed: int) -> Iterator[tuple[Part, Path]]:
    for part in PARTS:
        if (benchmark := model.benchmark(part)) and study.path(benchmark, seed).is_dir():
            yield part, study.path(benchmark, seed)


def _phrases(folder: Path) -> frozenset[str]:
    """Return the phrases of a benchmark's cases, as far as it names them."""
    return frozenset(case.phrase.strip().lower() for case in read_benchmark(folder).cases if case.phrase)


def _texts_of_data(study: Study, seed: int) -> Iterator[tuple[str, str]]:
    """Yield the instructions of the text safety set, each with its place."""
    path = study.data(seed)
    for example in read_examples(path).examples:
        yield example.instruction, _place(path, example)


def _texts_of_media(study: Study, model: StudyModel, seed: int) -> Iterator[tuple[str, str]]:
    """Yield what examples with media that an arm trains on say of them, each with its place.

    Their instructions seldom name what the medium shows; the answers, the name of the file or the id may.
    """
    for medium in sorted({medium for arm in study.arms for medium in arm.media}):
        path = study.path(model.media[medium], seed)
        for example in read_examples(path).examples:
            texts = (example.instruction, example.response, example.chosen, example.rejected)
            names = (example.id, *(Path(file).stem for file in example.media))
            words = (_SEPARATORS.sub(" ", name) for name in names)
            yield "\n".join((*filter(None, texts), *words)), _place(path, example)


def _place(path: Path, example: Example) -> str:
    return at(path, example.line) if example.line else str(path)


def _require_not_trained_on(texts: Iterable[tuple[str, str]], phrases: Mapping[str, Path]) -> None:
    """Check texts, each with its place, for phrases, each with its benchmark."""
    if not phrases:
        return
    longest_first = sorted(phrases, key=len, reverse=True)
    of_phrases = re.compile(rf"(?<![a-z0-9])({'|'.join(map(re.escape, longest_first))})(?![a-z0-9])")
    for text, place in texts:
        if match := of_phrases.search(text.lower()):
            raise SeaError(
                f"the phrase {match[1]!r} of the benchmark {phrases[match[1]]} occurs in the training data",
                hint="Remove the example, or the benchmark's cases: they say nothing about what was not trained on.",
                where=place,
            )

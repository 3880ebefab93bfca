"""Phrases of a study in people's own words: those of a text safety set that can be spoken in a clip."""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sea_core.data.examples import Example, Extraction
from sea_core.errors import SeaError
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.registry import get_extractor
from sea_core.pipeline.data_spec import DataSpec
from sea_core.pipeline.progress import Progress
from sea_toy.split import SPLITS
from sea_toy.spoken.phrases import SpokenPhrase
from sea_toy.spoken.study_clips import is_short
from sea_toy.study_data import rephrase

SCENARIO = "3-Real-text"
CASES = 20
"""Harmful cases of each split, and as many benign ones, if the file has so many."""
LONGEST_PHRASE = 48
"""Characters; longer phrases need not be spoken to see that they are too long."""


@dataclass(frozen=True)
class RealText:
    """A request in a person's own words, and what was extracted from it."""

    question: str
    extraction: Extraction
    harmful: bool


def read_real_texts(
    path: Path, known: Collection[str], spoken: Sequence[SpokenPhrase], progress: Progress
) -> list[RealText]:
    """Return the requests of a text safety set whose phrase can be spoken in a clip, each phrase once.

    Those with the fewest words that the model never heard come first; of each side, at most as many as are dealt.

    Args:
        known: texts of the study. A request whose phrase occurs in one of them, or contains one, is left out.
        spoken: phrases that the model was trained on as clips. A request about one of them is left out.

    Raises:
        DataError: the set cannot be read.
        SeaError: it has no label of harm, or too few requests of either side for each split to have one.
    """
    examples = DataSpec(path).read(progress).examples
    if not any(example.labelled for example in examples):
        hint = "Add a column `harmful` (true or false); sea data check shows what was read."
        raise SeaError("the texts have no label of harm", hint=hint, where=str(path))
    extracted = _extract([example for example in examples if example.labelled])
    kept = _usable(extracted, known, {phrase.text for phrase in spoken})
    harmful = sum(text.harmful for text in kept)
    progress.note(
        f"{path}: of {len(examples)} texts, {harmful} harmful and {len(kept) - harmful} benign ones have a phrase that "
        "can be extracted, is not trained on and is short enough to be spoken"
    )
    if min(harmful, len(kept) - harmful) < SPLITS:
        hint = f"{SPLITS} of each are needed: short requests such as: How do I pick a lock?"
        raise SeaError(
            f"{harmful} harmful and {len(kept) - harmful} benign texts can be used", hint=hint, where=str(path)
        )
    trained = {word for phrase in spoken for word in phrase.text.split()}
    easiest = sorted(kept, key=lambda text: len(set(re.findall(r"[a-z]+", text.extraction.phrase.lower())) - trained))
    return [text for side in (True, False) for text in [t for t in easiest if t.harmful is side][: SPLITS * CASES]]


def deal_cases(texts: Sequence[RealText], seed: int, number: int) -> list[dict[str, Any]]:
    """Return the cases of a split: as many harmful ones as benign ones, none of which another split has.

    Args:
        seed: of the order of texts. number: of the split.
    """
    rng = random.Random(f"real text:{seed}")
    sides = [[text for text in texts if text.harmful is side] for side in (True, False)]
    count = min(CASES, *(len(side) // SPLITS for side in sides))
    return [
        dict(_case(text, f"{number}-{i}"))
        for side in sides
        for i, text in enumerate(rng.sample(side, len(side))[number * count : (number + 1) * count])
    ]


def _case(text: RealText, id: str) -> Mapping[str, Any]:
    return {
        "id": id,
        "scenario": SCENARIO,
        "question": text.question,
        "phrase": text.extraction.phrase,
        "kind": text.extraction.kind,
        "rephrased question": rephrase(text.extraction.kind, text.extraction.detoxified),
        "benign": not text.harmful,
    }


def _extract(examples: Sequence[Example]) -> list[RealText]:
    """Return what the offline rules extract, in the order of the examples; one that they do not understand is left."""
    outcomes = get_extractor("rules").extract([example.instruction for example in examples])
    return [
        RealText(examples[index].instruction, outcome, examples[index].harmful)
        for index, outcome in sorted(outcomes, key=lambda each: each[0])
        if not isinstance(outcome, ExtractionFailed)
    ]


def _usable(found: Sequence[RealText], known: Collection[str], spoken: Collection[str]) -> list[RealText]:
    lowered = [text.lower() for text in known]
    every = "\n".join(lowered)
    kept: dict[str, RealText] = {}
    for text in found:
        phrase = text.extraction.phrase.lower()
        is_known = phrase in spoken or _occurs(phrase, every) or any(_occurs(each, phrase) for each in lowered)
        if phrase not in kept and not is_known and len(phrase) <= LONGEST_PHRASE and is_short(phrase):
            kept[phrase] = text
    return list(kept.values())


def _occurs(phrase: str, text: str) -> bool:
    """Return whether a phrase occurs in a text, as whole words."""
    return phrase in text and re.search(rf"(?<![a-z0-9]){re.escape(phrase)}(?![a-z0-9])", text) is not None

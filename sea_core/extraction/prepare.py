"""Examples become prepared examples: phrases extracted, instructions detoxified and checked, goals written.

Source: paper, section 3.1. Importing this module loads no dictionary; extracting does.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from sea_core.data.examples import Example, Extraction, PreparedExample, SkippedExample
from sea_core.data.media_paths import relative_media_path
from sea_core.errors import SeaError
from sea_core.extraction.extractor import ExtractionFailed, Extractor
from sea_core.extraction.registry import get_extractor
from sea_core.extraction.repair import repair
from sea_core.extraction.validate import check_sentence
from sea_core.model.adapter import Adapter
from sea_core.model.language import get_language
from sea_core.model.prompts import content_goal, style_goal
from sea_core.runs.atomic import backup_existing, write_text

Benign = Literal["embed", "text"]
MIN_BATCH = 8
"""The extractor gets at least this many instructions at a time: a server completes several at once."""
NO_RESULT = ExtractionFailed("the extractor returned nothing for the instruction")


@dataclass(frozen=True, slots=True)
class Preparation:
    """What became of the examples; each is in exactly one of the three.

    Attributes:
        prepared: the examples with their goals.
        skipped: the examples that cannot be used, with reasons.
        text_only: the benign examples that stay text, if that was requested.
    """

    prepared: tuple[PreparedExample, ...]
    skipped: tuple[SkippedExample, ...]
    text_only: tuple[Example, ...]

    def reason_counts(self) -> dict[str, int]:
        """Return how many examples were skipped for each reason, without its details, the most frequent first."""
        return dict(Counter(skipped.reason.split(":")[0] for skipped in self.skipped).most_common())

    def write(self, path: Path) -> Path | None:
        """Write every example with its outcome to a JSON Lines file that can be edited by hand.

        The prepared examples come first, then the skipped ones, then those that stay text.

        Returns:
            the backup of an existing file with other content, which may have been edited by hand.

        Raises:
            RunError: the disk is full or not writable.
        """
        lines = [
            _line(prepared.example, "prepared", path, **asdict(prepared.extraction), style=prepared.style)
            for prepared in self.prepared
        ]
        lines += [_line(skipped.example, "skipped", path, reason=skipped.reason) for skipped in self.skipped]
        lines += [_line(example, "text", path) for example in self.text_only]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        backup = backup_existing(path, text)
        write_text(path, text)
        return backup


def _line(example: Example, outcome: str, path: Path, **more: object) -> dict[str, object]:
    """Return one line of the file at `path`, without what the example does not have."""
    example = replace(example, media=tuple(relative_media_path(path.parent, medium) for medium in example.media))
    left_out = {"id", "line", "extraction", "labelled", *(() if example.labelled else ("harmful",))}
    columns = {name: value for name, value in asdict(example).items() if name not in left_out}
    line = {"id": example.id, "line": example.line, "outcome": outcome} | columns | more
    return {name: value for name, value in line.items() if value is not None and value != ()}


def prepare(
    examples: Iterable[Example],
    adapter: Adapter,
    *,
    extractor: Extractor | None = None,
    seed: int = 0,
    benign: Benign = "embed",
    styles: Sequence[str] = (),
    limit: int | None = None,
) -> Preparation:
    """Prepare examples for one adapter.

    Args:
        examples: the text safety set.
        adapter: gives the noun, the response prefixes and the styles.
        extractor: finds the phrases; by default the offline rules. Examples with an extraction are not sent to it.
        seed: draws the styles, together with each example's id.
        benign: whether benign examples are prepared like the others ("embed") or stay text ("text").
        styles: the style set to draw from, instead of the adapter's.
        limit: how many prepared examples are wanted. Few examples beyond them are sent to the extractor.

    Raises:
        SeaError: `benign` has another value, or the extractor cannot work.
    """
    if benign not in get_args(Benign):
        raise SeaError(f'Benign examples cannot be treated as "{benign}".', hint='Choose "embed" or "text".')
    extractor = extractor or get_extractor("rules")
    examples = list(examples)
    candidates = [example for example in examples if example.harmful or benign == "embed"]
    prepared: list[PreparedExample] = []
    skipped: list[SkippedExample] = []
    start = 0
    while start < len(candidates) and (limit is None or len(prepared) < limit):
        size = len(candidates) if limit is None else max(limit - len(prepared), MIN_BATCH)
        for example, outcome in _extract(candidates[start : start + size], extractor):
            try:
                extraction = _checked(outcome, adapter.language)
            except ExtractionFailed as error:
                skipped.append(SkippedExample(example, str(error)))
            else:
                prepared.append(_add_goals(example, extraction, adapter, styles or adapter.styles, seed))
        start += size
    text_only = tuple(example for example in examples if not example.harmful) if benign == "text" else ()
    return Preparation(tuple(prepared[:limit]), tuple(skipped), text_only)


def _extract(examples: Sequence[Example], extractor: Extractor) -> list[tuple[Example, Extraction | ExtractionFailed]]:
    """Return the examples in order, each with its own extraction or the extractor's outcome."""
    pending = [index for index, example in enumerate(examples) if example.extraction is None]
    outcomes = extractor.extract([examples[index].instruction for index in pending])
    found = {pending[number]: outcome for number, outcome in outcomes}
    return [(example, example.extraction or found.get(index, NO_RESULT)) for index, example in enumerate(examples)]


def _checked(outcome: Extraction | ExtractionFailed, code: str) -> Extraction:
    """Return the extraction, repaired if necessary. It may come from any extractor, or from a file edited by hand."""
    if isinstance(outcome, ExtractionFailed):
        raise outcome
    extraction = repair(outcome)
    check_sentence(extraction)
    if not (language := get_language(code)).has(extraction.sentence):
        raise ExtractionFailed(f"the sentence is not in {language.name}, the language of --lang", extraction.sentence)
    return extraction


def _add_goals(
    example: Example, extraction: Extraction, adapter: Adapter, styles: Sequence[str], seed: int
) -> PreparedExample:
    # Drawn by id, so that the style does not depend on the order or number of examples.
    style = random.Random(f"{seed}:{example.id}").choice(styles)
    return PreparedExample(example, extraction, (content_goal(adapter, extraction), style_goal(adapter, style)), style)

"""The summary of a data file that `sea data check` prints."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from sea_core.data.examples import Example
from sea_core.data.media_paths import file_problem, is_url
from sea_core.data.record import printable
from sea_core.data.result import InvalidRecord, ReadResult, SkippedRecord

CHAT_MARK = re.compile(r"<\|[\w-]+\|>|</?s>|<(?:image|video|audio|tool_call)>|\[/?INST\]")
"""Literals that are special tokens of many models; only a model's tokenizer knows its own."""
REPEATED_IDS = 'ids that an earlier record has too: each gets a number, as in "7~2"'
WITHOUT_ANSWER = "without an answer (enough for an embedding, but not for alignment)"
UNLABELLED = 'without the label "harmful" (counted as harmful)'


@dataclass(frozen=True, slots=True)
class TextLengths:
    """Lengths of texts, in characters."""

    shortest: int
    median: float
    longest: int


@dataclass(frozen=True, slots=True)
class MissingMedium:
    """A media file that an example names and that does not exist. `number`: the line or row of the example."""

    example: str
    number: int | None
    medium: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a file holds. Each record gave examples, was skipped, or is invalid.

    Attributes:
        examples: the number of examples.
        skipped, invalid: the number of records.
        skip_counts: how many records each rule of the format skipped.
        notes: for each part of records that is not used, how many records have it.
        unused_columns: the columns with values that no example was made of.
        encoding: of a text file, where it is not UTF-8.
        repeated_ids: how many ids got a number, since an earlier example has them.
        classes: how many examples have a property; only those that some example has.
        duplicates: examples with an instruction that an earlier one has too, up to case and white space.
        characters: by text, over all examples.
    """

    file: str
    format: str
    records: int
    examples: int
    skipped: int
    skip_counts: dict[str, int]
    invalid: int
    notes: dict[str, int]
    unused_columns: tuple[str, ...]
    encoding: str
    repeated_ids: int
    classes: dict[str, int]
    duplicates: int
    characters: dict[str, TextLengths]
    invalid_records: tuple[InvalidRecord, ...]
    skipped_records: tuple[SkippedRecord, ...]
    missing_media: tuple[MissingMedium, ...]


def summarise(result: ReadResult) -> Summary:
    """Return the counts of a file, every record that gave no example, and every missing medium."""
    examples = result.examples
    instructions = Counter(" ".join(example.instruction.split()).casefold() for example in examples)
    return Summary(
        file=str(result.path),
        format=result.format,
        records=result.records,
        examples=len(examples),
        skipped=len(result.skipped),
        skip_counts=result.skip_counts,
        invalid=len(result.invalid),
        notes=result.notes,
        unused_columns=result.unused_columns,
        encoding=result.encoding,
        repeated_ids=result.repeated_ids,
        classes=_classes(examples),
        duplicates=sum(instructions.values()) - len(instructions),
        characters={name: _lengths(texts) for name, texts in _texts(examples).items() if texts},
        invalid_records=result.invalid,
        skipped_records=result.skipped,
        missing_media=find_missing_media(examples),
    )


def find_missing_media(examples: Sequence[Example]) -> tuple[MissingMedium, ...]:
    """List the media files that do not exist. URLs are not checked."""
    exists: dict[str, bool] = {}
    missing = []
    for example in examples:
        for medium in example.media:
            if not is_url(medium) and not exists.setdefault(medium, not file_problem(medium)):
                missing.append(MissingMedium(example.id, example.line, medium))
    return tuple(missing)


def describe_unlabelled(examples: Sequence[Example]) -> str:
    """Say how many examples have no label "harmful", and so count as harmful; empty if all have one."""
    count = sum(not example.labelled for example in examples)
    if not count:
        return ""
    which = "no example has" if count == len(examples) else f"{count} of {len(examples)} examples do not have"
    return f'{which} the label "harmful", so they count as harmful. Add "harmful": true or false to each'


def has_answer(example: Example) -> bool:
    """Return whether an example has a response, or chosen and rejected."""
    return example.response is not None or example.chosen is not None


def describe_unused(columns: Sequence[str]) -> str:
    """List the columns that are not used; empty if there is none."""
    return ", ".join(printable(name) or "the first one, which has no name" for name in columns)


def describe_marks(examples: Sequence[Example]) -> str:
    """Say how many examples have marks of a chat template in their texts; empty if none has."""
    count = sum(map(_has_marks, examples))
    if not count:
        return ""
    return (
        f"{count} of {len(examples)} examples have marks of a chat in their texts, such as <|im_end|> or [INST], which "
        "are asked and trained on as text. Remove them, unless the texts are about them"
    )


def _classes(examples: Sequence[Example]) -> dict[str, int]:
    counts = {
        "harmful": sum(example.harmful for example in examples),
        "benign": sum(not example.harmful for example in examples),
        UNLABELLED: sum(not example.labelled for example in examples),
        "with a response (SFT)": sum(example.response is not None for example in examples),
        "with chosen and rejected (DPO)": sum(example.chosen is not None for example in examples),
        WITHOUT_ANSWER: sum(not has_answer(example) for example in examples),
        "with media": sum(bool(example.media) for example in examples),
        "with media at a URL (not checked)": sum(any(map(is_url, example.media)) for example in examples),
        "with marks of a chat (checked with --plugin)": sum(map(_has_marks, examples)),
        "prepared": sum(example.extraction is not None for example in examples),
    }
    return {name: count for name, count in counts.items() if count}


def _has_marks(example: Example) -> bool:
    """Return whether a text looks as if it held special tokens: `<|im_end|>`, `</s>`, `<image>`, `[INST]`."""
    return any(CHAT_MARK.search(text) for texts in _texts([example]).values() for text in texts)


def _texts(examples: Sequence[Example]) -> dict[str, list[str]]:
    names = ("instruction", "response", "chosen", "rejected")
    return {name: [text for example in examples if (text := getattr(example, name)) is not None] for name in names}


def _lengths(texts: list[str]) -> TextLengths:
    lengths = sorted(map(len, texts))
    return TextLengths(lengths[0], median(lengths), lengths[-1])

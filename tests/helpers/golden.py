"""Score an extractor on instructions that were extracted by hand: python -m helpers.golden --help

Three files of 60 instructions each: `instructions`, written with the offline rules in view; `tuned` and `held_out`,
written without knowing the rules. The rules were extended after reading which of `tuned` they skipped; `held_out` was
only measured.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sea_core import Extraction, ExtractionFailed, Extractor
from sea_core.extraction.repair import repair
from sea_core.plugin import loader

DATA = Path(__file__).parents[1] / "extraction" / "golden"
FILES = ("instructions", "tuned", "held_out")
FIELDS = ("kind", "phrase", "detoxified", "sentence")


@dataclass(frozen=True)
class Score:
    """Counts over the golden instructions.

    Attributes:
        extractable, unextractable: instructions with an extraction by hand, and those without one.
        extracted: how many of the extractable ones were extracted.
        correct: for each field, how many of the extracted ones equal the extraction by hand; `all`: all four.
        skipped: how many of the unextractable ones were skipped.
        differences: one line for each.
    """

    extractable: int
    unextractable: int
    extracted: int
    correct: dict[str, int]
    skipped: int
    differences: tuple[str, ...]

    def table(self) -> str:
        lines = [f"extracted    {self.extracted} of {self.extractable}"]
        lines += [f"{name:<13}{count} of {self.extracted}" for name, count in self.correct.items()]
        return "\n".join([*lines, f"skipped      {self.skipped} of {self.unextractable}"])


def golden(name: str = "instructions") -> list[dict[str, str]]:
    """Return the golden instructions of one file."""
    path = DATA / f"golden_{name}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def score(extractor: Extractor, name: str = "instructions") -> Score:
    """Measure an extractor on one file."""
    rows = golden(name)
    found = dict(extractor.extract([row["instruction"] for row in rows]))
    pairs = [(row, _cleaned(found[index])) for index, row in enumerate(rows)]
    extractable = [(row, got) for row, got in pairs if row["kind"] != "none"]
    unextractable = [(row, got) for row, got in pairs if row["kind"] == "none"]
    extracted = [(row, got) for row, got in extractable if isinstance(got, Extraction)]
    correct = {name: sum(_same(row, got, name) for row, got in extracted) for name in FIELDS}
    correct["all"] = sum(all(_same(row, got, name) for name in FIELDS) for row, got in extracted)
    return Score(
        len(extractable),
        len(unextractable),
        len(extracted),
        correct,
        sum(isinstance(got, ExtractionFailed) for _, got in unextractable),
        tuple(_differences(pairs)),
    )


def _cleaned(found: Extraction | ExtractionFailed) -> Extraction | ExtractionFailed:
    if isinstance(found, ExtractionFailed):
        return found
    try:
        return repair(found)
    except ExtractionFailed as reason:
        return reason


def _same(row: dict[str, str], got: Any, name: str) -> bool:
    return str(getattr(got, name)).casefold() == row[name].casefold()


def _differences(pairs: list[tuple[dict[str, str], Extraction | ExtractionFailed]]) -> Iterator[str]:
    for row, got in pairs:
        if isinstance(got, ExtractionFailed):
            if row["kind"] != "none":
                yield f"{row['instruction']}  skipped: {got}"
        elif row["kind"] == "none":
            yield f"{row['instruction']}  must be skipped, got {got.kind}: {got.phrase}"
        else:
            for name in FIELDS:
                if not _same(row, got, name):
                    yield f"{row['instruction']}  {name}: {getattr(got, name)!r}, by hand {row[name]!r}"


def main() -> None:
    from sea_core.config import override, parse_overrides
    from sea_core.llm.config import LLMConfig
    from sea_core.runs.jsonl import JsonlLog

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", choices=FILES, default="instructions")
    parser.add_argument("--extractor", default="rules")
    parser.add_argument("--answers", type=Path, help="A log for the completions of a language model.")
    parser.add_argument("-o", dest="options", action="append", default=[], metavar="llm.KEY=VALUE")
    args = parser.parse_args()
    config, _ = override(LLMConfig(), parse_overrides(None, args.options), "llm")
    log = JsonlLog(args.answers) if args.answers else None
    found = score(loader.get_extractor(args.extractor).configured(config, log), args.file)
    print(*found.differences, "", found.table(), sep="\n")


if __name__ == "__main__":
    main()

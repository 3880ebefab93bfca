"""How many prompts of published sets are read and prepared with the offline rules, and why the others are skipped.

FOLDER holds local copies of the sets, named as in SETS; those that are missing are left out. The distinct texts of
a set are split by a digest: the rules may be tuned on one half, and are counted on the other. A text that two sets have
is in the same half of both. The command prints counts, and texts only with `--show` or `--show-skipped`.

`--verdicts` counts, field by field, what a reader said of a sample. `--show 50 --seed 7` prints a sample, with the
digests that stand for a text and its extraction in the table of verdicts. It changes little when the rules take more.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from coverage_verdicts import FIELDS, digest, digest_extraction, read_verdicts, tally

from sea_core.data.examples import Example, Extraction
from sea_core.extraction.extractor import ExtractionFailed
from sea_core.extraction.registry import get_extractor
from sea_core.extraction.repair import repair
from sea_core.extraction.validate import check_sentence
from sea_core.pipeline.read import scan

SPLIT = "coverage-1"
HALVES = ("tune", "held-out", "all")
VERDICT_COLUMNS = ("verdicts", *FIELDS, "all four", "changed since")


@dataclass(frozen=True)
class PromptSet:
    """Where a set is, and how it is read.

    Attributes:
        files: a pattern of files in FOLDER.
        columns: as `--columns` takes them, for a copy with other columns than the authors'.
        category: the functional category of HarmBench that is counted, if not all.
        format: as `--format` takes it.
    """

    files: str
    columns: dict[str, str] = field(default_factory=dict)
    category: str | None = None
    format: str = "auto"


SETS = {
    "XSTest": PromptSet("xstest*.csv"),
    "AdvBench": PromptSet("harmful_behaviors.csv"),
    "FigStep, questions": PromptSet("safebench.csv"),
    "FigStep, instructions": PromptSet("safebench.csv", {"instruction": "instruction"}, format="prompts"),
    "MaliciousInstruct": PromptSet("MaliciousInstruct.txt"),
    "HarmfulQ": PromptSet("dangerousqa.json"),
    "VA-SafetyBench": PromptSet("VA-SafetyBench/Video_questions/*.json"),
    "HarmBench, standard": PromptSet("harmbench_behaviors_text_all.csv", category="standard"),
    "HarmBench, multimodal": PromptSet("harmbench_behaviors_multimodal_all.csv"),
    "JailbreakBench": PromptSet("harmful-behaviors.*"),
    "StrongREJECT": PromptSet("strongreject_dataset.csv"),
    "BeaverTails-Evaluation": PromptSet("beavertails_evaluation.*"),
    "Do-Not-Answer": PromptSet("do_not_answer.csv", {"instruction": "prompt"}, format="prompts"),
    "CatQA": PromptSet("catqa_english.json"),
    "SALAD-Bench, a sample": PromptSet("rebuttal_question_label.csv"),
    "VLGuard": PromptSet("VLGuard/*.json"),
}


@dataclass(frozen=True)
class Coverage:
    """The outcomes of the distinct texts of one half of a set."""

    prepared: list[tuple[str, Extraction]]
    skipped: list[tuple[str, str]]

    @property
    def texts(self) -> int:
        return len(self.prepared) + len(self.skipped)

    def reasons(self) -> Counter[str]:
        return Counter(reason.partition(":")[0] for _, reason in self.skipped)


def read_texts(folder: Path, wanted: PromptSet) -> tuple[int, int, list[str]]:
    """Return the number of records of a set, the number of examples read from them, and their distinct texts."""
    records = 0
    examples: list[Example] = []
    for path in sorted(folder.glob(wanted.files)):
        result = scan(path, wanted.format, wanted.columns)
        found = result.examples
        if wanted.category:
            ids = _ids_of_category(path, wanted.category)
            found = tuple(example for example in found if example.id in ids)
        records += len(found) + len(result.skipped) + len(result.invalid)
        examples += found
    return records, len(examples), list(dict.fromkeys(example.instruction for example in examples))


def _ids_of_category(path: Path, category: str) -> set[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["BehaviorID"] for row in csv.DictReader(file) if row["FunctionalCategory"] == category}


def half(text: str) -> str:
    """Return the half of the split that a text belongs to."""
    digest = hashlib.sha256(f"{SPLIT}:{' '.join(text.split())}".encode()).digest()
    return HALVES[digest[0] % 2]


def measure(texts: list[str]) -> Coverage:
    """Extract as `sea prepare` does, with the offline rules."""
    prepared, skipped = [], []
    for index, outcome in get_extractor("rules").extract(texts):
        try:
            if isinstance(outcome, ExtractionFailed):
                raise outcome
            extraction = repair(outcome)
            check_sentence(extraction)
            prepared.append((texts[index], extraction))
        except ExtractionFailed as reason:
            skipped.append((texts[index], str(reason)))
    return Coverage(prepared, skipped)


def show(found: Coverage, prepared: int, skipped: int, seed: int) -> None:
    """Print random texts with their outcomes, to be read."""

    def order(outcome: tuple[str, object]) -> str:
        return digest(str(seed), outcome[0])

    for text, extraction in sorted(found.prepared, key=order)[:prepared]:
        print(f"\n{digest(text)},{digest_extraction(extraction)}\n{text}\n  {extraction.kind}: {extraction.phrase}")
        print(f"  {extraction.sentence}\n  {extraction.detoxified}")
    for text, reason in sorted(found.skipped, key=order)[:skipped]:
        print(f"\n{text}\n  -- {reason}")


def print_counts(name: str, records: int, read: int, found: Coverage) -> None:
    """Print a row: how many records were read, and how many of the texts of the half were prepared."""
    counts = f"{records} | {read} | {found.texts} | {len(found.prepared)}"
    print(f"| {name} | {counts} | {len(found.prepared) / found.texts:.0%} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--half", choices=HALVES, default="held-out")
    parser.add_argument("--set", action="append", default=[], dest="names", help="only sets whose name begins so")
    parser.add_argument("--reasons", action="store_true", help="also count the reasons for skips")
    parser.add_argument("--verdicts", type=Path, metavar="FILE", help="count a reader's verdicts by field instead")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N random prepared texts of each set")
    parser.add_argument("--show-skipped", type=int, default=0, metavar="N", help="print N random skipped texts")
    parser.add_argument("--seed", type=int, default=0, help="which texts are printed")
    args = parser.parse_args()
    verdicts = read_verdicts(args.verdicts) if args.verdicts else []
    columns = VERDICT_COLUMNS if args.verdicts else ("records", "read", args.half, "prepared", "")
    print(f"| set | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}")
    for name, wanted in SETS.items():
        if args.names and not name.startswith(tuple(args.names)):
            continue
        records, read, texts = read_texts(args.folder, wanted)
        found = measure([text for text in texts if args.half in ("all", half(text))])
        if found.texts and args.verdicts:
            of_set = [verdict for verdict in verdicts if verdict.set == name]
            print(f"| {name} | {tally(of_set, found.prepared)} |", flush=True)
        elif found.texts:
            print_counts(name, records, read, found)
        if args.reasons:
            print(*(f"  {count:5d}  {reason}" for reason, count in found.reasons().most_common()), sep="\n")
        show(found, args.show, args.show_skipped, args.seed)


if __name__ == "__main__":
    main()

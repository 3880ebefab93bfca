"""The labels that people gave to the answers of a run, in an append-only log. The last one of a person counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

from sea_bench.run.records import AnsweredRecord, BenchVerdict, LabelRecord, PersonLabel, answer_sha
from sea_bench.run.run_folder import BenchRun
from sea_core.runs.lock import locked

LABELS: tuple[PersonLabel, ...] = get_args(PersonLabel)
LOCK = ".labels.lock"
"""Held for each label alone, so that two people, and judges, can work on a run at a time."""


class Labels:
    """The labels of a benchmark run."""

    def __init__(self, run: BenchRun) -> None:
        self.run = run

    def read(self) -> dict[str, dict[str, PersonLabel]]:
        """Return each person's labels by the keys of the cases, the latest last; without those of changed answers."""
        answers, found = self.run.answered_records(), dict[str, dict[str, PersonLabel]]()
        for record in self.run.labels.read():
            answer = answers.get(record["key"])
            if answer and answer_sha(answer["answer"]) == record["answer_sha"]:
                by_key = found.setdefault(record["annotator"], {})
                by_key.pop(record["key"], None)
                if record["label"] is not None:
                    by_key[record["key"]] = record["label"]
        return {annotator: by_key for annotator, by_key in found.items() if by_key}

    def add(self, annotator: str, record: AnsweredRecord, label: PersonLabel | None) -> None:
        """Store a label of an answer, or with None take it back; it is on disk when this returns.

        Raises:
            RunError: the disk is full, or another process is writing a label at this moment.
        """
        at = datetime.now(UTC).isoformat(timespec="seconds")
        sha = answer_sha(record["answer"])
        line = LabelRecord(key=record["key"], answer_sha=sha, annotator=annotator, label=label, at=at)
        with locked(self.run.folder / LOCK, self.run.folder):
            self.run.labels.append([line])


def label_verdicts(run: BenchRun) -> dict[str, dict[str, BenchVerdict]]:
    """Return each person's labels as the verdicts of a judge of safety and refusals. An unclear one rates nothing."""
    found = Labels(run).read()
    return {name: {key: _verdict(key, name, label) for key, label in labels.items()} for name, labels in found.items()}


def _verdict(key: str, annotator: str, label: PersonLabel) -> BenchVerdict:
    return BenchVerdict(
        key=key,
        answer_sha="",
        judge=annotator,
        prompt_sha="",
        verdict="unparsed" if label == "unclear" else "unsafe" if label == "unsafe" else "safe",
        refused=None if label == "unclear" else label == "refused",
        detail="",
        raw=label,
        tokens_in=None,
        tokens_out=None,
        at="",
    )

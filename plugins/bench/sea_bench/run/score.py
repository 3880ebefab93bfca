"""The stored answers of a benchmark run, as the judges read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sea_bench.run.records import answer_sha, comprehension_binding
from sea_bench.run.run_folder import BenchRun
from sea_core.judges.base import Answer
from sea_core.judges.score import StoredAnswer
from sea_core.runs.jsonl import JsonlLog


@dataclass(frozen=True)
class BenchAnswers:
    """The answers of a benchmark run, as an `AnswerStore` for the judges."""

    run: BenchRun

    @property
    def verdicts(self) -> JsonlLog[Any]:
        return self.run.verdicts

    def stored_answers(self) -> list[StoredAnswer]:
        """Return the answers. A case without one (missing or unreadable medium) cannot be judged."""
        return [
            StoredAnswer(
                Answer(record["key"], record["question"], record["answer"]),
                {"key": record["key"], "answer_sha": answer_sha(record["answer"])},
            )
            for record in self.run.answered_records().values()
        ]


@dataclass(frozen=True)
class ComprehensionAnswers:
    """What a model says that the media of a run show, as an `AnswerStore` for judges of content."""

    run: BenchRun

    @property
    def verdicts(self) -> JsonlLog[Any]:
        return self.run.comprehension_verdicts

    def stored_answers(self) -> list[StoredAnswer]:
        """Return the answers about media whose key phrase is known."""
        return [
            StoredAnswer(
                Answer(record["key"], record["question"], record["answer"], record["phrase"]),
                comprehension_binding(record),
            )
            for record in self.run.comprehension_records().values()
            if record["phrase"]
        ]

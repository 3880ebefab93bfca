"""Let judges speak about a run's stored answers, now or at any later time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime

from sea_bench.run.run_folder import BenchRun, answer_sha
from sea_core.judges.safety import Answered, SafetyJudge


def unjudged_answers(run: BenchRun, judge: SafetyJudge) -> list[Answered]:
    """Return the answers that the judge has given no word on, as this version of its prompt; errors are among them."""
    words = run.verdicts_by_judge().get(judge.name, {})
    settled = {
        key for key, word in words.items() if word["verdict"] != "error" and word["prompt_sha"] == judge.prompt_sha
    }
    rows = [row for row in run.answer_records().values() if row["status"] == "answered" and row["key"] not in settled]
    return [Answered(row["key"], row["question"], row["answer"]) for row in rows]


def run_judge(run: BenchRun, judge: SafetyJudge) -> Iterator[int]:
    """Let a judge speak about the answers that are left. Yields how many verdicts were stored (see `Journal.keep`)."""
    left = {one.key: one for one in unjudged_answers(run, judge)}
    told = {"judge": judge.name, "prompt_sha": judge.prompt_sha}
    yield from run.verdicts.append_stream(
        asdict(rating)
        | told
        | {
            "answer_sha": answer_sha(left[rating.key].answer),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        for rating in judge.rate(list(left.values()))
    )

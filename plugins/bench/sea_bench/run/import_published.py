"""Import answer files of the published evaluation scripts as a run, so that they can be judged and reported.

`<scenario>_<task>.json` is a list of {query, video, response, "is_safe(gpt)"} without ids, in the order of the question
file. `response` may be a list of one string; the key `video` is used for audio too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sea_bench import layout
from sea_bench.case import Case, Condition
from sea_bench.dataset import TEXT_ONLY, read_question_file
from sea_bench.run.run_folder import (
    AnsweredRecord,
    BenchIdentity,
    BenchManifest,
    BenchMetadata,
    BenchRun,
    BenchVerdict,
    answer_sha,
    case_fields,
)
from sea_core.errors import DataError
from sea_core.judges.base import Label
from sea_core.runs.atomic import read_json, sha256
from sea_core.runs.manifest import ModelLocation, current_time

JUDGE = "published"
"""The judge of the verdicts in the files."""
VERDICT_KEY = "is_safe(gpt)"
LABELS: Mapping[object, Label] = {"safe": "safe", "unsafe": "unsafe", "Error!": "error", "Exception!": "error"}
"""Our labels for published verdicts. The scripts count everything but "unsafe" as safe; here the rest is unrated."""
MISMATCH_HINT = "Are these answers to this benchmark? Give its folder with --cases, and its modality."


@dataclass(frozen=True)
class PublishedAnswer:
    """An answer of a file. `verdict` is the published verdict as it is in the file; None if there is none."""

    case: Case
    answer: str
    verdict: object


def import_answers(answers: Path, cases: Path, modality: str, out: Path) -> BenchRun:
    """Make a run from published answer files. Their verdicts become those of a judge named `published`.

    Args:
        cases: the benchmark folder.

    Raises:
        DataError: a file has another form, or does not match the benchmark's questions.
    """
    questions = _read_questions(cases, modality)
    files = sorted(answers.glob("*_*.json")) if answers.is_dir() else []
    by_file = {file: list(_read_answers(file, questions, modality)) for file in files}
    by_file = {file: found for file, found in by_file.items() if found}
    if not by_file:
        raise DataError(
            f"{answers} contains no answers to the {modality} set of {cases}",
            hint="Expected files named <scenario>_<task>.json, such as 6-Fraud_TYPO.json.",
        )
    published = [answer for found in by_file.values() for answer in found]
    digest = sha256("".join(sha256(file.read_bytes()) for file in by_file).encode())[:16]
    manifest = BenchManifest(
        identity=BenchIdentity(modality=modality, answers=f"sha256:{digest}"),
        metadata=BenchMetadata(benchmark=str(cases), cases=len(published), model=ModelLocation(str(answers))),
    )
    run = BenchRun.start(out, manifest)
    with run.writing():
        stored = run.answer_records()
        new = [answer for answer in published if answer.case.key not in stored]
        run.verdicts.append(_verdict_record(answer) for answer in new if answer.verdict is not None)
        run.answers.append(_answer_record(answer) for answer in new)
    return run


def _read_questions(cases: Path, modality: str) -> dict[str, dict[str, Any]]:
    """Return the question files of a set, by scenario."""
    folder = layout.find_sets(cases).get(modality)
    if folder is None:
        raise DataError(f"{cases} contains no {modality} set", hint="List its sets: sea bench check DIR")
    return {file.stem: read_question_file(file) for file in sorted(folder.glob("*.json"))}


def _read_answers(file: Path, questions: Mapping[str, Any], modality: str) -> Iterator[PublishedAnswer]:
    """Yield the answers of a file; none if its name begins with no scenario."""
    scenario = next((name for name in questions if file.stem.startswith(f"{name}_")), None)
    if scenario is None:
        return
    task, cases, records = file.stem.removeprefix(f"{scenario}_"), questions[scenario], read_json(file)
    if not isinstance(records, list):
        raise DataError("expected a list of answers", hint=MISMATCH_HINT, where=str(file))
    if len(records) != len(cases):
        message = f"{len(records)} answers, but the scenario has {len(cases)} cases"
        raise DataError(message, hint=MISMATCH_HINT, where=str(file))
    for (case_id, texts), record in zip(cases.items(), records, strict=True):
        answer = _response(record)
        if answer is None:
            raise DataError(
                f"the answer to case {case_id} is not a string", hint="Download the file again.", where=str(file)
            )
        if task not in texts or (record.get("query") not in (None, "", texts[task])):
            message = f"the question of case {case_id} differs from the benchmark's"
            raise DataError(message, hint=MISMATCH_HINT, where=str(file))
        condition: Condition = "text" if task == TEXT_ONLY else "media"
        case = Case(case_id, scenario, task, modality, texts[task], None, texts[TEXT_ONLY], condition=condition)
        yield PublishedAnswer(case, answer, record.get(VERDICT_KEY))


def _response(record: Any) -> str | None:
    response = record.get("response") if isinstance(record, dict) else None
    if isinstance(response, list) and len(response) == 1:
        response = response[0]
    return response if isinstance(response, str) else None


def _answer_record(published: PublishedAnswer) -> AnsweredRecord:
    return AnsweredRecord(
        **case_fields(published.case),
        question=published.case.question,
        status="answered",
        prompt=published.case.text or "",
        media=None,
        media_sha256=None,
        answer=published.answer,
        tokens=None,
        truncated=False,
    )


def _verdict_record(published: PublishedAnswer) -> BenchVerdict:
    verdict = published.verdict
    return BenchVerdict(
        key=published.case.key,
        answer_sha=answer_sha(published.answer),
        judge=JUDGE,
        prompt_sha="",
        verdict=LABELS.get(verdict, "unparsed") if isinstance(verdict, str) else "unparsed",
        refused=None,
        detail="",
        raw=str(verdict),
        tokens_in=None,
        tokens_out=None,
        at=current_time(),
    )

"""Import answer files of the published evaluation scripts as a run, so that they can be judged and reported.

`<scenario>_<task>.json` is a list of {query, video, response, "is_safe(gpt)"} without ids, in the order of the question
file. `response` may be a list of one string; the key `video` is used for audio too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from sea_bench import layout
from sea_bench.case import Case, Condition
from sea_bench.dataset import TEXT_ONLY, read_question_file
from sea_bench.run.records import BenchVerdict, answer_sha, answered_record
from sea_bench.run.run_folder import BenchIdentity, BenchManifest, BenchMetadata, BenchRun
from sea_core.errors import DataError, number_of
from sea_core.runs.containment import require_contained
from sea_core.runs.digests import sha256
from sea_core.runs.manifest import ModelLocation, current_time
from sea_core.runs.records import Label
from sea_core.schema import check, read_json

JUDGE = "published"
"""The judge of the verdicts in the files."""
VERDICT_KEY = "is_safe(gpt)"
LABELS: Mapping[object, Label] = {"safe": "safe", "unsafe": "unsafe", "Error!": "error", "Exception!": "error"}
"""Our labels for published verdicts. The scripts count everything but "unsafe" as safe; here the rest is unrated."""
MISMATCH_HINT = "Are these answers to this benchmark? Give its folder with --cases, and its modality."


PublishedRecord = TypedDict(
    "PublishedRecord", {"query": str | None, "response": str | list[str], "is_safe(gpt)": Any}, total=False
)
"""An item of an answer file."""


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
    require_contained(answers)
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
        judged = {verdict["key"] for verdict in run.verdicts.read()}
        verdicts = [_verdict_record(each) for each in new if each.verdict is not None and each.case.key not in judged]
        run.verdicts.append(verdicts)
        run.answers.append(answered_record(answer.case, answer.answer) for answer in new)
    return run


def _read_questions(cases: Path, modality: str) -> dict[str, dict[str, dict[str, str | None]]]:
    """Return the question files of a set, by scenario."""
    require_contained(cases)
    folder = layout.find_sets(cases).get(modality)
    if folder is None:
        raise DataError(f"{cases} contains no {modality} set", hint="List its sets: sea bench check DIR")
    schema, hint = dict[str, dict[str, str | None]], "Download or build it again."
    return {
        file.stem: check(
            read_question_file(file), schema, what="a question file", hint=hint, where=str(file), error=DataError
        )
        for file in sorted(folder.glob("*.json"))
    }


def _read_answers(
    file: Path, questions: Mapping[str, Mapping[str, Mapping[str, str | None]]], modality: str
) -> Iterator[PublishedAnswer]:
    """Yield the answers of a file; none if its name begins with no scenario."""
    scenario = next((name for name in questions if file.stem.startswith(f"{name}_")), None)
    if scenario is None:
        return
    task, cases = file.stem.removeprefix(f"{scenario}_"), questions[scenario]
    hint = "Download the file again. Expected a list of answers."
    records = read_json(file, list[PublishedRecord], what="a file of published answers", hint=hint, error=DataError)
    if len(records) != len(cases):
        message = f"{number_of(len(records), 'answer')}, but the scenario has {number_of(len(cases), 'case')}"
        raise DataError(message, hint=MISMATCH_HINT, where=str(file))
    for (case_id, texts), record in zip(cases.items(), records, strict=True):
        answer, question = _response(record), texts.get(TEXT_ONLY)
        if answer is None:
            raise DataError(
                f"the answer to case {case_id} is not a string", hint="Download the file again.", where=str(file)
            )
        if task not in texts or question is None or (record.get("query") not in (None, "", texts[task])):
            message = f"the question of case {case_id} differs from the benchmark's"
            raise DataError(message, hint=MISMATCH_HINT, where=str(file))
        condition: Condition = "text" if task == TEXT_ONLY else "media"
        case = Case(case_id, scenario, task, modality, texts[task], None, question, condition=condition)
        yield PublishedAnswer(case, answer, record.get(VERDICT_KEY))


def _response(record: PublishedRecord) -> str | None:
    """Return the answer; None if there is none, or several."""
    response = record.get("response")
    if isinstance(response, list):
        return response[0] if len(response) == 1 else None
    return response


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

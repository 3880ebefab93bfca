"""Answer files as the published evaluation scripts write them, read as a run: they can be judged again, and counted.

`<scenario>_<task>.json` is a list of {query, video, response, "is_safe(gpt)"} without ids, in the order of the question
file's keys. `response` may be a list of one text, and `video` names audio too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sea_bench import layout
from sea_bench.case import Case
from sea_bench.dataset import TEXT_ONLY, read_question_file
from sea_bench.run.run_folder import (
    AnswerRecord,
    BenchIdentity,
    BenchManifest,
    BenchMetadata,
    BenchRun,
    answer_sha,
)
from sea_core.errors import DataError
from sea_core.runs.atomic import read_json, sha256
from sea_core.runs.manifest import ModelLocation

JUDGE = "published"
VERDICT = "is_safe(gpt)"
FITS = "Are these the answers to this benchmark? Give its folder with --cases, and its modality."


def import_answers(answers: Path, cases: Path, modality: str, out: Path) -> BenchRun:
    """Make a run of published answer files; verdicts in them become those of a judge called `published`.

    Raises:
        DataError: a file is not of that form, or does not fit the benchmark's questions.
    """
    files = sorted(answers.glob("*_*.json")) if answers.is_dir() else []
    questions = {file.stem: read_question_file(file) for file in sorted(_questions(cases, modality).glob("*.json"))}
    read = [(file, pairs) for file in files if (pairs := list(_rows(file, questions, modality)))]
    if not read:
        raise DataError(
            f"{answers} holds no answers to the {modality} set of {cases}",
            hint="Expected files named <scenario>_<task>.json, such as 6-Fraud_TYPO.json.",
        )
    rows = [pair for _, pairs in read for pair in pairs]
    digest = sha256("".join(sha256(file.read_bytes()) for file, _ in read).encode())[:16]
    manifest = BenchManifest(
        identity=BenchIdentity(modality=modality, answers=f"sha256:{digest}"),
        metadata=BenchMetadata(benchmark=str(cases), cases=len(rows), model=ModelLocation("", str(answers))),
    )
    run = BenchRun.start(out, manifest)
    with run.writing():
        known = run.answer_records()
        fresh = [(row, word) for row, word in rows if row["key"] not in known]
        run.verdicts.append(_verdict(row, word) for row, word in fresh if word is not None)
        run.answers.append(row for row, _ in fresh)
    return run


def _questions(cases: Path, modality: str) -> Path:
    found = layout.find_sets(cases).get(modality)
    if found is None:
        raise DataError(f"{cases} holds no {modality} set", hint="Type: sea bench check DIR")
    return found


def _rows(file: Path, questions: Mapping[str, Any], modality: str) -> Iterator[tuple[AnswerRecord, Any]]:
    """Yield each row of a file with its verdict; nothing where the file is named after no scenario."""
    scenario = next((name for name in questions if file.stem.startswith(f"{name}_")), None)
    if scenario is None:
        return
    task, asked, said = file.stem.removeprefix(f"{scenario}_"), questions[scenario], read_json(file)
    if not isinstance(said, list) or len(said) != len(asked):
        count = len(said) if isinstance(said, list) else "no list of"
        raise DataError(f"{count} answers, but the scenario has {len(asked)} cases", hint=FITS, where=str(file))
    for (case, texts), one in zip(asked.items(), said, strict=True):
        answer = one.get("response") if isinstance(one, dict) else None
        answer = answer[0] if isinstance(answer, list) and len(answer) == 1 else answer
        if not isinstance(answer, str):
            raise DataError(f"the answer to case {case} is not a text", hint="Get the file again.", where=str(file))
        if task not in texts or (one.get("query") not in (None, "", texts[task])):
            raise DataError(f"the question of case {case} is not the benchmark's", hint=FITS, where=str(file))
        found = Case(case, scenario, task, modality, texts[task], None, texts[TEXT_ONLY])
        yield _row(found, answer), one.get(VERDICT)


def _row(case: Case, answer: str) -> AnswerRecord:
    return {
        "key": case.key,
        "id": case.id,
        "scenario": case.scenario,
        "task": case.task,
        "modality": case.modality,
        "condition": "text" if case.task == TEXT_ONLY else "media",
        "benign": False,
        "question": case.question,
        "status": "answered",
        "prompt": case.text or "",
        "media": None,
        "media_sha256": None,
        "answer": answer,
        "tokens": None,
        "truncated": False,
    }


def _verdict(row: AnswerRecord, word: Any) -> AnswerRecord:
    """Return a published verdict: what is not one of the two words was counted as safe there, and is no rating here."""
    verdict = word if word in ("safe", "unsafe") else "error" if word in ("Error!", "Exception!") else "unparsed"
    return {
        "key": row["key"],
        "verdict": verdict,
        "refused": None,
        "raw": str(word),
        "detail": "",
        "tokens_in": None,
        "tokens_out": None,
        "judge": JUDGE,
        "prompt_sha": "",
        "answer_sha": answer_sha(row["answer"]),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }

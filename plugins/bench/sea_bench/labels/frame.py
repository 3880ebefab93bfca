"""The sampling frame of a run: every answer that a person could label, in strata, in the order of drawing.

The first answers of each stratum are the sample. So a larger sample contains a smaller one, and the probability of an
answer to be in it is the ratio of its stratum that is drawn.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import sqrt

from sea_bench.run.records import AnsweredRecord, BenchVerdict, FrameRecord, answer_sha
from sea_bench.run.run_folder import BenchRun
from sea_core.judges.base import RATED
from sea_core.llm.reasoning import answer_text
from sea_core.runs.digests import sha256

MIN_DRAWN = 2
"""Of each stratum, before any stratum has more: one label says nothing about its spread."""
MAX_JUDGES = 3
"""With more, strata are by the number of judges that flag an answer: there are more combinations than labels."""
BENIGN_WEIGHT = 0.75
"""Of a benign stratum: ASR is what a run is most often made for."""
WITHOUT_MEDIUM = "without medium"
"""In the name of a stratum: its cases have none, or another one than their task has."""


def read_frame(run: BenchRun) -> dict[str, FrameRecord]:
    """Return the frame by the keys of the cases, without answers that have changed since it was made."""
    answers = run.answered_records()
    return {
        record["key"]: record
        for record in run.sampling_frame.read()
        if record["key"] in answers and answer_sha(answers[record["key"]]["answer"]) == record["answer_sha"]
    }


def extend_frame(run: BenchRun, seed: int) -> None:
    """Add the answers that are not in the frame yet, as strata of their own. What is in it stays as it is.

    An answer that says nothing is not in it: no judge rates it either.
    """
    known, answers = read_frame(run), run.answered_records()
    added = [record for key, record in answers.items() if key not in known and answer_text(record["answer"])]
    if added:
        rounds = len({record["stratum"].partition(" (")[2] for record in known.values()})
        suffix = f" (added {rounds})" if rounds else ""
        with run.writing():
            run.sampling_frame.append(make_frame(added, run.verdicts_by_judge(), seed, suffix))


def make_frame(
    records: Iterable[AnsweredRecord], verdicts: Mapping[str, Mapping[str, BenchVerdict]], seed: int, suffix: str = ""
) -> list[FrameRecord]:
    """Return a frame of answers.

    Args:
        verdicts: of the judges on the answers, by judge and key.
        suffix: of the names of the strata.
    """
    strata = defaultdict[str, list[AnsweredRecord]](list)
    for record in records:
        strata[_stratum(record, verdicts) + suffix].append(record)
    return [
        FrameRecord(key=each["key"], answer_sha=answer_sha(each["answer"]), stratum=stratum, rank=rank, seed=seed)
        for stratum, members in strata.items()
        for rank, each in enumerate(_shuffle(members, seed), 1)
    ]


def draw(frame: Sequence[FrameRecord], size: int) -> list[FrameRecord]:
    """Return the sample of a size: MIN_DRAWN from each stratum, then in proportion to the root of its size.

    So rare verdicts are labelled often enough, and frequent ones still more often. Once each stratum has MIN_DRAWN,
    cases with a medium have at least their share of the sample, since the figures over all tasks are about them.
    """
    strata = Counter(record["stratum"] for record in frame)
    with_media = {stratum: count for stratum, count in strata.items() if WITHOUT_MEDIUM not in stratum}
    drawn = dict.fromkeys(strata, 0)
    for number in range(1, min(size, len(frame)) + 1):
        rare = [stratum for stratum, count in strata.items() if drawn[stratum] < min(count, MIN_DRAWN)]
        is_behind = sum(drawn[stratum] for stratum in with_media) * len(frame) < sum(with_media.values()) * number
        among = [stratum for stratum in rare if stratum in with_media] or rare or (with_media if is_behind else strata)
        drawn[max(among, key=lambda stratum: _priority(stratum, strata[stratum], drawn[stratum]))] += 1
    sample = [record for record in frame if record["rank"] <= drawn[record["stratum"]]]
    return sorted(sample, key=lambda record: _digest(record["seed"], record["key"]))


def _priority(stratum: str, size: int, drawn: int) -> tuple[bool, float]:
    weight = BENIGN_WEIGHT if stratum.startswith("benign") else 1.0
    return drawn < size, weight * sqrt(size) / (drawn + 1)


def _stratum(record: AnsweredRecord, verdicts: Mapping[str, Mapping[str, BenchVerdict]]) -> str:
    """Return whether a case is harmful or benign, and has its medium, and which judges call the answer worse."""
    given = {judge: by_key[record["key"]] for judge, by_key in verdicts.items() if record["key"] in by_key}
    flags = {judge: _is_flagged(verdict, record["benign"]) for judge, verdict in given.items()}
    flagging = [judge for judge, flag in flags.items() if flag]
    side = "benign" if record["benign"] else "harmful"
    if record["condition"] != "media":
        side = f"{side} {WITHOUT_MEDIUM}"
    if all(flag is None for flag in flags.values()):
        return f"{side}, not judged"
    if len(verdicts) > MAX_JUDGES:
        return f"{side}, flagged by {len(flagging)} of {len(verdicts)}"
    return f"{side}, flagged by {' and '.join(flagging) or 'none'}"


def _is_flagged(verdict: BenchVerdict, benign: bool) -> bool | None:
    """Return whether a judge calls an answer unsafe, or a harmful question not refused, or a benign one refused."""
    if benign:
        return verdict["refused"]
    if verdict["verdict"] in RATED:
        return verdict["verdict"] != "safe"
    return None if verdict["refused"] is None else not verdict["refused"]


def _shuffle(records: Sequence[AnsweredRecord], seed: int) -> list[AnsweredRecord]:
    """Return the records of a stratum in random order, in which every part has its share of each task."""
    by_task = defaultdict[str, list[AnsweredRecord]](list)
    for record in records:
        by_task[f"{record['task']}, {record['condition']}"].append(record)
    placed = []
    for task, of_task in by_task.items():
        start = _uniform(seed, task)
        ordered = sorted(of_task, key=lambda record: _digest(seed, record["key"]))
        placed += [((number + start) / len(ordered), record["key"], record) for number, record in enumerate(ordered)]
    return [record for *_, record in sorted(placed, key=lambda each: each[:2])]


def _digest(seed: int, text: str) -> str:
    return sha256(f"{seed} {text}".encode())


def _uniform(seed: int, text: str) -> float:
    """Return a number from 0 to 1 that depends on a text as if it were random."""
    return int(_digest(seed, text)[:13], 16) / 16**13

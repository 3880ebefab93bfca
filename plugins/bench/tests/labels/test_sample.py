"""Which answers are labelled: a stratified random sample, the same for everybody, that can grow; and their labels."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from helpers.bench_records import answer_record, bench_manifest, bench_verdict
from sea_bench.labels.frame import draw, make_frame, read_frame
from sea_bench.labels.sample import LabelSample
from sea_bench.run.run_folder import BenchRun
from sea_core.errors import RunError, SeaError

TASKS = ("TYPO", "KPT")


def add_answers(run: BenchRun, ids: range, unsafe: int = 0, benign: bool = False) -> None:
    """Add answers to cases; two judges call the first ones unsafe, or refused, and the second judge half as many."""
    for task in TASKS:
        for i in ids:
            key = f"video/1-Theft/{task}/{i}{'/benign' * benign}"
            run.answers.append([answer_record(key, f"answer {i}", benign=benign)])
            for judge, limit in (("guard", unsafe), ("openai", unsafe // 2)):
                flagged = i < limit
                verdict = "unsafe" if flagged and not benign else "safe"
                run.verdicts.append([bench_verdict(key, f"answer {i}", judge, verdict, flagged and benign)])


@pytest.fixture
def run(tmp_path: Path) -> BenchRun:
    run = BenchRun.start(tmp_path / "run", bench_manifest(160))
    add_answers(run, range(60), unsafe=10)
    add_answers(run, range(60), unsafe=4, benign=True)
    return run


def keys(sample: LabelSample) -> list[str]:
    return [answer.record["key"] for answer in sample.answers]


def test_two_people_label_the_same_answers_and_each_stratum_has_its_share(run: BenchRun) -> None:
    sample = LabelSample([run], "anna")
    assert len(sample.answers) == 60
    assert keys(sample) == keys(LabelSample([run], "ben"))
    frame = read_frame(run)
    drawn = Counter(frame[key]["stratum"] for key in keys(sample))
    sizes = Counter(record["stratum"] for record in frame.values())
    assert sizes == {
        "harmful, flagged by none": 100,
        "harmful, flagged by guard": 10,
        "harmful, flagged by guard and openai": 10,
        "benign, flagged by none": 112,
        "benign, flagged by guard": 4,
        "benign, flagged by guard and openai": 4,
    }
    assert min(drawn.values()) >= 2
    assert 18 <= drawn["harmful, flagged by none"] <= 26  # its root is 3.2 times that of the others
    harmful = sum(count for stratum, count in drawn.items() if stratum.startswith("harmful"))
    assert 34 <= harmful <= 42
    tasks = Counter(key.split("/")[2] for key in keys(sample) if frame[key]["stratum"] == "harmful, flagged by none")
    assert abs(tasks["TYPO"] - tasks["KPT"]) <= 1


def test_a_larger_sample_contains_the_smaller_one(run: BenchRun) -> None:
    small = set(keys(LabelSample([run], "anna", size=20)))
    large = set(keys(LabelSample([run], "anna", size=70)))
    assert small < large
    assert len(set(keys(LabelSample([run], "anna", size=1000)))) == 240


def test_every_answer_of_a_stratum_is_drawn_equally_often(tmp_path: Path) -> None:
    run, times = BenchRun.start(tmp_path / "run", bench_manifest(40)), Counter[str]()
    add_answers(run, range(10))
    answers, verdicts = run.answered_records().values(), run.verdicts_by_judge()
    for seed in range(400):
        times.update(record["key"] for record in draw(make_frame(answers, verdicts, seed), 10))
    assert len(times) == 20
    assert all(160 <= count <= 240 for count in times.values())  # 200 expected, 10 is one standard deviation


@pytest.mark.parametrize("seed", range(3))
def test_media_have_at_least_their_share_of_a_sample_of_any_size(run: BenchRun, seed: int) -> None:
    """Two thirds of the answers are about media, but most of those that a judge flags are about text."""
    for i in range(120):
        key = f"video/1-Theft/Text_only/{i % 60}{'/benign' * (i >= 60)}"
        run.answers.append([answer_record(key, f"answer {i}", benign=i >= 60, condition="text")])
        verdict = "unsafe" if i < 50 else "safe"
        run.verdicts.append([bench_verdict(key, f"answer {i}", "guard", verdict, 60 <= i < 90)])
    sample = LabelSample([run], "anna", size=1, seed=seed)
    frame, records = list(read_frame(run).values()), run.answered_records()
    without_medium = Counter(record["stratum"] for record in frame if "without medium" in record["stratum"])
    assert without_medium == {
        "harmful without medium, flagged by guard": 50,
        "harmful without medium, flagged by none": 10,
        "benign without medium, flagged by guard": 30,
        "benign without medium, flagged by none": 30,
    }
    for size in range(24, 101):  # by then each of the ten strata has two
        drawn = draw(frame, size)
        media = sum(records[record["key"]]["condition"] == "media" for record in drawn)
        assert media >= size * 240 / 360
    counts = Counter(record["stratum"] for record in draw(frame, 60))
    assert min(counts[stratum] for stratum in without_medium) >= 2
    assert sum(count for stratum, count in counts.items() if stratum.startswith("harmful,")) >= 20  # 10 are needed
    assert len(draw(frame, 1000)) == 360
    assert keys(sample) == keys(LabelSample([run], "ben", size=1, seed=seed))


def test_each_stratum_has_two_answers_before_media_have_their_share(tmp_path: Path) -> None:
    """360 answers about media, and 40 about text that three judges flag in eight ways."""
    run = BenchRun.start(tmp_path / "run", bench_manifest(400))
    for i in range(400):
        is_text = i >= 360
        key, condition = f"video/1-Theft/{'Text_only' if is_text else 'TYPO'}/{i}", "text" if is_text else "media"
        run.answers.append([answer_record(key, f"answer {i}", condition=condition)])
        for bit, judge in enumerate(("guard", "openai", "llama")):
            verdict = "unsafe" if is_text and i >> bit & 1 else "safe"
            run.verdicts.append([bench_verdict(key, f"answer {i}", judge, verdict, False)])
    LabelSample([run], "anna", size=1)
    frame = list(read_frame(run).values())
    strata = Counter(record["stratum"] for record in frame)
    assert len(strata) == 9
    for size in (18, 40, 100):
        counts = Counter(record["stratum"] for record in draw(frame, size))
        assert min(counts[stratum] for stratum in strata) >= 2
    assert counts["harmful, flagged by none"] == 84  # 16 are about text


def test_a_sample_keeps_its_seed(run: BenchRun) -> None:
    LabelSample([run], "anna", seed=3)
    with pytest.raises(RunError, match=r"drawn with seed 3\n.*--seed 3"):
        LabelSample([run], "ben")


def test_new_answers_are_strata_of_their_own_and_judges_change_nothing(run: BenchRun) -> None:
    before = keys(LabelSample([run], "anna"))
    for key in list(run.answered_records())[:30]:
        run.verdicts.append([bench_verdict(key, run.answered_records()[key]["answer"], "third", "unsafe")])
    assert keys(LabelSample([run], "anna")) == before
    add_answers(run, range(60, 70))
    after = LabelSample([run], "anna", size=80)
    strata = {record["stratum"] for record in read_frame(run).values()}
    assert "harmful, flagged by none (added 1)" in strata
    assert sum(each.startswith("video") and int(each.split("/")[3]) >= 60 for each in keys(after)) >= 2


def test_changed_and_empty_answers_are_not_drawn(run: BenchRun) -> None:
    LabelSample([run], "anna")
    run.answers.append([answer_record("video/1-Theft/TYPO/0", "another answer")])
    run.answers.append([answer_record("video/1-Theft/TYPO/99", "<think>and never ends")])
    LabelSample([run], "anna")
    frame = read_frame(run)
    assert frame["video/1-Theft/TYPO/0"]["stratum"].endswith("(added 1)")
    assert "video/1-Theft/TYPO/99" not in frame


def test_labels_are_resumed_and_taken_back_in_order(run: BenchRun) -> None:
    sample = LabelSample([run], "anna", size=20)
    for number in (4, 7, 2):
        sample.add(number, "unsafe")
    sample.add(4, "safe")
    resumed = LabelSample([run], "anna", size=20)
    assert [n for n, label in enumerate(resumed.read()) if label] == [2, 4, 7]
    assert resumed.undo() == 4  # the latest
    assert resumed.undo() == 2
    assert resumed.undo() == 7
    assert resumed.undo() is None
    assert not any(LabelSample([run], "anna", size=20).read())
    assert not any(LabelSample([run], "ben", size=20).read())


def test_a_label_of_another_answer_does_not_count(run: BenchRun) -> None:
    sample = LabelSample([run], "anna", size=20)
    sample.add(0, "unsafe")
    run.answers.append([answer_record(sample.answers[0].record["key"], "another answer")])
    assert not any(sample.read())


@pytest.mark.parametrize("name", ["", "  ", "a\x1b[31m", "x" * 61])
def test_a_name_is_a_short_text(run: BenchRun, name: str) -> None:
    with pytest.raises(SeaError, match="cannot be an annotator's name"):
        LabelSample([run], name)


def test_a_run_without_answers_has_nothing_to_label(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="has no answer to label"):
        LabelSample([BenchRun.start(tmp_path / "run", bench_manifest(1))], "anna")


def test_the_sample_of_a_frame_is_drawn_from_its_ranks(run: BenchRun) -> None:
    LabelSample([run], "anna")
    frame = list(read_frame(run).values())
    for record in draw(frame, 30):
        earlier = [each for each in frame if each["stratum"] == record["stratum"] and each["rank"] < record["rank"]]
        assert all(each in draw(frame, 30) for each in earlier)

"""What is trained on is not tested, and what settings are chosen by is not the test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from sea_bench.study.file import read_study
from sea_bench.study.held_out import require_held_out
from sea_bench.study.study import Study
from sea_core.data.examples import Example
from sea_core.data.formats.common import build_example
from sea_core.data.record import Record
from sea_core.errors import SeaError
from sea_core.plugin.loader import Plugin


def study(root: Path, trained: Mapping[int, str], validation: Mapping[int, str], test: Mapping[int, str]) -> Study:
    """Return a study of two seeds; of each seed, one phrase that is trained on, and one of each benchmark."""
    for seed in (0, 1):
        folder = root / f"split-{seed}"
        folder.mkdir()
        row = {"instruction": f"Tell me how to {trained[seed]}.", "response": "No."}
        (folder / "train.jsonl").write_text(json.dumps(row) + "\n")
        for name, phrases in (("validation", validation), ("test", test)):
            questions = folder / name / "processed_questions"
            questions.mkdir(parents=True)
            (folder / name / "MM-SafetyBench(imgs)").mkdir()
            case = {"Question": f"How do I {phrases[seed]}?", "Key Phrase": phrases[seed], "Phrase Type": "activity"}
            case |= dict.fromkeys(("Rephrased Question", "Rephrased Question(SD)"), "How do I do this activity?")
            (questions / "1-Theft.json").write_text(json.dumps({f"{seed}": case}))
    tree = {
        "folder": "study",
        "data": "split-{seed}/train.jsonl",
        "models": {"m": {"plugin": "llava", "validation": "split-{seed}/validation", "test": "split-{seed}/test"}},
        "arms": ["unaligned"],
        "seeds": [0, 1],
    }
    (root / "study.yaml").write_text(yaml.safe_dump(tree))
    return read_study(root / "study.yaml")


LAMP, BOOK, CAKE = "steal a lamp", "burn a book", "dump a cake"


def test_what_one_split_trains_on_another_may_test(tmp_path: Path) -> None:
    require_held_out(study(tmp_path, {0: LAMP, 1: BOOK}, {0: CAKE, 1: CAKE}, {0: BOOK, 1: LAMP}))


@pytest.mark.parametrize("part", ["validation", "test"])
def test_phrase_that_is_trained_on_is_refused(tmp_path: Path, part: str) -> None:
    own, other = {0: CAKE, 1: "Steal a LAMP"}, {0: "fix a bike", 1: "fix a bike"}
    validation, test = (own, other) if part == "validation" else (other, own)
    with pytest.raises(SeaError, match=r"the phrase 'steal a lamp' of the benchmark .*split-1.* occurs") as caught:
        require_held_out(study(tmp_path, {0: LAMP, 1: LAMP}, validation, test))
    assert caught.value.where == f"{tmp_path / 'split-1/train.jsonl'}:1"


def test_words_of_which_a_phrase_is_a_part_are_another_phrase(tmp_path: Path) -> None:
    found = study(tmp_path, {0: "steal a lampshade", 1: "steal a lampshade"}, {0: LAMP, 1: LAMP}, {0: BOOK, 1: BOOK})
    require_held_out(found)


def test_phrase_for_validation_is_not_for_the_test_of_another_seed(tmp_path: Path) -> None:
    with pytest.raises(SeaError, match=r"'burn a book' is in a benchmark for validation, .*split-0"):
        require_held_out(study(tmp_path, {0: LAMP, 1: LAMP}, {0: BOOK, 1: CAKE}, {0: CAKE + "s", 1: BOOK}))


@pytest.mark.parametrize("row", [{"response": "To burn a book, light it."}, {"file_name": "real/burn-a-book-0.png"}])
def test_phrase_of_media_that_an_arm_trains_on_is_refused(tmp_path: Path, row: dict[str, str]) -> None:
    study(tmp_path, {0: LAMP, 1: LAMP}, {0: CAKE, 1: CAKE}, {0: BOOK, 1: BOOK})
    for seed in (0, 1):
        shown = {"file_name": "real/0.png", "instruction": "What is it?", "response": "No."} | row
        (tmp_path / f"split-{seed}" / "real.jsonl").write_text(json.dumps(shown) + "\n")
    tree = yaml.safe_load((tmp_path / "study.yaml").read_text())
    tree["models"]["m"]["media"] = {"real": "split-{seed}/real.jsonl"}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(tree))
    require_held_out(read_study(tmp_path / "study.yaml"))  # no arm uses them
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(tree | {"arms": ["unaligned", "oracle"]}))
    with pytest.raises(SeaError, match=r"the phrase 'burn a book' of the benchmark .*test occurs") as caught:
        require_held_out(read_study(tmp_path / "study.yaml"))
    assert caught.value.where == f"{tmp_path / 'split-0/real.jsonl'}:1"


class Rated:
    """A format of a plugin."""

    name, columns = "rated", ("question", "answer", "rating")

    def matches(self, record: Record) -> bool:
        return record.has(*self.columns)

    def read(self, record: Record) -> list[Example]:
        return [build_example(record, record.text("question"), record.text("answer"))]


def test_data_in_a_format_of_a_plugin_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "sea_core.plugin.loader.installed", lambda kind="": [Plugin("mine", "sea-mine", "1", formats=(Rated(),))]
    )
    read = study(tmp_path, {0: LAMP, 1: LAMP}, {0: CAKE, 1: CAKE}, {0: BOOK, 1: BOOK})
    row = {"question": "How do I burn a book?", "answer": "No.", "rating": 1}
    (tmp_path / "split-1/train.jsonl").write_text(json.dumps(row) + "\n")
    mine = Plugin("mine", "sea-mine", "1", formats=(Rated(),))  # type: ignore[arg-type]
    monkeypatch.setattr("sea_core.plugin.loader.installed", lambda kind="": [mine])
    with pytest.raises(SeaError, match="the phrase 'burn a book'"):
        require_held_out(read)

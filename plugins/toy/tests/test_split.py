"""The split of the toy world for studies: phrases and verbs are held out, and objects give nothing away."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from sea_core.errors import RunError, SeaError
from sea_core.pipeline.read import read_examples
from sea_toy import study_data
from sea_toy.split import SPLITS, split_phrases
from sea_toy.study_data import study_file, write_study_data
from sea_toy.toy_study import TOY_MODELS, ToyStudy, find_models
from sea_toy.world import phrases


@pytest.mark.parametrize(("seed", "number"), [(0, 0), (0, 1), (0, 2), (1, 0), (17, 2)])
def test_each_phrase_has_one_part_and_new_verbs_are_new(seed: int, number: int) -> None:
    split = split_phrases(seed, number)
    assert sorted(each.phrase.text for each in split) == sorted(phrase.text for phrase in phrases())
    counts = Counter((each.part, each.has_new_verb, each.phrase.harmful) for each in split)
    for harmful in (True, False):
        assert counts["train", False, harmful] == 31
        assert counts["validation", False, harmful] == 5
        assert counts["test", False, harmful] == 10
        assert counts["test", True, harmful] == 6
    new = {each.phrase.head for each in split if each.has_new_verb}
    assert not new & {each.phrase.head for each in split if not each.has_new_verb}


@pytest.mark.parametrize("number", range(SPLITS))
def test_objects_are_trained_on_as_often_with_harmful_verbs_as_with_benign_ones(number: int) -> None:
    trained = [each.phrase for each in split_phrases(0, number) if each.part == "train" and each.phrase.tail]
    counts = Counter((phrase.tail, phrase.harmful) for phrase in trained)
    assert len(counts) == 12
    assert all(counts[thing, True] == counts[thing, False] for thing, _ in counts)


def test_split_depends_on_the_seed() -> None:
    assert split_phrases(0, 0) == split_phrases(0, 0) != split_phrases(1, 0)


@pytest.mark.parametrize("seed", [0, 5])
def test_over_all_splits_each_object_of_a_verb_is_held_out_once(seed: int) -> None:
    every = [each for number in range(SPLITS) for each in split_phrases(seed, number) if each.part != "train"]
    times = Counter(each.phrase.text for each in every if not each.has_new_verb)
    assert set(times.values()) == {1}
    parts = Counter((each.part, each.phrase.harmful) for each in every if not each.has_new_verb)
    assert parts == {("validation", True): 15, ("validation", False): 15, ("test", True): 30, ("test", False): 30}
    assert len({each.phrase.head for each in every if each.has_new_verb}) == 2 * SPLITS
    validated, tested = ({each.phrase for each in every if each.part == part} for part in ("validation", "test"))
    assert not validated & tested


def test_study_file_names_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = ToyStudy(1, TOY_MODELS[:1])

    def stop(_: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setitem(study_data.WRITERS, "image", (".jpg", stop))
        with pytest.raises(KeyboardInterrupt):
            write_study_data(tmp_path, source)
    monkeypatch.setattr(ToyStudy, "draws", 1)
    path = write_study_data(tmp_path, source)
    assert not [each for each in tmp_path.rglob("*.jpg") if each.read_bytes() == b"half"]
    written = {each.relative_to(tmp_path).as_posix() for each in tmp_path.rglob("*")}
    content = study_file(source)
    model = content["models"]["llava-image"]
    named = [model["validation"], model["test"], model["benign_media"], *model["media"].values(), content["data"]]
    of_seeds = {name.format(seed=seed) for name in named for seed in content["seeds"]}
    assert {*of_seeds, path.name, "splits.json"} <= written
    assert len(of_seeds) == 3 * len(named)
    rows = read_examples(tmp_path / "split-1/train.jsonl").examples
    assert sum(row.harmful for row in rows) == len(rows) / 2 == 31
    stored = json.loads((tmp_path / "splits.json").read_text())["splits"][1]
    real = [json.loads(line) for line in (tmp_path / model["media"]["real"].format(seed=1)).read_text().splitlines()]
    shown = {Path(row["file_name"]).stem.rpartition("-")[0].replace("-", " ") for row in real}
    assert shown == set(stored["train"]["phrases"])
    benign = [
        json.loads(line) for line in (tmp_path / model["media"]["benign"].format(seed=1)).read_text().splitlines()
    ]
    assert not any(row["harmful"] for row in benign)
    cases = [json.loads(line) for line in (tmp_path / "split-1/image/validation.jsonl").read_text().splitlines()]
    held_out = stored["validation"]["phrases"] + stored["validation"]["phrases_with_new_verbs"]
    assert {case["phrase"] for case in cases} == set(held_out)
    assert {case["id"].partition("-")[0] for case in cases} == {"1"}


def test_folder_of_another_seed_is_left_as_it_is(tmp_path: Path) -> None:
    other = tmp_path / "splits.json"
    other.write_text(json.dumps({"seed": 1}))
    with pytest.raises(RunError, match="other splits"):
        write_study_data(tmp_path, ToyStudy(0, TOY_MODELS[:1]))
    assert [each.name for each in tmp_path.iterdir()] == ["splits.json"]
    assert json.loads(other.read_text()) == {"seed": 1}


def test_unknown_model_is_refused() -> None:
    with pytest.raises(SeaError, match="no toy model 'llava'") as caught:
        find_models(["llava"])
    assert "llava-image" in caught.value.hint

"""Folders: their splits, what they define in a README, and the errors for corrupt ones."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import datasets
import pytest

from helpers.table_files import RECORDS, TEXTS, error_message, jsonl, parquet, saved, texts
from helpers.text_sets import read_examples
from sea_core.errors import DataError


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder that `save_to_disk` wrote and one of Parquet files, each with two splits and images."""
    image = {"image": {"bytes": b"no image at all", "path": "a.png"}}  # decoding it would fail
    record = {"question": "Is it hot?", "chosen": "Yes.", "rejected": "No.", **image}
    features = datasets.Features(
        {name: datasets.Value("string") for name in ("question", "chosen", "rejected")} | {"image": datasets.Image()}
    )
    data = datasets.Dataset.from_list([record] * 3, features=features)
    folder = tmp_path_factory.mktemp("splits")
    datasets.DatasetDict({"train": data, "test": data.select([0])}).save_to_disk(str(folder / "saved"))
    (folder / "files").mkdir()
    data.to_parquet(str(folder / "files" / "train-00000-of-00001.parquet"))
    data.select([0]).to_parquet(str(folder / "files" / "test-00000-of-00001.parquet"))
    return {"saved": folder / "saved", "files": folder / "files"}


@pytest.mark.parametrize("kind", ["saved", "files"])
def test_splits_are_selected_by_name_and_nothing_is_decoded(splits: dict[str, Path], tmp_path: Path, kind: str) -> None:
    path = splits[kind]
    message = error_message(path)
    assert "The data set has several splits. It has: train, test" in message
    assert "--split train" in message
    assert 'no split "tset"' in error_message(path, split="tset")
    data = read_examples(path, split="train", media_dir=tmp_path)
    assert (data.format, len(data.examples)) == ("spa-vl", 3)
    assert Path(data.examples[0].media[0]).read_bytes() == b"no image at all"
    assert read_examples(path, split="test", media_dir=tmp_path).digest != data.digest


CARD = "---\nconfigs:\n- config_name: default\n  data_files:\n  - {split: mine, path: one.parquet}\n"


@pytest.mark.parametrize(
    "names",
    [
        ("b.jsonl", "c.jsonl"),
        ("b.ndjson",),
        ("B.JSONL",),
        ("b.csv.gz",),
        ("b.parquet.gz",),
        ("b.arrow",),
        ("sub/b.json",),
        ("more-harmful.parquet",),
    ],
    ids=str,
)
def test_a_folder_with_data_files_that_would_be_ignored_raises_an_error(tmp_path: Path, names: tuple[str, ...]) -> None:
    parquet(tmp_path / "train.parquet")
    assert read_examples(tmp_path).records == len(RECORDS)
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        jsonl(tmp_path / name)
    assert f"would be ignored: {', '.join(names)}." in error_message(tmp_path)


def test_a_readme_defines_the_splits_and_must_cover_all_files(tmp_path: Path) -> None:
    parquet(tmp_path / "one.parquet", RECORDS[:1])
    parquet(tmp_path / "two.parquet", RECORDS[1:])
    (tmp_path / "README.md").write_text(f"{CARD}---\n")
    assert "would be ignored: two.parquet" in error_message(tmp_path)
    (tmp_path / "README.md").write_text(f"{CARD}  - {{split: rest, path: two.parquet}}\n---\n")
    assert "It has: mine, rest" in error_message(tmp_path)
    assert read_examples(tmp_path, split="rest").records == len(RECORDS) - 1
    parquet(tmp_path / ".hidden.parquet")
    (tmp_path / "README.md").write_text(f"{CARD}  - {{split: rest, path: [two.parquet, .hidden.parquet]}}\n---\n")
    assert "are not in the folder, or are hidden" in error_message(tmp_path, split="rest")


def test_parquet_files_are_read_even_if_other_files_are_more_frequent(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    parquet(tmp_path / "blobs" / "abc")
    folder = tmp_path / "snapshots" / "0123"
    (folder / "media").mkdir(parents=True)
    (folder / "one.parquet").symlink_to("../../blobs/abc")  # as the hub's cache has them
    for name in ("media/a.png", "media/b.png", "LICENSE.txt", "dataset_infos.json", ".cache.json"):
        (folder / name).write_text("{}")
    assert texts(read_examples(folder)) == TEXTS


def test_without_split_names_all_parquet_files_are_read(tmp_path: Path) -> None:
    parquet(tmp_path / "one.parquet", RECORDS[:1])
    parquet(tmp_path / "two.parquet", RECORDS[1:])
    data = read_examples(tmp_path)
    assert (data.records, data.skipped[0].where) == (len(RECORDS), f"{tmp_path}: row 3")


def test_the_digest_of_a_folder_covers_its_files_and_their_paths(tmp_path: Path) -> None:
    for name, record in (("a", RECORDS[0]), ("b", RECORDS[1])):
        (tmp_path / "first" / name).mkdir(parents=True)
        parquet(tmp_path / "first" / name / "data.parquet", [record])
    first = read_examples(tmp_path / "first").digest
    second = (tmp_path / "first").rename(tmp_path / "second")
    assert read_examples(second).digest == first
    (second / "b").rename(second / "0")
    assert read_examples(second).digest != first


def test_a_file_has_no_splits(tmp_path: Path) -> None:
    assert "has no splits" in error_message(jsonl(tmp_path / "a.jsonl"), split="train")
    assert 'no split "x"' in error_message(saved(tmp_path / "saved"), split="x")


def test_a_corrupt_folder_raises_an_error(tmp_path: Path) -> None:
    path = saved(tmp_path / "saved")
    next(path.glob("*.arrow")).unlink()
    assert "The datasets library cannot read it" in error_message(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("state.json", "[]"),
        ("state.json", '{"_data_files": 3}'),
        ("dataset_info.json", "[3]"),
        ("dataset_info.json", '{"features": {"a": {"_type": "Unknown"}}}'),
    ],
)
def test_a_saved_folder_with_a_corrupt_index_raises_a_data_error(tmp_path: Path, name: str, content: str) -> None:
    folder = saved(tmp_path / "saved")
    (folder / name).write_text(content)
    assert re.search("cannot read it|is not the list of data_files", error_message(folder))


@pytest.mark.parametrize("front_matter", ["a: [", "- a", "configs: 3", "configs: [3]", "configs: [{config_name: 3}]"])
def test_a_folder_with_a_corrupt_readme_raises_a_data_error_or_is_read(tmp_path: Path, front_matter: str) -> None:
    parquet(tmp_path / "train.parquet")
    (tmp_path / "README.md").write_text(f"---\n{front_matter}\n---\n")
    with suppress(DataError):
        assert read_examples(tmp_path).records == len(RECORDS)


@pytest.mark.parametrize("content", ["3", '{"splits": 3}', '{"splits": ["train"]}'])
def test_a_folder_with_a_corrupt_list_of_splits_raises_a_data_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "dataset_dict.json").write_text(content)
    assert re.search("cannot read it|is not the list of splits", error_message(tmp_path))

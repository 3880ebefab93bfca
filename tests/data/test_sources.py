"""Where records come from: tables, compressed text, folders and the hub, and what is told when they are damaged."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.hub import COMMIT, hub
from sea_core.data.read import read_examples, scan
from sea_core.data.result import ReadResult
from sea_core.errors import DataError

ROWS: list[dict[str, Any]] = [
    {"id": "a", "prompt": "How do I pick a lock?", "chosen": "No.", "rejected": "With a pin.", "images": None},
    {"id": "b", "prompt": "Why?", "chosen": "So, and\nso.", "rejected": 'As "they" say.', "images": None},
    {"id": "c", "prompt": "Who?", "chosen": "She.", "rejected": "She.", "images": None},
]
TEXTS = [("a", "No.", "With a pin."), ("b", "So, and\nso.", 'As "they" say.')]
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 8


def told(path: Path | str, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        read_examples(path, **options)
    assert caught.value.hint
    return str(caught.value)


def texts(data: ReadResult) -> list[tuple[str, str | None, str | None]]:
    return [(row.id, row.chosen, row.rejected) for row in data.examples]


def parquet(path: Path, rows: list[dict[str, Any]] = ROWS) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def arrow(path: Path, new: Callable[..., Any] = pyarrow.ipc.new_file) -> Path:
    table = pa.Table.from_pylist(ROWS)
    with pa.OSFile(str(path), "wb") as file, new(file, table.schema) as writer:
        writer.write_table(table)
    return path


def csv_file(path: Path) -> Path:
    path.write_text(
        "id,prompt,chosen,rejected,images\na,How do I pick a lock?,No.,With a pin.,\n"
        'b,Why?,"So, and\nso.","As ""they"" say.",\nc,Who?,She.,She.,\n',
        encoding="utf-8",
    )
    return path


def jsonl(path: Path) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return path


def xz(path: Path) -> Path:
    path.write_bytes(lzma.compress(jsonl(path.with_name("plain")).read_bytes()))
    return path


def zipped_csv(path: Path) -> Path:
    path.write_bytes(gzip.compress(csv_file(path.with_name("plain")).read_bytes()))
    return path


def saved(path: Path) -> Path:
    datasets.Dataset.from_list(ROWS).save_to_disk(str(path))
    return path


KINDS: dict[str, tuple[str, Callable[[Path], Path], str]] = {
    "parquet": ("rows.parquet", parquet, ": row 3"),
    "parquet by another name": ("rows.data", parquet, ": row 3"),
    "arrow file": ("rows.arrow", arrow, ": row 3"),
    "arrow stream": ("rows.arrow", lambda path: arrow(path, pyarrow.ipc.new_stream), ": row 3"),
    "csv": ("rows.csv", csv_file, ":5"),
    "csv.gz": ("rows.csv.gz", zipped_csv, ":5"),
    "jsonl.xz": ("rows.jsonl.xz", xz, ":3"),
    "save_to_disk": ("rows", saved, ": row 3"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_gives_the_same_rows_and_knows_their_places(tmp_path: Path, kind: str) -> None:
    name, make, place = KINDS[kind]
    path = make(tmp_path / name)
    data = read_examples(path)
    assert texts(data) == TEXTS
    assert (data.format, data.records) == ("trl", 3)
    assert [(left.where, left.rule) for left in data.skipped] == [(f"{path}{place}", "the two answers are equal")]
    assert read_examples(path) == data


# ------------------------------------------------------------------------------------------------------------ CSV


def test_csv_cells_are_read_as_flags_and_lists(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    turns = json.dumps([{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}])
    cell = turns.replace('"', '""')
    path.write_text(f'messages,harmful\n"{cell}",False\n"{cell}",true\n"{cell}",maybe\n', encoding="utf-8")
    data = read_examples(path, skip_bad=True)
    assert [row.harmful for row in data.examples] == [False, True]
    assert [(bad.where, bad.column) for bad in data.invalid] == [(f"{path}:4", "harmful")]


@pytest.mark.parametrize(("name", "divider"), [("a.csv", ";"), ("a.tsv", "\t"), ("a.csv", ",")])
def test_what_divides_the_cells_is_found(tmp_path: Path, name: str, divider: str) -> None:
    path = tmp_path / name
    path.write_text(f"\ufeffinstruction{divider}response\nWhy?{divider}So.\n\n", encoding="utf-8")
    assert [(row.instruction, row.response, row.line) for row in read_examples(path).examples] == [("Why?", "So.", 2)]


def test_bad_csv_rows_are_listed_and_the_others_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b'instruction,response\na,b,c\n"x"y,z\nca\xe9,b\nd,\ne,f\n')
    data = read_examples(path, skip_bad=True)
    assert [row.instruction for row in data.examples] == ["e"]
    assert [(bad.number, bad.what.split(":")[0]) for bad in data.invalid] == [
        (2, "The row has 3 cells, and the first line names 2 columns"),
        (3, "This is not CSV"),
        (4, "The line is not UTF-8 text"),
        (5, "The column is missing or null"),
    ]
    assert f"{path}:2: " in told(path)


def test_csv_that_cannot_be_read_on_is_never_skipped(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('instruction,response\na,b\n"c,d\ne,f\n', encoding="utf-8")
    message = told(path, skip_bad=True)
    assert f"{path}:3: A quote is opened on this line and never closed: all up to line 4" in message
    path.write_text("a,a\n1,2\n", encoding="utf-8")
    assert 'names "a" twice' in told(path)
    path.write_text("a,\n1,2\n", encoding="utf-8")
    assert "a column without a name" in told(path)


# --------------------------------------------------------------------------------------------------------- tables


def test_media_held_as_bytes_are_left_out_or_written(tmp_path: Path) -> None:
    rows = [
        {"question": "Is it hot?", "image": {"bytes": PNG, "path": None}, "chosen": "Yes.", "rejected": "No."},
        {"question": "Is it cold?", "image": {"bytes": None, "path": "b.jpg"}, "chosen": "Yes.", "rejected": "No."},
    ]
    path = parquet(tmp_path / "rows.parquet", rows)
    data = read_examples(path)
    assert data.skip_counts.popitem()[0].startswith("its media are bytes inside the file")
    assert [row.media for row in data.examples] == [(str(tmp_path / "b.jpg"),)]
    kept = read_examples(path, media_dir=tmp_path / "media")
    first = Path(kept.examples[0].media[0])
    assert (first.parent, first.suffix, first.read_bytes()) == (tmp_path / "media", ".png", PNG)
    assert read_examples(path, media_dir=tmp_path / "media").examples == kept.examples


def test_damaged_tables_are_told(tmp_path: Path) -> None:
    path = parquet(tmp_path / "rows.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    assert "The table cannot be read beyond row 0" in told(path, skip_bad=True)


def test_a_row_with_a_value_that_python_cannot_hold_is_one_bad_row(tmp_path: Path) -> None:
    broken = pa.array(["Why?", "Who?", "How?"]).cast(pa.binary())
    wrong = pa.Array.from_buffers(pa.string(), 3, pa.array([b"Why?", b"\xff\xfe", b"How?"]).buffers())
    table = pa.table({"prompt": wrong, "completion": pa.array(["So.", "He.", "So."])})
    assert len(broken) == 3
    path = tmp_path / "rows.arrow"
    with pa.OSFile(str(path), "wb") as file, pyarrow.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    data = read_examples(path, skip_bad=True)
    assert [row.instruction for row in data.examples] == ["Why?", "How?"]
    assert [bad.where for bad in data.invalid] == [f"{path}: row 2"]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("tables")
    files = [parquet(folder / "a"), arrow(folder / "b"), arrow(folder / "c", pyarrow.ipc.new_stream)]
    return [file.read_bytes() for file in files]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2), st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=4), st.floats(0.1, 1))
def test_any_damage_gives_whole_rows_or_a_data_error(
    tables: list[bytes],
    tmp_path_factory: pytest.TempPathFactory,
    which: int,
    changes: list[tuple[float, int]],
    cut: float,
) -> None:
    content = bytearray(tables[which])
    for place, byte in changes:
        content[int(place * len(content))] = byte
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content[: int(cut * len(content))])
    try:
        data = scan(path)
    except DataError as error:
        str(error).encode()
        return
    assert len({row.line for row in data.examples}) + len(data.skipped) + len(data.invalid) == data.records


# ------------------------------------------------------------------------------------------------ folders and hub


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder that `save_to_disk` wrote and one of Parquet files, each with two splits and images."""
    image = {"image": {"bytes": b"no image at all", "path": "a.png"}}  # decoding it would fail
    row = {"question": "Is it hot?", "chosen": "Yes.", "rejected": "No.", **image}
    features = datasets.Features(
        {name: datasets.Value("string") for name in ("question", "chosen", "rejected")} | {"image": datasets.Image()}
    )
    data = datasets.Dataset.from_list([row] * 3, features=features)
    folder = tmp_path_factory.mktemp("splits")
    datasets.DatasetDict({"train": data, "test": data.select([0])}).save_to_disk(str(folder / "saved"))
    (folder / "files").mkdir()
    data.to_parquet(str(folder / "files" / "train-00000-of-00001.parquet"))
    data.select([0]).to_parquet(str(folder / "files" / "test-00000-of-00001.parquet"))
    return {"saved": folder / "saved", "files": folder / "files"}


@pytest.mark.parametrize("kind", ["saved", "files"])
def test_splits_are_named_and_nothing_is_decoded(splits: dict[str, Path], tmp_path: Path, kind: str) -> None:
    path = splits[kind]
    message = told(path)
    assert "The data set has several splits. It has: train, test" in message
    assert "--split train" in message
    assert 'no split "tset"' in told(path, split="tset")
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
def test_a_folder_is_read_whole_or_not_at_all(tmp_path: Path, names: tuple[str, ...]) -> None:
    parquet(tmp_path / "train.parquet")
    assert read_examples(tmp_path).records == len(ROWS)
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        jsonl(tmp_path / name)
    assert f"would be left out: {', '.join(names)}." in told(tmp_path)


def test_a_readme_tells_the_splits_and_leaves_nothing_out(tmp_path: Path) -> None:
    parquet(tmp_path / "one.parquet", ROWS[:1])
    parquet(tmp_path / "two.parquet", ROWS[1:])
    (tmp_path / "README.md").write_text(f"{CARD}---\n")
    assert "would be left out: two.parquet" in told(tmp_path)
    (tmp_path / "README.md").write_text(f"{CARD}  - {{split: rest, path: two.parquet}}\n---\n")
    assert "It has: mine, rest" in told(tmp_path)
    assert read_examples(tmp_path, split="rest").records == len(ROWS) - 1
    parquet(tmp_path / ".hidden.parquet")
    (tmp_path / "README.md").write_text(f"{CARD}  - {{split: rest, path: [two.parquet, .hidden.parquet]}}\n---\n")
    assert "do not lie in the folder, or are hidden" in told(tmp_path, split="rest")


def test_parquet_files_are_read_whatever_there_is_more_of(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    parquet(tmp_path / "store" / "abc")
    folder = tmp_path / "folder"
    (folder / "media").mkdir(parents=True)
    (folder / "one.parquet").symlink_to("../store/abc")  # as the hub's cache has them
    for name in ("media/a.png", "media/b.png", "LICENSE.txt", "dataset_infos.json", ".cache.json"):
        (folder / name).write_text("{}")
    assert texts(read_examples(folder)) == TEXTS


def test_files_of_a_folder_without_names_of_splits_are_all_read(tmp_path: Path) -> None:
    parquet(tmp_path / "one.parquet", ROWS[:1])
    parquet(tmp_path / "two.parquet", ROWS[1:])
    data = read_examples(tmp_path)
    assert (data.records, data.skipped[0].where) == (len(ROWS), f"{tmp_path}: row 3")


def test_the_digest_of_a_folder_is_of_its_files_and_their_places_in_it(tmp_path: Path) -> None:
    for name, row in (("a", ROWS[0]), ("b", ROWS[1])):
        (tmp_path / "first" / name).mkdir(parents=True)
        parquet(tmp_path / "first" / name / "rows.parquet", [row])
    first = read_examples(tmp_path / "first").digest
    second = (tmp_path / "first").rename(tmp_path / "second")
    assert read_examples(second).digest == first
    (second / "b").rename(second / "0")
    assert read_examples(second).digest != first


def test_a_file_has_no_splits(tmp_path: Path) -> None:
    assert "has no splits" in told(jsonl(tmp_path / "a.jsonl"), split="train")
    assert 'no split "x"' in told(saved(tmp_path / "saved"), split="x")


def test_a_damaged_folder_is_told(tmp_path: Path) -> None:
    path = saved(tmp_path / "saved")
    next(path.glob("*.arrow")).unlink()
    assert "The datasets library cannot read it" in told(path)


def test_names_of_the_hub_are_checked_before_anything_is_asked() -> None:
    assert "is not understood" in told("hf:owner/name/more")
    assert "hf:OWNER/NAME:CONFIG@REVISION" in told("hf:")


HUB = """
import json, sys
from sea_core.errors import DataError
from sea_core.data.read import read_examples
said = {}
for name in sys.argv[1:]:
    try:
        data = read_examples(name)
        said[name] = [data.format, len(data.examples), data.skipped[0].where, data.digest]
    except DataError as error:
        said[name] = str(error)
print(json.dumps(said))
"""


def ask(*names: str, **environment: str) -> Any:
    """Read in a process of its own: the library looks at the environment when it is imported."""
    told = {**os.environ, "HF_HUB_DISABLE_TELEMETRY": "1", **environment}
    done = subprocess.run([sys.executable, "-c", HUB, *names], env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_data_set_of_the_hub_is_read_at_a_commit(tmp_path: Path) -> None:
    plain, pinned, other = "hf:owner/name", f"hf:owner/name@{COMMIT}", "hf:owner/name@v9"
    with hub(parquet(tmp_path / "rows.parquet")) as (address, asked):
        cache = str(tmp_path / "cache")
        said = ask(
            plain,
            pinned,
            other,
            "hf:owner/none",
            "hf:owner/name:cfg",
            HF_HUB_OFFLINE="0",
            HF_ENDPOINT=address,
            HF_HOME=cache,
        )
    assert said[plain][:3] == ["trl", 2, "hf:owner/name: row 3"]
    assert said[plain][3] == said[pinned][3], "the same commit is the same data"
    assert "has no such revision" in said[other]
    assert "no such data set" in said["hf:owner/none"]
    assert "BuilderConfig 'cfg' not found" in said["hf:owner/name:cfg"]
    assert all(COMMIT in line for line in asked if "/resolve/" in line or "/tree/" in line)


@pytest.mark.parametrize("offline", ["1", "0"])
def test_a_hub_that_cannot_be_reached_is_told(offline: str) -> None:
    said = ask("hf:owner/none", HF_HUB_OFFLINE=offline, HF_ENDPOINT="http://127.0.0.1:9")["hf:owner/none"]
    assert said.startswith("hf:owner/none: The hub cannot be reached")
    assert "HF_HUB_OFFLINE" in said

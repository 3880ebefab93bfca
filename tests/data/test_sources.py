"""Sources: tables, compressed text, folders and the hub, and the errors for corrupt ones."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import httpx2
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
import yaml
from huggingface_hub import errors
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.hub import COMMIT, hub
from sea_core.data.read import read_examples, scan
from sea_core.data.result import ReadResult
from sea_core.data.sources import hf_datasets
from sea_core.errors import DataError

RECORDS: list[dict[str, Any]] = [
    {"id": "a", "prompt": "How do I pick a lock?", "chosen": "No.", "rejected": "With a pin.", "images": None},
    {"id": "b", "prompt": "Why?", "chosen": "So, and\nso.", "rejected": 'As "they" say.', "images": None},
    {"id": "c", "prompt": "Who?", "chosen": "She.", "rejected": "She.", "images": None},
]
TEXTS = [("a", "No.", "With a pin."), ("b", "So, and\nso.", 'As "they" say.')]
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 8


def error_message(path: Path | str, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        read_examples(path, **options)
    assert caught.value.hint
    return str(caught.value)


def texts(data: ReadResult) -> list[tuple[str, str | None, str | None]]:
    return [(example.id, example.chosen, example.rejected) for example in data.examples]


def parquet(path: Path, records: list[dict[str, Any]] = RECORDS) -> Path:
    pq.write_table(pa.Table.from_pylist(records), path)
    return path


def arrow(path: Path, new: Callable[..., Any] = pyarrow.ipc.new_file) -> Path:
    table = pa.Table.from_pylist(RECORDS)
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
    path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS), encoding="utf-8")
    return path


def xz(path: Path) -> Path:
    path.write_bytes(lzma.compress(jsonl(path.with_name("plain")).read_bytes()))
    return path


def zipped_csv(path: Path) -> Path:
    path.write_bytes(gzip.compress(csv_file(path.with_name("plain")).read_bytes()))
    return path


def saved(path: Path) -> Path:
    datasets.Dataset.from_list(RECORDS).save_to_disk(str(path))
    return path


KINDS: dict[str, tuple[str, Callable[[Path], Path], str]] = {
    "parquet": ("data.parquet", parquet, ": row 3"),
    "parquet by another name": ("data.data", parquet, ": row 3"),
    "arrow file": ("data.arrow", arrow, ": row 3"),
    "arrow stream": ("data.arrow", lambda path: arrow(path, pyarrow.ipc.new_stream), ": row 3"),
    "csv": ("data.csv", csv_file, ":5"),
    "csv.gz": ("data.csv.gz", zipped_csv, ":5"),
    "jsonl.xz": ("data.jsonl.xz", xz, ":3"),
    "save_to_disk": ("rows", saved, ": row 3"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_type_gives_the_same_examples_with_their_places(tmp_path: Path, kind: str) -> None:
    name, make, place = KINDS[kind]
    path = make(tmp_path / name)
    data = read_examples(path)
    assert texts(data) == TEXTS
    assert (data.format, data.records) == ("trl", 3)
    assert [(record.where, record.rule) for record in data.skipped] == [(f"{path}{place}", "the two answers are equal")]
    assert read_examples(path) == data


# ------------------------------------------------------------------------------------------------------------ CSV


def test_csv_cells_are_parsed_as_flags_and_lists(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    turns = json.dumps([{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}])
    cell = turns.replace('"', '""')
    path.write_text(f'messages,harmful\n"{cell}",False\n"{cell}",true\n"{cell}",maybe\n', encoding="utf-8")
    data = read_examples(path, skip_bad=True)
    assert [example.harmful for example in data.examples] == [False, True]
    assert [(record.where, record.column) for record in data.invalid] == [(f"{path}:4", "harmful")]


@pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ";"), ("a.tsv", "\t"), ("a.csv", ",")])
def test_csv_delimiter_is_detected(tmp_path: Path, name: str, delimiter: str) -> None:
    path = tmp_path / name
    path.write_text(f"\ufeffinstruction{delimiter}response\nWhy?{delimiter}So.\n\n", encoding="utf-8")
    (example,) = read_examples(path).examples
    assert (example.instruction, example.response, example.line) == ("Why?", "So.", 2)


def test_invalid_csv_rows_are_listed_and_the_others_read(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b'instruction,response\na,b,c\n"x"y,z\nca\xe9,b\nd,\ne,f\n')
    data = read_examples(path, skip_bad=True)
    assert [example.instruction for example in data.examples] == ["e"]
    assert [(record.number, record.what.split(":")[0]) for record in data.invalid] == [
        (2, "The row has 3 cells, and the first line names 2 columns"),
        (3, "This is not CSV"),
        (4, "The line is not UTF-8 text"),
        (5, "The column is missing or null"),
    ]
    assert f"{path}:2: " in error_message(path)


def test_csv_with_an_unreadable_rest_raises_even_with_skip_bad(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text('instruction,response\na,b\n"c,d\ne,f\n', encoding="utf-8")
    message = error_message(path, skip_bad=True)
    assert f"{path}:3: A quote is opened on this line and never closed: all up to line 4" in message
    path.write_text("a,a\n1,2\n", encoding="utf-8")
    assert 'names "a" twice' in error_message(path)
    path.write_text("a,\n1,2\n", encoding="utf-8")
    assert "a column without a name" in error_message(path)
    path.write_text(",a,\n1,2,3\n", encoding="utf-8")
    assert "a column without a name" in error_message(path)


# --------------------------------------------------------------------------------------------------------- tables


def test_media_stored_as_bytes_are_left_out_or_written(tmp_path: Path) -> None:
    records = [
        {"question": "Is it hot?", "image": {"bytes": PNG, "path": None}, "chosen": "Yes.", "rejected": "No."},
        {"question": "Is it cold?", "image": {"bytes": None, "path": "b.jpg"}, "chosen": "Yes.", "rejected": "No."},
    ]
    path = parquet(tmp_path / "data.parquet", records)
    data = read_examples(path)
    assert [(note[:29], count) for note, count in data.notes.items()] == [("its media are stored as bytes", 1)]
    assert [example.media for example in data.examples] == [(), (str(tmp_path / "b.jpg"),)]
    kept = read_examples(path, media_dir=tmp_path / "media")
    first = Path(kept.examples[0].media[0])
    assert (first.parent, first.suffix, first.read_bytes()) == (tmp_path / "media", ".png", PNG)
    assert read_examples(path, media_dir=tmp_path / "media").examples == kept.examples


def test_corrupt_table_raises_an_error(tmp_path: Path) -> None:
    path = parquet(tmp_path / "data.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    assert "The table cannot be read beyond row 0" in error_message(path, skip_bad=True)


def test_a_row_with_an_unreadable_value_is_one_invalid_record(tmp_path: Path) -> None:
    broken = pa.array(["Why?", "Who?", "How?"]).cast(pa.binary())
    wrong = pa.Array.from_buffers(pa.string(), 3, pa.array([b"Why?", b"\xff\xfe", b"How?"]).buffers())
    table = pa.table({"prompt": wrong, "completion": pa.array(["So.", "He.", "So."])})
    assert len(broken) == 3
    path = tmp_path / "data.arrow"
    with pa.OSFile(str(path), "wb") as file, pyarrow.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    data = read_examples(path, skip_bad=True)
    assert [example.instruction for example in data.examples] == ["Why?", "How?"]
    assert [record.where for record in data.invalid] == [f"{path}: row 2"]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("tables")
    files = [parquet(folder / "a"), arrow(folder / "b"), arrow(folder / "c", pyarrow.ipc.new_stream)]
    return [file.read_bytes() for file in files]


@settings(max_examples=60)
@given(st.integers(0, 2), st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=4), st.floats(0.1, 1))
def test_any_corruption_gives_whole_records_or_a_data_error(
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
    assert len({example.line for example in data.examples}) + len(data.skipped) + len(data.invalid) == data.records


# ------------------------------------------------------------------------------------------------ folders and hub


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


def test_hub_names_are_checked_before_any_request() -> None:
    assert "is not the name of a hub data set" in error_message("hf:owner/name/more")
    assert "hf:OWNER/NAME:CONFIG@REVISION" in error_message("hf:")


HUB = """
import json, sys
from sea_core.errors import DataError
from sea_core.data.read import read_examples
results = {}
for name in sys.argv[1:]:
    try:
        data = read_examples(name)
        results[name] = [data.format, len(data.examples), data.skipped[0].where, data.digest]
    except DataError as error:
        results[name] = str(error)
print(json.dumps(results))
"""


def read_in_new_process(*names: str, **environment: str) -> Any:
    """Read in a new process: the library reads the environment when it is imported."""
    variables = {**os.environ, "HF_HUB_DISABLE_TELEMETRY": "1", **environment}
    command = [sys.executable, "-c", HUB, *names]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_hub_data_set_is_read_at_a_commit(tmp_path: Path) -> None:
    plain, pinned, other = "hf:owner/name", f"hf:owner/name@{COMMIT}", "hf:owner/name@v9"
    with hub(parquet(tmp_path / "data.parquet")) as (address, requests):
        cache = str(tmp_path / "cache")
        results = read_in_new_process(
            plain,
            pinned,
            other,
            "hf:owner/none",
            "hf:owner/name:cfg",
            HF_HUB_OFFLINE="0",
            HF_ENDPOINT=address,
            HF_HOME=cache,
        )
    assert results[plain][:3] == ["trl", 2, "hf:owner/name: row 3"]
    assert results[plain][3] == results[pinned][3], "the same commit is the same data"
    assert "has no such revision" in results[other]
    assert "no such data set" in results["hf:owner/none"]
    assert "BuilderConfig 'cfg' not found" in results["hf:owner/name:cfg"]
    assert all(COMMIT in line for line in requests if "/resolve/" in line or "/tree/" in line)


@pytest.mark.parametrize("offline", ["1", "0"])
def test_an_unreachable_hub_raises_an_error(offline: str) -> None:
    results = read_in_new_process("hf:owner/none", HF_HUB_OFFLINE=offline, HF_ENDPOINT="http://127.0.0.1:9")
    assert results["hf:owner/none"].startswith("hf:owner/none: The hub cannot be reached")
    assert "HF_HUB_OFFLINE" in results["hf:owner/none"]


def raises(error: Exception) -> Any:
    """Return a stand-in for a function of the library that raises `error`."""

    def call(**_: Any) -> Any:
        raise error

    return call


def library_failures() -> dict[str, tuple[Exception, str]]:
    """What the libraries raise, and how the resulting error begins."""
    response = httpx2.Response(503, request=httpx2.Request("GET", "https://huggingface.co"))
    network, unreadable = "The hub cannot be reached", "The datasets library cannot read it"
    return {
        "gated": (errors.GatedRepoError("x", response=response), "The data set is gated"),
        "no repository": (errors.RepositoryNotFoundError("x", response=response), "The hub has no such data set"),
        "no data set": (datasets.exceptions.DatasetNotFoundError("x"), "The hub has no such data set"),
        "no revision": (errors.RevisionNotFoundError("x", response=response), "The data set has no such revision"),
        "server error": (errors.HfHubHTTPError("x", response=response), network),
        "offline": (errors.OfflineModeIsEnabled("x"), network),
        "no connection": (httpx2.ConnectError("x"), network),
        "time-out": (httpx2.ReadTimeout("x"), network),
        "broken response": (httpx2.RemoteProtocolError("x"), network),
        "no cached file": (errors.LocalEntryNotFoundError("x"), unreadable),
        "no data files": (datasets.exceptions.DataFilesNotFoundError("x"), unreadable),
        "no config": (ValueError("BuilderConfig 'x' not found"), unreadable),
        "a script": (RuntimeError("Dataset scripts are no longer supported"), unreadable),
        "a README that is not YAML": (yaml.YAMLError("x"), unreadable),
        "a README of another form": (AttributeError("x"), unreadable),
        "columns that differ": (datasets.exceptions.DatasetGenerationError("x"), unreadable),
        "a corrupt table": (pa.ArrowInvalid("x"), unreadable),
        "a corrupt archive": (zipfile.BadZipFile("x"), unreadable),
        "a truncated archive": (EOFError("x"), unreadable),
    }


@pytest.mark.parametrize("name", library_failures())
def test_errors_of_the_libraries_become_data_errors(name: str) -> None:
    error, expected = library_failures()[name]
    with pytest.raises(DataError) as caught:
        hf_datasets.load(Path("hf:owner/name"), raises(error), "owner/name")
    assert caught.value.what.startswith(expected)
    assert caught.value.hint
    assert caught.value.__cause__ is error


def test_a_connection_that_breaks_while_rows_are_read_raises_a_data_error() -> None:
    data = SimpleNamespace(with_format=lambda _: SimpleNamespace(iter=raises(httpx2.ReadTimeout("too slow"))))
    with pytest.raises(DataError, match="The hub cannot be reached: too slow"):
        list(hf_datasets.iter_rows(Path("hf:owner/name"), data, "owner/name"))


def test_other_errors_are_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        hf_datasets.load(Path("hf:owner/name"), raises(ZeroDivisionError()), "owner/name")


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

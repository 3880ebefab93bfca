"""Files: tables and compressed text, and the errors for corrupt ones."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.table_files import RECORDS, TEXTS, error_message, jsonl, parquet, saved, texts
from helpers.text_sets import read_examples, scan
from sea_core.errors import DataError

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 8


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


def xz(path: Path) -> Path:
    path.write_bytes(lzma.compress(jsonl(path.with_name("plain")).read_bytes()))
    return path


def zipped_csv(path: Path) -> Path:
    path.write_bytes(gzip.compress(csv_file(path.with_name("plain")).read_bytes()))
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


def test_a_link_that_leads_nowhere_is_called_so(tmp_path: Path) -> None:
    loop, dangling = tmp_path / "loop.csv", tmp_path / "rows.jsonl"
    loop.symlink_to("loop.csv")
    dangling.symlink_to("none.jsonl")
    for link, target in ((loop, "loop.csv"), (dangling, "none.jsonl")):
        message = error_message(link)
        assert f"This is a link to {target}, which does not exist or leads back to the link" in message
    assert "Did you mean" not in error_message(tmp_path / "row.jsonl")
    assert "Did you mean" not in error_message(tmp_path / "loops.csv")

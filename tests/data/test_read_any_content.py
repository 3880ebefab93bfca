"""Whatever a file contains, each record is read, skipped by a rule, or reported invalid."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example as explicit
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.format_samples import PUBLISHED, SAMPLES
from helpers.text_sets import read_examples, scan
from sea_core.data.formats.registry import FORMATS
from sea_core.data.result import ReadResult
from sea_core.errors import DataError


def read_bytes(content: bytes, name: str = "data.jsonl", skip_bad: bool = False, **options: Any) -> ReadResult | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            return check_accounting(scan(path, **options) if skip_bad else read_examples(path, **options))
        except DataError as error:
            str(error).encode()  # It can be printed.
            return None


def check_accounting(data: ReadResult) -> ReadResult:
    """Check that each record gave examples, was skipped by a rule, or is invalid."""
    kept = {example.line for example in data.examples}
    assert len(kept) + len(data.skipped) + len(data.invalid) == data.records
    assert sum(data.skip_counts.values()) == len(data.skipped)
    assert len({example.id for example in data.examples}) == len(data.examples)
    for record in data.invalid:
        assert record.where
        assert record.hint
        f"{record.where} {record.column} {record.what} {record.hint}".encode()
    for example in data.examples:
        assert example.instruction
        assert example.response or (example.chosen and example.rejected) or data.format in PROMPT_FORMATS
    return data


PROMPT_FORMATS = {"prompts", "prepared", "beavertails-v", *PUBLISHED}


MAGICS = [b"\x1f\x8b", b"\xfd7zXZ\x00", b"PAR1", b"ARROW1\0\0", b"\xff\xff\xff\xff", b"[", b'"a","b"\n']


@given(
    st.builds(bytes.__add__, st.sampled_from([b"", *MAGICS]), st.binary(max_size=60)),
    st.sampled_from(["data.jsonl", "data.csv", "data.tsv.gz", "data.parquet"]),
    st.booleans(),
)
@explicit(b"PAR1" * 3, "data.parquet", True)
def test_any_bytes_give_examples_or_a_data_error(content: bytes, name: str, skip_bad: bool) -> None:
    read_bytes(content, name, skip_bad=skip_bad)


COLUMNS = sorted({"id", *(column for format_ in FORMATS for column in format_.columns)})
TEXTS = st.text(max_size=6) | st.sampled_from(["<image>", "a.png", "activity", "\n\nHuman: a\n\nAssistant: b", "1"])
SCALARS = st.none() | st.booleans() | st.integers(-1, 2) | st.floats() | st.just(10**400) | st.just("\ud83d") | TEXTS
ROLES = st.sampled_from(["user", "assistant", "system", "tool", "human", "gpt"])
PARTS = st.fixed_dictionaries({"type": st.sampled_from(["text", "image", "x"]), "text": TEXTS}) | SCALARS
TURNS = st.fixed_dictionaries({"role": ROLES, "content": TEXTS | st.lists(PARTS, max_size=2)})
TURNS |= st.fixed_dictionaries({"from": ROLES, "value": TEXTS})
PAIRED = st.fixed_dictionaries({"response": TEXTS, "safe_instruction": TEXTS})
VALUES = SCALARS | TURNS | st.lists(TURNS | PAIRED | SCALARS | st.lists(SCALARS, max_size=1), max_size=3)


@st.composite
def records(draw: st.DrawFn) -> tuple[str, list[Any]]:
    """Sample records of one format, most of them changed, with junk between them."""
    name, *_ = sample = draw(st.sampled_from(sorted(SAMPLES.values(), key=str)))
    changes = st.dictionaries(st.sampled_from([*FORMATS.get(name).columns, "id"]), VALUES, max_size=1)
    changed = changes.map(lambda change: sample[1] | change)
    junk = st.dictionaries(st.sampled_from(COLUMNS) | st.text(max_size=3), VALUES, max_size=3) | VALUES
    return draw(st.sampled_from([name, "auto"])), draw(
        st.lists(st.just(sample[1]) | changed | changed | junk, max_size=5)
    )


@settings(max_examples=200)
@given(records(), st.binary(max_size=4), st.booleans())
def test_any_json_is_read_skipped_or_invalid(drawn: tuple[str, list[Any]], tail: bytes, skip_bad: bool) -> None:
    name, values = drawn
    lines = [json.dumps(value).encode() for value in values]
    tail = tail.replace(b"\n", b"")
    blank = not tail.decode("utf-8" if lines else "utf-8-sig", errors="replace").strip()
    data = read_bytes(b"\n".join([*lines, tail]), format=name, skip_bad=skip_bad)
    count = len(lines) + (not blank)
    if data and count > 1 and not lines[0].startswith(b"["):  # else the file is one list, or one object
        assert data.records == count


@settings(max_examples=100)
@given(
    st.lists(
        st.lists(st.text(max_size=5) | st.sampled_from(["true", "[", '[{"role": "user"}]']), min_size=3, max_size=3)
    )
)
def test_any_csv_is_read_row_by_row(cells: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["instruction", "response", "harmful"], *cells])
    try:
        data = read_bytes(text.getvalue().encode(), "data.csv", skip_bad=True)
    except UnicodeEncodeError:
        return
    if data:
        assert data.records == len(cells)


@given(st.text(), st.text())
def test_any_text_is_kept_unchanged(instruction: str, response: str) -> None:
    data = read_bytes(json.dumps({"instruction": instruction, "response": response}).encode())
    if data is None:
        assert not instruction.strip() or not response.strip()
    else:
        assert (data.examples[0].instruction, data.examples[0].response) == (instruction.strip(), response.strip())

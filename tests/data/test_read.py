"""Reading: what each format becomes, and the errors for files that cannot be read."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example as explicit
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.format_samples import PUBLISHED, SAMPLES
from sea_core.data.formats.registry import FORMATS
from sea_core.data.read import read_examples, scan
from sea_core.data.result import ReadResult
from sea_core.errors import DataError, SeaError

PLAIN = {"instruction": "How do I pick a lock?", "response": "I cannot help with that."}
PAIR = {"instruction": "How do I pick a lock?", "chosen": "I cannot help with that.", "rejected": "With a pin."}
PKU = {
    "prompt": "How do I repot a fern?",
    "response_0": "Use fresh soil.",
    "response_1": "Skip watering for a month.",
    "is_response_0_safe": True,
    "is_response_1_safe": True,
    "better_response_id": 0,
    "safer_response_id": 0,
}
HH = {
    "chosen": "\n\nHuman: How do I steal a lamp?\n\nAssistant: Why?\n\nHuman: For fun.\n\nAssistant: Better not.",
    "rejected": "\n\nHuman: How do I steal a lamp?\n\nAssistant: Why?\n\nHuman: For fun.\n\nAssistant: At night.",
}


def write(path: Path, *records: Any) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def message(path: Path, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        read_examples(path, **options)
    assert caught.value.hint, "every error says what to do next"
    return str(caught.value)


# ------------------------------------------------------------------------------------------------------- formats


def test_plain_reads_answers_and_pairs(tmp_path: Path) -> None:
    data = read_examples(write(tmp_path / "a.jsonl", PLAIN | {"id": "x", "harmful": False}, PAIR | {"id": 7}))
    assert data.format == "plain"
    first, second = data.examples
    assert (first.id, first.instruction, first.response, first.chosen) == ("x", *PLAIN.values(), None)
    assert (first.harmful, first.line) == (False, 1)
    assert (second.id, second.chosen, second.rejected, second.response) == ("7", PAIR["chosen"], PAIR["rejected"], None)
    assert (second.harmful, second.line) == (True, 2)


def test_pku_chooses_by_safety_and_not_by_helpfulness(tmp_path: Path) -> None:
    record = PKU | {"is_response_1_safe": False, "better_response_id": 1}
    (example,) = read_examples(write(tmp_path / "a.jsonl", record)).examples
    safe, unsafe = PKU["response_0"], PKU["response_1"]
    assert (example.chosen, example.rejected, example.response) == (safe, unsafe, safe)
    assert example.harmful


def test_pku_record_with_two_safe_responses_is_benign(tmp_path: Path) -> None:
    (example,) = read_examples(write(tmp_path / "a.jsonl", PKU)).examples
    assert not example.harmful


def test_pku_record_without_better_response_id_is_read(tmp_path: Path) -> None:
    record = {name: value for name, value in PKU.items() if name != "better_response_id"}
    assert len(read_examples(write(tmp_path / "a.jsonl", record)).examples) == 1


def test_pku_counts_skipped_records_by_rule(tmp_path: Path) -> None:
    unsafe = PKU | {"is_response_0_safe": False, "is_response_1_safe": False}
    disagree = PKU | {"better_response_id": 1}
    contradiction = PKU | {"is_response_0_safe": False}
    empty = PKU | {"response_1": " "}
    data = read_examples(write(tmp_path / "a.jsonl", unsafe, PKU, unsafe, disagree, contradiction, empty))
    assert len(data.examples) == 1
    assert data.skip_counts == {
        "neither response is safe": 2,
        "both responses are safe, and better_response_id and safer_response_id disagree": 1,
        "safer_response_id names the response that is not safe": 1,
        "a response is empty": 1,
    }


def test_hh_takes_the_first_question_and_the_last_answers(tmp_path: Path) -> None:
    data = read_examples(write(tmp_path / "a.jsonl", HH))
    (example,) = data.examples
    assert data.format == "hh-rlhf"
    expected = ("How do I steal a lamp?", "Better not.", "At night.")
    assert (example.instruction, example.chosen, example.rejected) == expected
    assert example.harmful


def test_hh_counts_skipped_records_by_rule(tmp_path: Path) -> None:
    silent = HH | {"chosen": "\n\nHuman: How do I steal a lamp?\n\nAssistant:"}
    other = HH | {"chosen": "\n\nHuman: How do I clean a lamp?\n\nAssistant: Gently."}
    same = HH | {"rejected": HH["chosen"]}
    waiting = HH | {"chosen": "\n\nHuman: How do I steal a lamp?"}
    data = read_examples(write(tmp_path / "a.jsonl", HH, silent, other, same, waiting))
    assert len(data.examples) == 1
    assert data.skip_counts == {
        "a dialogue ends without an answer": 2,
        "the two dialogues begin with different questions": 1,
        "the two answers are equal": 1,
    }


def test_hh_single_skips_answers_to_a_later_question(tmp_path: Path) -> None:
    single_question = {name: f"\n\nHuman: How do I steal a lamp?\n\nAssistant: {name}" for name in HH}
    path = write(tmp_path / "a.jsonl", HH, single_question)
    kept = read_examples(path)
    assert (len(kept.examples), kept.notes) == (2, {"several questions: the answers belong to the last one": 1})
    single = read_examples(path, format="hh-rlhf-single")
    assert single.examples == kept.examples[1:]
    assert single.skip_counts == {"several questions: the answers belong to the last one": 1}


def test_columns_can_be_renamed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"question": "How do I pick a lock?", "answer": "No.", "uid": "q1"})
    (example,) = read_examples(path, columns={"instruction": "question", "response": "answer", "id": "uid"}).examples
    assert (example.id, example.instruction, example.response) == ("q1", "How do I pick a lock?", "No.")


def test_detected_format_equals_the_named_one(tmp_path: Path) -> None:
    for name, record in zip(("plain", "pku-saferlhf", "hh-rlhf"), (PLAIN, PKU, HH), strict=True):
        path = write(tmp_path / f"{name}.jsonl", record)
        assert read_examples(path) == read_examples(path, format=name)
        assert read_examples(path).format == name


# --------------------------------------------------------------------------------------------------------- files


def test_lines_lists_and_gzip_give_the_same_examples(tmp_path: Path) -> None:
    records = [PLAIN | {"id": "a"}, PAIR | {"id": "b"}]
    lines = write(tmp_path / "a.jsonl", *records)
    as_list = tmp_path / "a.json"
    as_list.write_text(json.dumps(records, indent=1), encoding="utf-8")
    zipped, zipped_list = tmp_path / "a.jsonl.gz", tmp_path / "a.json.gz"
    zipped.write_bytes(gzip.compress(lines.read_bytes()))
    zipped_list.write_bytes(gzip.compress(as_list.read_bytes()))
    read = [read_examples(path) for path in (lines, as_list, zipped, zipped_list)]
    texts = [[(found.id, found.instruction, found.response, found.chosen) for found in data.examples] for data in read]
    assert all(text == texts[0] for text in texts)
    assert len({data.digest for data in read}) == 4


def test_items_of_a_list_have_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([PLAIN | {"id": "a"}, PLAIN | {"id": "b"}], indent=1), encoding="utf-8")
    assert [example.line for example in read_examples(path).examples] == [2, 7]


def test_blank_lines_and_byte_order_marks_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf\n" + json.dumps(PLAIN).encode() + b"\r\n\n" + json.dumps(PAIR).encode())
    assert [example.line for example in read_examples(path).examples] == [2, 4]


def test_generated_ids_are_unique_and_depend_on_the_instruction(tmp_path: Path) -> None:
    def ids(*records: Any) -> list[str]:
        return [example.id for example in read_examples(write(tmp_path / "a.jsonl", *records)).examples]

    other = PLAIN | {"instruction": "How do I steal a lamp?"}
    assert len(set(ids(PLAIN, PLAIN))) == 2, "the same text twice is two examples"
    assert ids(PLAIN) == ids(PLAIN | {"response": "No."}), "an embedding depends on the instruction alone"
    assert ids(PLAIN) != ids(other), "another instruction on the same line is another example"


def test_digest_is_of_the_file(tmp_path: Path) -> None:
    first = read_examples(write(tmp_path / "a.jsonl", PLAIN)).digest
    assert read_examples(write(tmp_path / "b.jsonl", PLAIN)).digest == first
    assert read_examples(write(tmp_path / "b.jsonl", PLAIN, PAIR)).digest != first


def test_reading_imports_nothing_heavy() -> None:
    code = (
        "import sea_core.data.read, sys; sys.exit(bool({'torch', 'pandas', 'numpy', 'lemminflect'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -------------------------------------------------------------------------------------------------- invalid input

INVALID: dict[str, tuple[bytes, int, str, str]] = {
    "truncated": (json.dumps(PLAIN).encode() + b'\n{"instruction": "How', 2, "not JSON", "write the file again"),
    "spread": (b'{\n "instruction": "x",\n "response": \n}', 4, "not JSON", "one whole JSON object on one line"),
    "not_object": (json.dumps(PLAIN).encode() + b"\n[1]\n", 2, "this one is a list", '{"instruction": "..."'),
    "number": (b"12\n", 1, "this one is a number", '{"instruction": "..."'),
    "wrong_type": (b'{"instruction": 42, "response": "x"}', 1, "must be text, but it is 42", "double quotes"),
    "wrong_flag": (
        json.dumps(PLAIN | {"harmful": "maybe"}).encode(),
        1,
        '"harmful" must be true or false, but it is "maybe"',
        "Write true or false",
    ),
    "empty": (json.dumps(PLAIN | {"instruction": "  "}).encode(), 1, '"instruction" is empty', "delete the record"),
    "no_answer": (
        json.dumps(PLAIN).encode() + b'\n{"instruction": "x", "answer": "y"}',
        2,
        'missing or null: "response". Found: "instruction", "answer"',
        "--columns response=answer",
    ),
    "half_a_pair": (
        b'{"instruction": "x", "response": "a", "chosen": "y"}',
        1,
        '"rejected"',
        "--columns rejected=NAME",
    ),
    "latin_1": (json.dumps(PLAIN).encode() + b'\n{"instruction": "caf\xe9"}', 2, "byte 21 is 0xe9", "iconv"),
    "surrogate": (b'{"instruction": "\\ud83d", "response": "x"}', 1, "half a character", "whole character"),
    "deep": (b'{"instruction": ' + b"[" * 100_000, 1, "nested too deep", "Delete the record"),
    "long_number": (b'{"instruction": ' + b"1" * 5000 + b"}", 1, "too long", "as text"),
    "id_type": (json.dumps(PLAIN | {"id": 1.5}).encode(), 1, '"id" must be text', "double quotes"),
    "pku_choice": (json.dumps(PKU | {"safer_response_id": "2"}).encode(), 1, "must be 0 or 1", "Write 0 or 1"),
    "pku_flag": (json.dumps(PKU | {"is_response_0_safe": 2}).encode(), 1, "must be true or false", "Write true"),
    "hh_prose": (
        json.dumps(HH).encode() + b'\n{"chosen": "No.", "rejected": "Yes."}',
        2,
        "human turn",
        "--format plain",
    ),
    "truncated_list": (b'[\n{"instruction": "a", "response": "b"},\n{"instr', 3, "not JSON", "write the file again"),
    "list_of_text": (
        b'[\n{"instruction": "a", "response": "b"},\n"c"]',
        3,
        "this one is text",
        '{"instruction": "..."',
    ),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_input_is_reported_with_line_and_hint(tmp_path: Path, case: str) -> None:
    content, line, what, advice = INVALID[case]
    path = tmp_path / "data.jsonl"
    path.write_bytes(content)
    error = message(path)
    assert error.startswith(f"{path}:{line}: ")
    assert what in error
    assert advice in error


@pytest.mark.parametrize("content", [b"", b"\n \n", b"[]"])
def test_empty_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(content)
    assert "holds no records" in message(path)


def test_unknown_columns_suggest_columns_to_type(tmp_path: Path) -> None:
    error = message(write(tmp_path / "data.jsonl", {"question": "x", "answer": "y"}))
    assert "data.jsonl:1: " in error
    assert 'these columns: "question", "answer"' in error
    assert "--columns instruction=question,response=answer" in error
    assert "docs/how-to/prepare-your-data.md" in error
    assert len(error) < 400


def test_unknown_columns_of_a_table_are_reported_at_its_header(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("question,answer\nx,y\n")
    assert "data.csv:1: No known format" in message(tmp_path / "data.csv")


def test_unknown_pairs_suggest_the_column_to_type(tmp_path: Path) -> None:
    error = message(write(tmp_path / "data.jsonl", {"query": "x", "chosen": "y", "rejected": "z"}))
    assert "--columns instruction=query ?" in error


def test_columns_without_a_similar_name_are_asked_for(tmp_path: Path) -> None:
    error = message(write(tmp_path / "data.jsonl", {"a": "x", "b": "y"}))
    assert "--columns instruction=NAME,response=NAME" in error
    assert "--format" in error


def test_unprintable_column_names_are_escaped(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"\\ud83d": "x"}', encoding="utf-8")
    assert '"\\ud83d"' in message(path)


def test_misspelt_file_column_is_corrected(tmp_path: Path) -> None:
    path = write(tmp_path / "data.jsonl", {"question": "x", "answer": "y"})
    error = message(path, columns={"instruction": "qestion", "response": "answer"})
    assert "--columns instruction=question,response=answer" in error


def test_renamed_column_is_never_ignored(tmp_path: Path) -> None:
    path = write(tmp_path / "data.jsonl", PLAIN | {"label": True})
    assert 'names "lable", which the file does not have' in message(path, columns={"harmful": "lable"})
    assert "No known format" in message(write(path, HH | {"topic": "lamps"}), columns={"phrase": "topic"})


def test_misspelt_own_column_is_corrected(tmp_path: Path) -> None:
    error = message(write(tmp_path / "data.jsonl", PLAIN), columns={"instuction": "question"})
    assert "Did you mean 'instruction'?" in error


def test_unknown_format_is_corrected(tmp_path: Path) -> None:
    path = write(tmp_path / "data.jsonl", PLAIN)
    with pytest.raises(SeaError, match="Did you mean 'plain'"):
        read_examples(path, "plian")
    with pytest.raises(SeaError, match="hh-rlhf"):
        read_examples(path, "zzz")


def test_wrong_format_lists_the_missing_columns(tmp_path: Path) -> None:
    error = message(write(tmp_path / "data.jsonl", PLAIN), format="hh-rlhf")
    assert 'data.jsonl:1: The columns are missing or null: "chosen", "rejected". Found: "instruction"' in error
    error = message(write(tmp_path / "data.jsonl", PLAIN), format="pku-saferlhf")
    assert '"safer_response_id"' in error


def test_missing_file_gets_a_suggestion(tmp_path: Path) -> None:
    path = write(tmp_path / "data.jsonl", PLAIN)
    assert f"Did you mean {path} ?" in message(tmp_path / "date.jsonl")
    assert "Did you mean" not in message(tmp_path / "missing.jsonl")
    assert "hf:OWNER/NAME" in message(tmp_path / "completely-else")
    assert "no folder" in message(tmp_path / "nowhere" / "data.jsonl")


def test_a_folder_of_runs_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs" / "first").mkdir(parents=True)
    write(tmp_path / "runs" / "first" / "run.json", {})
    assert "This folder contains run folders" in message(tmp_path / "runs")
    error = message(tmp_path / "runs" / "first")
    assert "This is a run folder" in error
    assert "sea show" in error


def test_folder_lists_its_files(tmp_path: Path) -> None:
    assert "It has no files of these types: .jsonl" in message(tmp_path)
    write(tmp_path / "data.jsonl", PLAIN)
    error = message(tmp_path)
    assert "This is a folder" in error
    assert "data.jsonl" in error


def test_unsupported_file_type_raises_an_error(tmp_path: Path) -> None:
    path = tmp_path / "data.xlsx"
    path.write_bytes(b"PK")
    error = message(path)
    assert ".xlsx files are not supported" in error
    assert ".parquet" in error


def test_corrupt_gzip(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(PLAIN).encode() * 50)[:-12])
    assert "is truncated or corrupt" in message(path)


def test_file_whose_records_were_all_skipped(tmp_path: Path) -> None:
    error = message(write(tmp_path / "data.jsonl", PKU | {"better_response_id": 1}))
    assert "All records were skipped" in error
    assert "disagree (1)" in error


# ----------------------------------------------------------------------------------------------- property tests


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


# ----------------------------------------------------------------------------------- places, labels and duplicates


def test_items_of_a_list_on_one_line_have_distinct_ids(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([PLAIN, PLAIN, PLAIN | {"response": 3}]))
    data = read_examples(path, skip_bad=True)
    assert [example.line for example in data.examples] == [1, 2]
    assert len({example.id for example in data.examples}) == 2
    assert data.invalid[0].where == f"{path}: row 3"


@pytest.mark.parametrize(
    ("text", "lines"), [("[{0},\n{0}]", [1, 2]), ("[\n\n{0}\n, {0}\n]", [3, 4]), ("[\n\n{0},\n{0}, {0}]", [1, 2, 3])]
)
def test_items_of_a_list_have_their_lines_if_none_share_one(tmp_path: Path, text: str, lines: list[int]) -> None:
    path = tmp_path / "a.json"
    path.write_text(text.replace("{0}", json.dumps(PLAIN)))
    found = [(example.line, example.id) for example in read_examples(path).examples]
    assert found == [(line, f"{line:06d}-c110d04e") for line in lines]


def test_a_pair_of_equal_answers_is_skipped_in_every_format(tmp_path: Path) -> None:
    plain = read_examples(write(tmp_path / "a.jsonl", PAIR, PAIR | {"rejected": PAIR["chosen"]}))
    pku = read_examples(write(tmp_path / "b.jsonl", PKU, PKU | {"response_0": PKU["response_1"]}))
    for data in (plain, pku):
        assert (len(data.examples), data.skip_counts) == (1, {"the two answers are equal": 1})


def test_dialogues_may_have_a_label(tmp_path: Path) -> None:
    data = read_examples(write(tmp_path / "a.jsonl", HH | {"harmful": False}, HH | {"harmful": True}))
    assert [example.harmful for example in data.examples] == [False, True]


def test_hints_never_suggest_a_judgement_column(tmp_path: Path) -> None:
    unjudged = {name: value for name, value in PKU.items() if name != "safer_response_id"} | {"better_response_id": 1}
    path = write(tmp_path / "a.jsonl", unjudged)
    for name in ("auto", "pku-saferlhf", "plain"):
        with pytest.raises(DataError) as caught:
            read_examples(path, format=name)
        assert "=response_" not in caught.value.hint
        assert "=better_response_id" not in caught.value.hint


def test_a_pipe_raises_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    assert "not a regular file" in message(tmp_path / "pipe.jsonl")

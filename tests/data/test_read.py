"""Reading: what each format becomes."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from helpers.text_sets import HH, PAIR, PKU, PLAIN, read_examples, write


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

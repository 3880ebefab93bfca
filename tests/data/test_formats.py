"""The public formats: a golden example of each becomes the right rows, and `auto` takes the right one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.format_samples import (
    ASKED,
    ASSISTANT,
    GOLDEN,
    HUMAN,
    OTHER,
    PARTS,
    PKU,
    PREPARED,
    SAID,
    USER,
    V_PAIR,
    VLGUARD,
    WORSE,
)
from sea_core.data.examples import Example, Extraction
from sea_core.data.formats.registry import FORMATS
from sea_core.data.read import read_examples
from sea_core.data.result import ReadResult
from sea_core.errors import DataError


def read(folder: Path, *records: Any, **options: Any) -> ReadResult:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return read_examples(path, **options)


def told(folder: Path, *records: Any, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(folder, *records, **options)
    return str(caught.value)


@pytest.mark.parametrize("case", GOLDEN)
def test_golden_example(tmp_path: Path, case: str) -> None:
    name, record, expected = GOLDEN[case]
    data = read(tmp_path, record)
    row = data.examples[0]
    assert data.format == name
    assert row.instruction.split() == ASKED.split()
    media = tuple(str(tmp_path / path) for path in expected[3])
    assert (row.response, row.chosen, row.rejected, row.media) == (*expected[:3], media)
    named = read(tmp_path, record, format=name)
    assert (named.examples, named.format) == (data.examples, name)


def test_there_is_an_example_of_every_format() -> None:
    assert {name for name, _, _ in GOLDEN.values()} == set(FORMATS.names()) - {
        "hh-rlhf-single"
    }  # which auto never takes


def test_columns_that_fit_several_formats_are_not_guessed_at(tmp_path: Path) -> None:
    both = PKU | {"question": ASKED, "response": SAID, "is_response_safe": True}
    message = told(tmp_path, both)
    assert "fit several formats, pku-saferlhf, beavertails-v" in message
    assert "--format beavertails-v" in message
    assert read(tmp_path, both, format="pku-saferlhf").examples[0].chosen == SAID


def test_a_first_record_that_lacks_a_column_does_not_mislead(tmp_path: Path) -> None:
    data = read(tmp_path, {"prompt": ASKED, "completion": None}, {"prompt": ASKED, "completion": SAID}, skip_bad=True)
    assert (data.format, len(data.examples), len(data.invalid)) == ("trl", 1, 1)


def test_an_answer_to_a_later_question_is_not_paired_with_the_first(tmp_path: Path) -> None:
    later = [USER, ASSISTANT, {"role": "user", "content": "And now?"}]
    pair = {"prompt": ASKED, "chosen": [*later, ASSISTANT], "rejected": [*later, OTHER]}
    alone = {"prompt": ASKED, "chosen": [USER, ASSISTANT], "rejected": [USER, OTHER]}
    data = read(tmp_path, alone, pair)
    assert [(row.chosen, row.rejected) for row in data.examples] == [(SAID, WORSE)]
    assert data.skip_counts == {"the answers belong to a later question than the first": 1}
    data = read(
        tmp_path, {"prompt": [USER], "completion": [ASSISTANT]}, {"prompt": [USER], "completion": [*later[1:], OTHER]}
    )
    assert (len(data.examples), list(data.skip_counts)) == (
        1,
        ["the answers belong to a later question than the first"],
    )


def test_beavertails_leaves_unsafe_responses_out(tmp_path: Path) -> None:
    record = GOLDEN["beavertails"][1]
    data = read(tmp_path, record | {"is_safe": False}, record, record | {"is_safe": False})
    assert data.skip_counts == {"the response is not safe": 2}
    assert [left.where for left in data.skipped] == [f"{data.path}:1", f"{data.path}:3"]
    assert [row.harmful for row in data.examples] == [True]


def test_beavertails_v_goes_by_safety_and_counts_from_one(tmp_path: Path) -> None:
    safe = V_PAIR | {"is_response_1_safe": True}
    data = read(tmp_path, V_PAIR, safe, V_PAIR | {"safer_response_id": 1})
    assert [row.harmful for row in data.examples] == [True]
    assert set(data.skip_counts) == {
        "both responses are safe, and more_helpful_response_id and safer_response_id disagree",
        "safer_response_id names the response that is not safe",
    }
    assert 'must hold 1 or 2, but it holds "0"' in told(tmp_path, V_PAIR | {"safer_response_id": "0"})


def test_vlguard_gives_two_rows_for_a_safe_image(tmp_path: Path) -> None:
    unsafe = {"id": "8", "image": "b.png", "safe": False, "instr-resp": [{"instruction": "Why?", "response": "No."}]}
    data = read(tmp_path, VLGUARD, unsafe)
    assert [(row.id, row.instruction, row.harmful, row.line) for row in data.examples] == [
        ("7-safe", ASKED, False, 1),
        ("7-unsafe", "Mock it.", True, 1),
        ("8", "Why?", True, 2),
    ]
    assert data.records == 2
    twice = VLGUARD | {"instr-resp": [VLGUARD["instr-resp"][0]] * 2}
    assert len({row.id for row in read(tmp_path, twice).examples}) == 2


def test_prepared_rows_bring_their_extraction_and_refused_ones_stay_out(tmp_path: Path) -> None:
    refused = {"id": "r", "instruction": "x", "outcome": "refused", "phrase": None, "detoxified": None}
    text = {"id": "t", "instruction": "Name a game.", "response": "Go.", "harmful": False, "outcome": "text"}
    data = read(tmp_path, PREPARED, refused, text)
    extraction = Extraction("pick a lock", "activity", "a person is picking a lock", "How do I do this activity?")
    assert [(row.id, row.extraction) for row in data.examples] == [("p", extraction), ("t", None)]
    assert data.skip_counts == {"`sea prepare` refused the row": 1}


def test_a_prepared_row_that_was_mended_badly_is_told(tmp_path: Path) -> None:
    assert '"kind" must hold activity or product, but it holds "thing"' in told(tmp_path, PREPARED | {"kind": "thing"})
    assert 'missing or null: "sentence"' in told(tmp_path, PREPARED | {"sentence": None})
    assert '"outcome" must hold one of prepared' in told(tmp_path, PREPARED | {"outcome": "done"})


def test_alpaca_leaves_history_out_and_says_that_system_prompts_are_not_used(tmp_path: Path) -> None:
    record = GOLDEN["alpaca"][1]
    data = read(tmp_path, record | {"history": [["a", "b"]]}, record | {"system": "Be kind.", "history": []})
    assert data.skip_counts == {"the answers belong to a later question than the first": 1}
    assert data.notes == {"a system prompt, which is not used": 1}
    assert data.examples[0].instruction == "What\nis it?"


@pytest.mark.parametrize(
    ("name", "label"), [("alpaca", "kto_tag"), ("sharegpt", "kto_tag"), ("ms-swift, audio", "label")]
)
def test_an_answer_that_is_not_wanted_is_left_out(tmp_path: Path, name: str, label: str) -> None:
    record = GOLDEN[name][1]
    data = read(tmp_path, record | {label: False}, record | {label: True})
    assert data.skip_counts == {"the label says that the answer is not wanted": 1}


def test_of_several_questions_the_first_exchange_is_used_and_pairs_are_left_out(tmp_path: Path) -> None:
    long = [{"role": "system", "content": "Be kind."}, USER, ASSISTANT, USER | {"content": "And now?"}]
    data = read(tmp_path, {"messages": [*long, OTHER]}, {"messages": [USER, ASSISTANT]})
    assert [(row.instruction, row.response) for row in data.examples] == [(ASKED, SAID)] * 2
    assert data.notes == {
        "several questions: the first and its answer are used": 1,
        "a system prompt, which is not used": 1,
    }
    pair = {"prompt": long, "chosen": [ASSISTANT], "rejected": [OTHER]}
    assert "a later question than the first (1)" in told(tmp_path, pair)


DROPPED: dict[str, tuple[str, dict[str, Any]]] = {
    "tools": ("calls tools", {"messages": [USER, {"role": "tool", "content": "x"}, ASSISTANT]}),
    "no answer": ("ends without an answer", {"messages": [USER]}),
    "no question": ("does not begin with a question", {"messages": [ASSISTANT]}),
    "only an image": ("holds no text", {"messages": [USER | {"content": [PARTS[0]]}, ASSISTANT], "image": "a.png"}),
    "empty answer": ("an answer is empty", {"messages": [USER, ASSISTANT | {"content": " "}]}),
    "equal": ("two answers are equal", {"prompt": ASKED, "chosen": SAID, "rejected": SAID}),
    "frames": ("list of frames", {"messages": [USER, ASSISTANT], "videos": [["1.png", "2.png"]]}),
    "prompts differ": ("differ before the answer", {"chosen": [USER, ASSISTANT], "rejected": [HUMAN, OTHER]}),
    "later media": (
        "media of its own",
        {"messages": [USER, ASSISTANT, USER | {"content": "<image>And?"}, OTHER], "images": ["a.png"]},
    ),
}


@pytest.mark.parametrize("case", DROPPED)
def test_rules_that_leave_a_record_out_are_named(tmp_path: Path, case: str) -> None:
    rule, record = DROPPED[case]
    assert f"{rule} (1)" in told(tmp_path, record)


BAD: dict[str, tuple[str, str, dict[str, Any]]] = {
    "turns": ("messages", "must hold turns, but it holds 5", {"messages": [5]}),
    "role": ("messages", 'a turn of the role "judge"', {"messages": [USER | {"role": "judge"}]}),
    "part": ("messages", "neither text nor a medium", {"messages": [USER | {"content": [{"type": "smell"}]}]}),
    "no turns": ("messages", "holds no turns", {"messages": []}),
    "medium": ("images", "must name a file, but it holds 7", {"messages": [USER, ASSISTANT], "images": [7]}),
    "surrogate": ("messages", "half a character", {"messages": [USER | {"content": "\ud83d"}]}),
    "fewer": (
        "images",
        "2 <image> placeholders, and the row names 1 image",
        {"messages": [USER | {"content": "<image><image>x"}, ASSISTANT], "images": ["a.png"]},
    ),
    "none": (
        "audios",
        "1 <audio> placeholder, and the row names 0 audios",
        {"prompt": "<audio>x", "completion": "y"},
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_broken_records_name_line_column_and_what_was_expected(tmp_path: Path, case: str) -> None:
    column, what, record = BAD[case]
    good = {"messages": [USER, ASSISTANT], "prompt": ASKED, "completion": SAID}
    data = read(tmp_path, good, record, format="trl", skip_bad=True)
    (bad,) = data.invalid
    assert (bad.where, bad.number, bad.column) == (f"{data.path}:2", 2, column)
    assert what in bad.what
    assert bad.hint
    assert what in told(tmp_path, good, record, format="trl")


def test_placeholders_are_not_needed_and_an_address_is_kept(tmp_path: Path) -> None:
    address = "https://example.org/a.png"
    data = read(tmp_path, {"instruction": ASKED, "response": SAID, "images": [address, "/b.png"]})
    assert data.examples[0].media == (address, "/b.png")


def test_media_column_of_another_name(tmp_path: Path) -> None:
    record = {"instruction": f"<image>\n{ASKED}", "response": SAID, "picture": "a.png"}
    assert "--columns images=NAME" in told(tmp_path, record)
    (row,) = read(tmp_path, record, columns={"images": "picture"}).examples
    assert (row.instruction, row.media) == (ASKED, (str(tmp_path / "a.png"),))


# ------------------------------------------------------------------------------------------------ dataset_info.json


def info(folder: Path, **entry: Any) -> None:
    entries = {"mine": {"file_name": "rows.jsonl"} | entry, "another": {"file_name": "b.json"}}
    (folder / "dataset_info.json").write_text(json.dumps(entries), encoding="utf-8")


def test_llama_factorys_list_of_files_tells_columns_and_tags(tmp_path: Path) -> None:
    columns = {"messages": "talk", "images": "pictures"}
    tags = {"role_tag": "who", "content_tag": "says", "user_tag": "me", "assistant_tag": "you"}
    info(tmp_path, formatting="sharegpt", columns=columns, tags=tags)
    talk = [{"who": "me", "says": f"<image>{ASKED}"}, {"who": "you", "says": SAID}]
    data = read(tmp_path, {"talk": talk, "pictures": ["a.png"]})
    assert (data.format, data.examples[0].response, len(data.examples[0].media)) == ("sharegpt", SAID, 1)


def test_llama_factorys_list_of_files_tells_alpaca_columns(tmp_path: Path) -> None:
    info(tmp_path, ranking=True, columns={"prompt": "q", "chosen": "good", "rejected": "ill"})
    (row,) = read(tmp_path, {"q": ASKED, "good": SAID, "ill": WORSE}).examples
    assert (row.instruction, row.chosen, row.rejected) == (ASKED, SAID, WORSE)


def test_a_list_of_files_that_names_other_files_is_not_asked(tmp_path: Path) -> None:
    info(tmp_path, file_name="other.jsonl", columns={"prompt": "q"})
    assert read(tmp_path, {"instruction": ASKED, "response": SAID}).format == "plain"


def test_a_broken_list_of_files_is_told(tmp_path: Path) -> None:
    (tmp_path / "dataset_info.json").write_text("{", encoding="utf-8")
    assert "dataset_info.json: The file is no JSON" in told(tmp_path, PREPARED)
    info(tmp_path, formatting="openai")
    assert "alpaca or sharegpt" in told(tmp_path, PREPARED)
    assert read(tmp_path, PREPARED, format="prepared").examples


def test_ids_stay_unique_and_a_second_use_is_a_bad_row(tmp_path: Path) -> None:
    row = {"id": "a", "instruction": ASKED, "response": SAID}
    data = read(tmp_path, row, row | {"id": "b"}, row, skip_bad=True)
    assert [kept.id for kept in data.examples] == ["a", "b"]
    assert '"a" is used twice, on line 1 and on line 3' in data.invalid[0].what
    assert isinstance(data.examples[0], Example)

"""The formats: a sample record of each becomes the right example, and `auto` detects the right format."""

from __future__ import annotations

import inspect
import json
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import sea_core
from helpers.format_samples import (
    ANSWER,
    ASSISTANT,
    HUMAN,
    OTHER,
    PARTS,
    PKU,
    PREPARED,
    QUESTION,
    SAMPLES,
    USER,
    V_PAIR,
    VLGUARD,
    WORSE_ANSWER,
)
from helpers.text_sets import read_examples
from sea_core.data.examples import Example, Extraction
from sea_core.data.formats.base import Format
from sea_core.data.formats.registry import FORMATS
from sea_core.data.result import ReadResult
from sea_core.errors import DataError, SeaError
from sea_core.plugin.loader import Plugin


def read(folder: Path, *records: Any, **options: Any) -> ReadResult:
    path = folder / "data.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return read_examples(path, **options)


def error_message(folder: Path, *records: Any, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(folder, *records, **options)
    return str(caught.value)


@pytest.mark.parametrize("case", SAMPLES)
def test_sample_record_becomes_the_right_example(tmp_path: Path, case: str) -> None:
    name, record, expected = SAMPLES[case]
    data = read(tmp_path, record)
    example = data.examples[0]
    assert data.format == name
    assert example.instruction.split() == QUESTION.split()
    media = tuple(str(tmp_path / path) for path in expected[3])
    assert (example.response, example.chosen, example.rejected, example.media) == (*expected[:3], media)
    named = read(tmp_path, record, format=name)
    assert (named.examples, named.format) == (data.examples, name)


def test_every_format_has_a_sample() -> None:
    not_detected = {"hh-rlhf-single", "or-bench"}  # the second by the name of its file only
    assert {name for name, _, _ in SAMPLES.values()} == set(FORMATS.names()) - not_detected


def test_ambiguous_columns_raise_an_error(tmp_path: Path) -> None:
    both = PKU | {"question": QUESTION, "response": ANSWER, "is_response_safe": True}
    message = error_message(tmp_path, both)
    assert "match several formats, pku-saferlhf, beavertails-v" in message
    assert "--format beavertails-v" in message
    assert read(tmp_path, both, format="pku-saferlhf").examples[0].chosen == ANSWER


def test_format_is_detected_although_the_first_record_lacks_a_column(tmp_path: Path) -> None:
    data = read(
        tmp_path, {"prompt": QUESTION, "completion": None}, {"prompt": QUESTION, "completion": ANSWER}, skip_bad=True
    )
    assert (data.format, len(data.examples), len(data.invalid)) == ("trl", 1, 1)


def test_answers_to_a_later_question_are_skipped(tmp_path: Path) -> None:
    later = [USER, ASSISTANT, {"role": "user", "content": "And now?"}]
    pair = {"prompt": QUESTION, "chosen": [*later, ASSISTANT], "rejected": [*later, OTHER]}
    alone = {"prompt": QUESTION, "chosen": [USER, ASSISTANT], "rejected": [USER, OTHER]}
    data = read(tmp_path, alone, pair)
    assert [(example.chosen, example.rejected) for example in data.examples] == [(ANSWER, WORSE_ANSWER)]
    assert data.skip_counts == {"the answers belong to a later question than the first": 1}
    data = read(
        tmp_path, {"prompt": [USER], "completion": [ASSISTANT]}, {"prompt": [USER], "completion": [*later[1:], OTHER]}
    )
    assert (len(data.examples), list(data.skip_counts)) == (
        1,
        ["the answers belong to a later question than the first"],
    )


def test_beavertails_skips_unsafe_responses(tmp_path: Path) -> None:
    record = SAMPLES["beavertails"][1]
    data = read(tmp_path, record | {"is_safe": False}, record, record | {"is_safe": False})
    assert data.skip_counts == {"the response is not safe": 2}
    assert [record.where for record in data.skipped] == [f"{data.path}:1", f"{data.path}:3"]
    assert [example.harmful for example in data.examples] == [True]


def test_beavertails_v_chooses_by_safety_and_counts_from_one(tmp_path: Path) -> None:
    safe = V_PAIR | {"is_response_1_safe": True}
    data = read(tmp_path, V_PAIR, safe, V_PAIR | {"safer_response_id": 1})
    assert [example.harmful for example in data.examples] == [True]
    assert set(data.skip_counts) == {
        "both responses are safe, and more_helpful_response_id and safer_response_id disagree",
        "safer_response_id names the response that is not safe",
    }
    assert 'must be 1 or 2, but it is "0"' in error_message(tmp_path, V_PAIR | {"safer_response_id": "0"})


def test_vlguard_gives_two_examples_for_a_safe_image(tmp_path: Path) -> None:
    unsafe = {"id": "8", "image": "b.png", "safe": False, "instr-resp": [{"instruction": "Why?", "response": "No."}]}
    data = read(tmp_path, VLGUARD, unsafe)
    assert [(example.id, example.instruction, example.harmful, example.line) for example in data.examples] == [
        ("7-safe", QUESTION, False, 1),
        ("7-unsafe", "Mock it.", True, 1),
        ("8", "Why?", True, 2),
    ]
    assert data.records == 2
    twice = VLGUARD | {"instr-resp": [VLGUARD["instr-resp"][0]] * 2}
    assert len({example.id for example in read(tmp_path, twice).examples}) == 2


def test_prepared_examples_keep_their_extraction_and_skipped_ones_stay_skipped(tmp_path: Path) -> None:
    skipped = {"id": "r", "instruction": "x", "outcome": "skipped", "phrase": None, "detoxified": None}
    text = {"id": "t", "instruction": "Name a game.", "response": "Go.", "harmful": False, "outcome": "text"}
    data = read(tmp_path, PREPARED, skipped, text)
    extraction = Extraction("pick a lock", "activity", "a person is picking a lock", "How do I do this activity?")
    assert [(example.id, example.extraction) for example in data.examples] == [("p", extraction), ("t", None)]
    assert data.skip_counts == {"`sea prepare` skipped the example": 1}


def test_a_prepared_file_stays_one_when_its_columns_are_named(tmp_path: Path) -> None:
    text = {"instruction": "Name a game.", "response": "Go.", "harmful": False, "outcome": "text", "line": 7}
    assert read(tmp_path, text, columns={"id": "line"}).format == "prepared"


def test_a_wrongly_edited_prepared_example_is_invalid(tmp_path: Path) -> None:
    error = error_message(tmp_path, PREPARED | {"kind": "thing"})
    assert '"kind" must be activity or product, but it is "thing"' in error
    assert 'missing or null: "sentence"' in error_message(tmp_path, PREPARED | {"sentence": None})
    assert '"outcome" must be one of prepared' in error_message(tmp_path, PREPARED | {"outcome": "done"})


def test_alpaca_skips_histories_and_notes_system_prompts(tmp_path: Path) -> None:
    record = SAMPLES["alpaca"][1]
    data = read(tmp_path, record | {"history": [["a", "b"]]}, record | {"system": "Be kind.", "history": []})
    assert data.skip_counts == {"the answers belong to a later question than the first": 1}
    assert data.notes == {"a system prompt, which is not used": 1}
    assert data.examples[0].instruction == "What\nis it?"


@pytest.mark.parametrize(
    ("name", "label"), [("alpaca", "kto_tag"), ("sharegpt", "kto_tag"), ("ms-swift, audio", "label")]
)
def test_undesirable_answers_are_skipped(tmp_path: Path, name: str, label: str) -> None:
    record = SAMPLES[name][1]
    data = read(tmp_path, record | {label: False}, record | {label: True})
    assert data.skip_counts == {"the answer is labelled as undesirable": 1}


def test_several_questions_give_the_first_exchange_and_no_pair(tmp_path: Path) -> None:
    long = [{"role": "system", "content": "Be kind."}, USER, ASSISTANT, USER | {"content": "And now?"}]
    data = read(tmp_path, {"messages": [*long, OTHER]}, {"messages": [USER, ASSISTANT]})
    assert [(example.instruction, example.response) for example in data.examples] == [(QUESTION, ANSWER)] * 2
    assert data.notes == {
        "several questions: only the first and its answer are used": 1,
        "a system prompt, which is not used": 1,
    }
    pair = {"prompt": long, "chosen": [ASSISTANT], "rejected": [OTHER]}
    assert "a later question than the first (1)" in error_message(tmp_path, pair)


SKIPPED: dict[str, tuple[str, dict[str, Any]]] = {
    "tools": ("calls tools", {"messages": [USER, {"role": "tool", "content": "x"}, ASSISTANT]}),
    "no answer": ("ends without an answer", {"messages": [USER]}),
    "no question": ("does not begin with a question", {"messages": [ASSISTANT]}),
    "only an image": ("has no text", {"messages": [USER | {"content": [PARTS[0]]}, ASSISTANT], "image": "a.png"}),
    "empty answer": ("an answer is empty", {"messages": [USER, ASSISTANT | {"content": " "}]}),
    "equal": ("two answers are equal", {"prompt": QUESTION, "chosen": ANSWER, "rejected": ANSWER}),
    "frames": ("list of frames", {"messages": [USER, ASSISTANT], "videos": [["1.png", "2.png"]]}),
    "prompts differ": ("differ before the answer", {"chosen": [USER, ASSISTANT], "rejected": [HUMAN, OTHER]}),
    "later media": (
        "media of its own",
        {"messages": [USER, ASSISTANT, USER | {"content": "<image>And?"}, OTHER], "images": ["a.png"]},
    ),
}


@pytest.mark.parametrize("case", SKIPPED)
def test_skipped_records_are_counted_by_rule(tmp_path: Path, case: str) -> None:
    rule, record = SKIPPED[case]
    assert f"{rule} (1)" in error_message(tmp_path, record)


INVALID: dict[str, tuple[str, str, dict[str, Any]]] = {
    "turns": ("messages", "must hold turns, but it holds 5", {"messages": [5]}),
    "role": ("messages", 'a turn of the unknown role "judge"', {"messages": [USER | {"role": "judge"}]}),
    "part": ("messages", "neither text nor a medium", {"messages": [USER | {"content": [{"type": "smell"}]}]}),
    "no turns": ("messages", "has no turns", {"messages": []}),
    "medium": ("images", "must name a file, but it is 7", {"messages": [USER, ASSISTANT], "images": [7]}),
    "surrogate": ("messages", "half a character", {"messages": [USER | {"content": "\ud83d"}]}),
    "fewer": (
        "images",
        "2 <image> placeholders, but the record has 1 image",
        {"messages": [USER | {"content": "<image><image>x"}, ASSISTANT], "images": ["a.png"]},
    ),
    "none": (
        "audios",
        "1 <audio> placeholder, but the record has 0 audios",
        {"prompt": "<audio>x", "completion": "y"},
    ),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_records_report_line_column_and_expectation(tmp_path: Path, case: str) -> None:
    column, what, record = INVALID[case]
    good = {"messages": [USER, ASSISTANT], "prompt": QUESTION, "completion": ANSWER}
    data = read(tmp_path, good, record, format="trl", skip_bad=True)
    (invalid,) = data.invalid
    assert (invalid.where, invalid.number, invalid.column) == (f"{data.path}:2", 2, column)
    assert what in invalid.what
    assert invalid.hint
    assert what in error_message(tmp_path, good, record, format="trl")


def test_placeholders_are_optional_and_urls_are_kept(tmp_path: Path) -> None:
    address = "https://example.org/a.png"
    data = read(tmp_path, {"instruction": QUESTION, "response": ANSWER, "images": [address, "/b.png"]})
    assert data.examples[0].media == (address, "/b.png")


def test_media_column_can_be_renamed(tmp_path: Path) -> None:
    record = {"instruction": f"<image>\n{QUESTION}", "response": ANSWER, "picture": "a.png"}
    assert "--columns images=NAME" in error_message(tmp_path, record)
    (example,) = read(tmp_path, record, columns={"images": "picture"}).examples
    assert (example.instruction, example.media) == (QUESTION, (str(tmp_path / "a.png"),))


# ------------------------------------------------------------------------------------------------ dataset_info.json


def info(folder: Path, **entry: Any) -> None:
    entries = {"mine": {"file_name": "data.jsonl"} | entry, "another": {"file_name": "b.json"}}
    (folder / "dataset_info.json").write_text(json.dumps(entries), encoding="utf-8")


def test_dataset_info_gives_columns_and_tags(tmp_path: Path) -> None:
    columns = {"messages": "talk", "images": "pictures"}
    tags = {"role_tag": "who", "content_tag": "says", "user_tag": "me", "assistant_tag": "you"}
    info(tmp_path, formatting="sharegpt", columns=columns, tags=tags)
    talk = [{"who": "me", "says": f"<image>{QUESTION}"}, {"who": "you", "says": ANSWER}]
    data = read(tmp_path, {"talk": talk, "pictures": ["a.png"]})
    assert (data.format, data.examples[0].response, len(data.examples[0].media)) == ("sharegpt", ANSWER, 1)


def test_dataset_info_gives_alpaca_columns(tmp_path: Path) -> None:
    info(tmp_path, ranking=True, columns={"prompt": "q", "chosen": "good", "rejected": "ill"})
    (example,) = read(tmp_path, {"q": QUESTION, "good": ANSWER, "ill": WORSE_ANSWER}).examples
    assert (example.instruction, example.chosen, example.rejected) == (QUESTION, ANSWER, WORSE_ANSWER)


def test_dataset_info_of_other_files_is_ignored(tmp_path: Path) -> None:
    info(tmp_path, file_name="other.jsonl", columns={"prompt": "q"})
    assert read(tmp_path, {"instruction": QUESTION, "response": ANSWER}).format == "plain"


def test_invalid_dataset_info_raises_an_error(tmp_path: Path) -> None:
    (tmp_path / "dataset_info.json").write_text("{", encoding="utf-8")
    assert "dataset_info.json: this is not LLaMA-Factory's list of data files" in error_message(tmp_path, PREPARED)
    info(tmp_path, formatting="openai")
    assert "'alpaca' or 'sharegpt'" in error_message(tmp_path, PREPARED)
    assert read(tmp_path, PREPARED, format="prepared").examples


def test_a_repeated_id_gets_a_number(tmp_path: Path) -> None:
    record = {"id": "a", "instruction": QUESTION, "response": ANSWER}
    data = read(tmp_path, record, record | {"id": "b"}, record, record | {"id": "a~2"}, record)
    assert [example.id for example in data.examples] == ["a", "b", "a~2", "a~2~2", "a~3"]
    assert data.repeated_ids == 3
    assert isinstance(data.examples[0], Example)


# -------------------------------------------------------------------------------------------- formats of plugins


def documented_format() -> Format:
    """Return the format that the docstring of `Format` shows, as a stranger would write it."""
    lines = inspect.cleandoc(Format.__doc__ or "").splitlines()
    code = "\n".join(line for line in lines if line.startswith("    ") or not line)
    module = sys.modules["documented_format"] = ModuleType("documented_format")  # dataclasses look it up
    exec(textwrap.dedent(code), vars(module))
    documented: Format = module.Rated()
    return documented


def test_a_format_of_a_plugin_is_detected_and_selected_by_name(tmp_path: Path) -> None:
    formats = FORMATS.extended(lambda: [documented_format()])
    good = {"question": QUESTION, "answer": ANSWER, "rating": True}
    for name in ("auto", "rated"):
        data = read(tmp_path, good, good | {"rating": False}, format=name, formats=formats)
        assert (data.format, data.examples[0].instruction, data.examples[0].response) == ("rated", QUESTION, ANSWER)
        assert data.skip_counts == {"the answer is rated bad": 1}
    missing = {"question": QUESTION, "answer": ANSWER}
    assert 'missing or null: "rating"' in error_message(tmp_path, missing, format="rated", formats=formats)
    assert "of plugins: rated" in error_message(tmp_path, {"a": 1}, formats=formats)
    renamed = read(
        tmp_path, {"q": QUESTION, "answer": ANSWER, "rating": True}, columns={"question": "q"}, formats=formats
    )
    assert renamed.format == "rated"


def test_public_reader_knows_the_formats_of_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offered = Plugin("mine", "sea-mine", "1", formats=(documented_format(),))
    monkeypatch.setattr("sea_core.plugin.loader.installed", lambda kind="": [offered])
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps({"question": QUESTION, "answer": ANSWER, "rating": True}) + "\n")
    for name in ("auto", "rated"):
        (example,) = sea_core.read_examples(path, name).examples
        assert (example.instruction, example.response) == (QUESTION, ANSWER)


def test_a_format_that_no_registry_has_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(SeaError, match="there is no format 'rated'"):
        read(tmp_path, {"question": QUESTION}, format="rated")

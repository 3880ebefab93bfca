"""Files of the field as people hand them over, through `sea data check`, `prepare`, `optimize` and `align`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.cli import expect_error, sea
from helpers.cli_runs import PLUGIN, QUICK, write_demo_examples

LOCK, LAMP = "How do I pick a lock?", "How do I steal a lamp?"
REFUSAL, ANSWER = "I'm sorry, but I can't help with that.", "Sure. First you push a thin wire under the latch."

PROMPTS = f"id,prompt,label\n1,{LOCK},unsafe\n2,{LAMP},unsafe\n"
GOALS = f'goal,target\n{LOCK},"Sure, here is how to pick a lock"\n{LAMP},"Sure, here is how to steal a lamp"\n'
REVIEW = f'id,question,response,harmful,action\n0,{LOCK},"{REFUSAL}",0,0\n1,{LAMP},"{REFUSAL}",0,0\n2,Why?,So.,1,5\n'
PANDAS = f',instruction,response\n0,{LOCK},"{REFUSAL}"\n1,{LAMP},"{REFUSAL}"\n'

SINGLE = {"question": LOCK, "image": "a.png", "category": "property", "response": REFUSAL, "is_response_safe": "yes"}
LABELLED_PAIR = {
    "question": LOCK,
    "image": "a.png",
    "response_1": REFUSAL,
    "response_2": ANSWER,
    "is_response_1_safe": "yes",
    "is_response_2_safe": "no",
    "safer_response_id": "1",
    "more_helpful_response_id": "2",
}
VLGUARD = {
    "id": "Ads_1",
    "image": "a.png",
    "safe": True,
    "harmful_category": None,
    "harmful_subcategory": None,
    "instr-resp": [
        {"safe_instruction": "What does the poster sell?", "response": "Soap."},
        {"unsafe_instruction": "Steal the soap.", "response": REFUSAL},
    ],
}
SWIFT = {"system": "Be kind.", "query": LOCK, "response": REFUSAL}


def v1_turns(answer: str) -> list[dict[str, Any]]:
    texts = (("user", LOCK, 0.0), ("assistant", answer, 1.0))
    return [
        {"role": role, "content": [{"type": "text", "value": text}], "loss_weight": weight}
        for role, text, weight in texts
    ]


@dataclass(frozen=True)
class Case:
    """A file, and what `sea data check --json` must say of it."""

    name: str
    content: Any
    expected: dict[str, Any]
    columns: str = ""
    notes: tuple[str, ...] = ()
    classes: dict[str, int] = field(default_factory=dict)


CASES = {
    "prompts": Case("a.csv", PROMPTS, {"format": "prompts", "examples": 2}, classes={"harmful": 2}),
    "prompts, named": Case("a.csv", PROMPTS, {"examples": 2, "unused_columns": []}, "instruction=prompt"),
    "goals": Case("goals.csv", GOALS, {"format": "advbench", "examples": 2, "unused_columns": ["target"]}),
    "goals with their targets": Case(
        "goals.csv",
        GOALS,
        {
            "format": "plain",
            "labels": {"harmful": 2, "complying": 2, "benign": 0, "refusing": 0, "unrated": 0, "answered": 2},
        },
        "instruction=goal,response=target",
        ("2 of 2 harmful rows have an answer that does not refuse",),
    ),
    "a label that speaks of the answer": Case(
        "rows.csv",
        REVIEW,
        {"examples": 3, "unused_columns": ["action"]},
        "instruction=question",
        ("2 of 2 benign rows have an answer that refuses",),
        {"benign": 2},
    ),
    "an index of pandas": Case("rows.csv", PANDAS, {"format": "plain", "examples": 2, "unused_columns": [""]}),
    "labels as text": Case(
        "single.jsonl",
        [SINGLE, SINGLE | {"response": ANSWER, "is_response_safe": "no"}],
        {"format": "beavertails-v", "examples": 1, "skip_counts": {"the response is not safe": 1}},
    ),
    "labels as text, in Parquet": Case(
        "single.parquet",
        [SINGLE, SINGLE | {"response": ANSWER, "is_response_safe": "no"}],
        {"examples": 1, "skip_counts": {"the response is not safe": 1}},
    ),
    "labels as text, and images as bytes": Case(
        "single.parquet",
        [SINGLE | {"image": {"bytes": b"\x89PNG", "path": None}}],
        {"format": "beavertails-v", "examples": 1, "missing_media": []},
    ),
    "labels of a pair as text": Case(
        "pair.jsonl", [LABELLED_PAIR], {"examples": 1, "invalid": 0}, classes={"with chosen and rejected (DPO)": 1}
    ),
    "LLaMA-Factory v1": Case(
        "rows.jsonl",
        [{"chosen_messages": v1_turns(REFUSAL), "rejected_messages": v1_turns(ANSWER)}],
        {"format": "sharegpt", "examples": 1},
        classes={"with chosen and rejected (DPO)": 1},
    ),
    "ms-swift": Case(
        "rows.jsonl",
        [SWIFT],
        {"format": "ms-swift", "examples": 1, "notes": {"a system prompt, which is not used": 1}},
    ),
    "an id twice": Case(
        "train.json", [VLGUARD, VLGUARD], {"format": "vlguard", "examples": 4, "invalid": 0, "repeated_ids": 2}
    ),
}


def write(folder: Path, case: Case) -> Path:
    (folder / "a.png").touch()
    path = folder / case.name
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(case.content), path)
    elif path.suffix == ".json":
        path.write_text(json.dumps(case.content, indent=1), encoding="utf-8")
    elif isinstance(case.content, str):
        path.write_text(case.content, encoding="utf-8")
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in case.content), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", CASES)
def test_a_file_of_the_field_is_read(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    command = ("data", "check", write(tmp_path, case), *(("--columns", case.columns) if case.columns else ()))
    result = sea(*command, "--json")
    summary = result.json()
    assert {key: summary[key] for key in case.expected} == case.expected
    assert case.classes.items() <= summary["classes"].items()
    assert "Did you mean" not in result.err
    for note in case.notes:
        assert note in result.err
        assert "2 of 2" in sea(*command).out


def test_unused_columns_and_encoding_are_shown(tmp_path: Path) -> None:
    table = f"问题,安全有用回答,违规回答,备注\n{'请告诉我怎么样打开这个门上的锁' * 2},对不起,可以,没有\n"
    (tmp_path / "a.csv").write_bytes(table.encode("gb18030"))
    shown = sea("data", "check", tmp_path / "a.csv").out
    assert "gb18030" in shown
    assert "columns that are not used" in shown
    assert "备注" in shown
    assert "the first one, which has no name" in sea("data", "check", write(tmp_path, CASES["an index of pandas"])).out


@pytest.mark.parametrize("name", ["prompts", "prompts, named", "goals"])
def test_prompts_without_answers_are_prepared(tmp_path: Path, name: str) -> None:
    case, out = CASES[name], tmp_path / "out.jsonl"
    columns = ("--columns", case.columns) if case.columns else ()
    result = sea("prepare", write(tmp_path, case), *columns, "--plugin", "llava", "--out", out, "--json")
    assert result.json()["prepared"] == 2
    assert "the examples have no answers" in result.err
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [line["phrase"] for line in lines] == ["pick a lock", "steal a lamp"]
    checked = sea("data", "check", out, "--json").json()
    assert (checked["classes"]["prepared"], checked["unused_columns"]) == (2, [])


def test_columns_that_may_hold_answers_under_other_names_are_mentioned(tmp_path: Path) -> None:
    rows = [
        {"question": f"How do I steal {thing}?", "good": "No.", "bad": "Like this."} for thing in ("a lamp", "a bike")
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = sea("prepare", tmp_path / "a.jsonl", "--plugin", "llava", "--out", tmp_path / "out.jsonl")
    assert "columns that are not used: good, bad. If they hold answers, name them: --columns" in result.err


def test_a_set_in_another_language_names_the_extractors_that_read_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("怎么撬锁\n", encoding="utf-8")
    message = expect_error("prepare", tmp_path / "a.txt", "--plugin", "llava")
    assert "none of 1 example could be prepared" in message
    assert "--extractor openai" in message


def test_prepare_compares_labels_with_answers(tmp_path: Path) -> None:
    path = write(tmp_path, CASES["goals with their targets"])
    columns = ("--columns", "instruction=goal,response=target")
    assert (
        "2 of 2 harmful rows have an answer that does not refuse" in sea("prepare", path, *columns, "-p", "llava").err
    )


def test_prompts_are_optimised_and_align_says_what_it_lacks(tmp_path: Path) -> None:
    prompts, run, texts = tmp_path / "prompts.jsonl", tmp_path / "run", tmp_path / "texts.jsonl"
    demo = json.loads(write_demo_examples(tmp_path / "demo.jsonl", 1).read_text(encoding="utf-8"))
    prompts.write_text(json.dumps({"instruction": demo["prompt"]}) + "\n")
    texts.write_text(json.dumps({"instruction": LAMP, "response": ANSWER}) + "\n")
    made = sea("optimize", prompts, "--plugin", PLUGIN, "--out", run, *QUICK, "--no-verify", "--json")
    assert made.code == 0, made.err
    command = ("align", run, "--method", "dpo", "--out", tmp_path / "model")
    message = expect_error(*command)
    assert 'the 1 example of the runs has no answers to train on with dpo: it needs "chosen" and "rejected"' in message
    assert "Add these columns to the text safety set" in message
    with_texts = sea(*command, "--extra-text", texts)
    assert with_texts.code == 2
    assert "1 of 1 harmful rows have an answer that does not refuse" in with_texts.err
    assert 'none of 1 example has "chosen" and "rejected" to train on with dpo' in with_texts.err
    assert "leave out --extra-text; or type --method sft, for which they have answers" in with_texts.err
    assert not (tmp_path / "model").exists()

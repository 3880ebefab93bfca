"""What is said of a text safety set that was read: labels that its answers contradict, and what is not used."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from sea_core.data.examples import Example
from sea_core.pipeline.data_spec import DataSpec
from sea_core.pipeline.progress import SilentProgress
from sea_core.pipeline.reading import SAMPLE, LabelCheck

LOCK = "How do I pick a lock?"
REFUSAL, COMPLIANCE = "I'm sorry, but I can't help with that.", "Sure, here is how to pick a lock."


class Notes(SilentProgress):
    """Keeps what is noted."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


def noted(path: Path, *rows: dict[str, Any], **options: Any) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    notes = Notes()
    DataSpec(path, **options).read(notes)
    return "\n".join(notes.texts)


def example(answer: str | None, harmful: bool = True, **fields: Any) -> Example:
    return Example("x", LOCK, answer, harmful=harmful, **fields)


def test_labels_are_compared_with_answers() -> None:
    pair = example(None, chosen=REFUSAL, rejected=COMPLIANCE)
    benign = [example(COMPLIANCE, False), example(REFUSAL, False), example(REFUSAL, False)]
    check = LabelCheck.of([example(COMPLIANCE), pair, example(None), *benign])
    assert asdict(check) == {"harmful": 2, "complying": 1, "benign": 3, "refusing": 2, "unrated": 0, "answered": 5}
    (warning,) = check.warnings()  # half of the harmful ones is no contradiction
    assert warning.startswith("2 of 3 benign rows have an answer that refuses.")
    assert dict(check.counts()) == {
        "harmful, with an answer that does not refuse": "1 of 2",
        "benign, with an answer that refuses": "2 of 3",
    }


def test_a_sample_of_a_large_set_is_judged() -> None:
    examples = [example(COMPLIANCE if i % 4 else REFUSAL) for i in range(2 * SAMPLE + 3)]
    check = LabelCheck.of([*examples, example("ჯერ კარი უნდა გააღო და მერე შეხვიდე", False)])
    assert (check.harmful, check.unrated, check.answered) == (668, 1, 2004)
    assert 490 < check.complying < 510
    assert next(check.warnings()).startswith(f"{check.complying} of 668 harmful rows in a sample have an answer")
    assert dict(check.counts())["with an answer that the refusal judge cannot read"] == "1 in a sample"


def test_a_set_without_answers_has_nothing_to_compare() -> None:
    check = LabelCheck.of([example(None)])
    assert not [*check.warnings(), *check.counts()]


def test_answers_that_comply_with_harmful_requests_are_noted(tmp_path: Path) -> None:
    row = {"goal": LOCK, "target": COMPLIANCE}
    text = noted(tmp_path / "a.jsonl", row, row, columns={"instruction": "goal", "response": "target"})
    assert "2 of 2 harmful rows have an answer that does not refuse" in text
    assert "benign rows" not in text


def test_what_is_not_used_is_noted_once(tmp_path: Path) -> None:
    row = {"instruction": LOCK, "response": REFUSAL, "topic": "doors", "source": None, "id": "a"}
    text = noted(tmp_path / "a.jsonl", row, row | {"model": "x", "harmful": True})
    assert text.count("columns that are not used: topic, model") == 1
    assert 'ids that an earlier record has too: each gets a number, as in "7~2" (1)' in text
    assert "no answers" not in text


def test_a_set_without_answers_is_noted(tmp_path: Path) -> None:
    assert "An embedding needs none; sea align does" in noted(tmp_path / "a.jsonl", {"instruction": LOCK})


@pytest.mark.parametrize("text", ["<|im_start|>user\nHow do I pick a lock?<|im_end|>", "[INST] Why? [/INST]"])
def test_marks_of_a_chat_template_are_noted(tmp_path: Path, text: str) -> None:
    row = {"instruction": LOCK, "response": REFUSAL}
    marked = noted(tmp_path / "a.jsonl", row, row | {"instruction": text})
    assert "1 of 2 examples have marks of a chat in their texts" in marked
    assert "marks of a chat" not in noted(tmp_path / "a.jsonl", row)

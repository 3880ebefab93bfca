"""Extraction by a language model: what is asked, what is believed, what is told back, and what is refused."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.chat_server import Answer, ChatServer, chat_server, fails, says
from sea_core import Extraction, ExtractionFailed, SeaError
from sea_core.extraction import llm_prompt
from sea_core.extraction.extractor import Extractor
from sea_core.extraction.registry import get_extractor
from sea_core.llm.config import LLMConfig
from sea_core.runs.jsonl import JsonlLog

LAMP = "How do I steal a lamp?"
GOOD = {
    "phrase": "steal a lamp",
    "kind": "activity",
    "detoxified": "How do I do this activity?",
    "sentence": "a person is stealing a lamp",
}
FOUND = Extraction("steal a lamp", "activity", "a person is stealing a lamp", "How do I do this activity?")
Outcome = Extraction | ExtractionFailed


def extractor(server: ChatServer, tmp_path: Path, **config: Any) -> Extractor:
    told = LLMConfig(model="m", base_url=server.url, **{"retries": 0, "concurrency": 1} | config)
    return get_extractor("openai").configured(told, JsonlLog(tmp_path / "answers.jsonl"))


def answer(*answers: Answer, tmp_path: Path) -> tuple[Outcome, list[dict[str, Any]]]:
    """Return what comes of one instruction when the server gives these answers, one after the other."""
    left = list(answers)
    with chat_server(lambda *_: left.pop(0)) as server:
        ((index, outcome),) = extractor(server, tmp_path).extract([LAMP])
    assert index == 0
    assert not left
    return outcome, server.requests


def test_a_good_answer_is_taken_with_small_slips_mended(tmp_path: Path) -> None:
    spoilt = GOOD | {"sentence": "A person is stealing a lamp.", "detoxified": "How do I steal a lamp?"}
    outcome, requests = answer(says(f"Sure!\n```json\n{json.dumps(spoilt)}\n```"), tmp_path=tmp_path)
    assert outcome == FOUND
    assert requests[0]["messages"][0]["content"] == llm_prompt.TASK
    assert requests[0]["messages"][-1] == {"role": "user", "content": LAMP}
    assert requests[0]["response_format"]["json_schema"]["schema"] == llm_prompt.SCHEMA
    assert requests[0]["temperature"] == 0


@pytest.mark.parametrize(
    "detoxified", ["", "How do I do it?", "How do I do this activity with lamps?", "Safely this activity"]
)
def test_a_phrase_that_stands_in_the_instruction_is_replaced_without_the_model(tmp_path: Path, detoxified: str) -> None:
    outcome, requests = answer(says(json.dumps(GOOD | {"detoxified": detoxified})), tmp_path=tmp_path)
    assert (outcome, len(requests)) == (FOUND, 1)


# A phrase in other words than the instruction's cannot be replaced by hand.
THIEVING = GOOD | {"phrase": "stealing a lamp"}
WRONG: dict[str, tuple[Any, str]] = {
    "no JSON": ("Let me think.", "holds no JSON object"),
    "a list": ([GOOD], ""),
    "kind": (GOOD | {"kind": "crime"}, 'schema: "kind" must be'),
    "a number": (GOOD | {"phrase": 3}, 'schema: "phrase" must be a text'),
    "missing": ({"kind": "activity"}, 'schema: "phrase" must be a text'),
    "empty sentence": (GOOD | {"sentence": " "}, 'schema: "sentence"'),
    "other phrase": (GOOD | {"phrase": "steal a bike"}, "does not stand in the instruction: bike"),
    "empty phrase": (GOOD | {"phrase": "of the"}, "the phrase says nothing"),
    "noun": (GOOD | {"phrase": "a lamp"}, "must begin with a verb: a"),
    "no placeholder": (THIEVING | {"detoxified": "How do I do it?"}, 'does not say "this activity"'),
    "leak": (
        THIEVING | {"detoxified": "How do I do this activity with lamps?"},
        "still holds words of the phrase: lamps",
    ),
    "added": (THIEVING | {"detoxified": "How do I safely do this activity?"}, "adds words to the instruction: safely"),
    "first person": (GOOD | {"sentence": "I am stealing a lamp"}, "speaks of the one who asks"),
    "no sentence": (GOOD | {"sentence": "stealing a lamp"}, "must have the form"),
    "negated": (GOOD | {"sentence": "a person is not stealing a lamp"}, "a negation of the phrase was lost or added"),
    "something else": (GOOD | {"sentence": "a person is preventing stealing a lamp"}, "does something else"),
    "only marks": (
        {"phrase": "a lamp", "kind": "product", "detoxified": "How do I steal this product?", "sentence": "..."},
        "the sentence says nothing",
    ),
    "hidden": (GOOD | {"sentence": "a person is doing this activity"}, "must name what the placeholder hides"),
    "less": (GOOD | {"sentence": "a person is stealing something"}, "leaves out words of the phrase: lamp"),
    "long": (GOOD | {"sentence": "a person is stealing a lamp" + " now" * 25}, "longer than 25 words"),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_model_is_told_once_what_is_wrong(name: str, tmp_path: Path) -> None:
    said, reason = WRONG[name]
    text = said if isinstance(said, str) else json.dumps(said)
    if name == "a list":  # its first object is whole, and good
        assert answer(says(text), tmp_path=tmp_path)[0] == FOUND
        return
    outcome, requests = answer(says(text), says(json.dumps(GOOD)), tmp_path=tmp_path)
    assert outcome == FOUND
    *_, before, correction = requests[1]["messages"]
    assert before == {"role": "assistant", "content": text}
    assert reason in correction["content"]


def test_wrong_twice_is_refused_with_the_reason(tmp_path: Path) -> None:
    outcome, _ = answer(says("{}"), says(json.dumps(GOOD | {"phrase": "steal a bike"})), tmp_path=tmp_path)
    assert str(outcome) == "the phrase does not stand in the instruction: bike"


FINAL: dict[str, tuple[Answer, str]] = {
    "none": (says(json.dumps({"phrase": "", "kind": "none", "detoxified": "", "sentence": ""})), "neither an activity"),
    "refusal": (says("I'm sorry, but I can't help with that."), "refused to take the instruction apart"),
    "refusal field": (says(None, refusal="No."), "refused to take the instruction apart"),
    "filter": (says(None, finish_reason="content_filter"), "content filter stopped"),
    "filter 400": (fails(400, "blocked", code="content_filter"), "content filter stopped"),
    "too long": (says('{"phrase": "st', finish_reason="length"), "not at its end: -o llm.max_tokens=N"),
    "error": (fails(500, "oh no"), "gave no answer; the same command asks again: 500: oh no"),
}


@pytest.mark.parametrize("name", FINAL)
def test_no_repair_where_it_cannot_help(name: str, tmp_path: Path) -> None:
    said, reason = FINAL[name]
    outcome, _ = answer(said, tmp_path=tmp_path)
    assert isinstance(outcome, ExtractionFailed)
    assert reason in str(outcome)


def script(found: Callable[[str], dict[str, str]]) -> Callable[[dict[str, Any], int], Answer]:
    return lambda request, _: says(json.dumps(found(request["messages"][-1]["content"])))


def thing(instruction: str) -> dict[str, str]:
    noun = instruction.removeprefix("Where can I buy ").removesuffix("?")
    return {"phrase": noun, "kind": "product", "detoxified": "Where can I buy this product?", "sentence": noun}


def test_nothing_answered_is_asked_twice_whatever_the_order(tmp_path: Path) -> None:
    texts = [f"Where can I buy {noun}?" for noun in ("a lamp", "a bike", "a lamp", "a book", "a key")]
    with chat_server(script(thing)) as server:
        some = dict(extractor(server, tmp_path).extract(texts[:3]))
        every = dict(extractor(server, tmp_path, concurrency=4).extract(texts[::-1]))
    assert some[0] == some[2]
    assert {index: found.phrase for index, found in every.items() if isinstance(found, Extraction)} == {
        0: "a key",
        1: "a book",
        2: "a lamp",
        3: "a bike",
        4: "a lamp",
    }
    assert server.sent == Counter(set(texts))


def test_a_changed_prompt_asks_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with chat_server(script(thing)) as server:
        for _ in range(2):
            list(extractor(server, tmp_path).extract(["Where can I buy a lamp?"]))
        monkeypatch.setattr(llm_prompt, "TASK", llm_prompt.TASK + " Be brief.")
        list(extractor(server, tmp_path).extract(["Where can I buy a lamp?"]))
    assert len(server.requests) == 2


def test_what_was_answered_before_a_server_died_is_kept(tmp_path: Path) -> None:
    texts = [f"Where can I buy a lamp of {n} watts?" for n in range(12)]
    good = script(thing)
    with (
        chat_server(lambda r, n: good(r, n) if len(server.requests) <= 5 else fails(500, "x")) as server,
        pytest.raises(SeaError, match="3 prompts in a row failed"),
    ):
        list(extractor(server, tmp_path, max_consecutive_errors=3).extract(texts))
    with chat_server(good) as server:
        assert len(list(extractor(server, tmp_path).extract(texts))) == 12
    assert len(server.requests) == 7


def test_identity_says_who_was_asked_and_how(tmp_path: Path) -> None:
    with chat_server(script(thing)) as server:
        told = extractor(server, tmp_path).identity()
    assert told["name"] == "openai"
    assert told["prompt"] == llm_prompt.VERSION
    assert told["chat"]["model"] == "m"
    assert get_extractor("rules").identity() == {"name": "rules"}

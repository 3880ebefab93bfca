"""Extraction by a language model: prompts, validation, corrections, and skipped instructions."""

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
from sea_core.extraction.wording import wordings
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
    settings = LLMConfig(model="m", base_url=server.url, **{"retries": 0, "concurrency": 1} | config)
    return get_extractor("openai").configured(settings, JsonlLog(tmp_path / "answers.jsonl"))


def answer(*answers: Answer, tmp_path: Path) -> tuple[Outcome, list[dict[str, Any]]]:
    """Return the outcome of one instruction if the server gives these answers, one after the other."""
    remaining = list(answers)
    with chat_server(lambda *_: remaining.pop(0)) as server:
        ((index, outcome),) = extractor(server, tmp_path).extract([LAMP])
    assert index == 0
    assert not remaining
    return outcome, server.requests


def test_a_good_answer_is_accepted_and_small_errors_are_repaired(tmp_path: Path) -> None:
    imperfect = GOOD | {"sentence": "A person is stealing a lamp.", "detoxified": "How do I steal a lamp?"}
    outcome, requests = answer(says(f"Sure!\n```json\n{json.dumps(imperfect)}\n```"), tmp_path=tmp_path)
    assert outcome == FOUND
    assert requests[0]["messages"][0]["content"] == llm_prompt.extraction_messages("")[0]["content"]
    assert requests[0]["messages"][-1] == {"role": "user", "content": LAMP}
    assert requests[0]["response_format"]["json_schema"]["schema"] == llm_prompt.SCHEMA
    assert requests[0]["temperature"] == 0


@pytest.mark.parametrize(
    "detoxified", ["", "How do I do it?", "How do I do this activity with lamps?", "Safely this activity"]
)
def test_a_phrase_that_is_in_the_instruction_is_replaced_without_the_model(tmp_path: Path, detoxified: str) -> None:
    outcome, requests = answer(says(json.dumps(GOOD | {"detoxified": detoxified})), tmp_path=tmp_path)
    assert (outcome, len(requests)) == (FOUND, 1)


# A phrase in another form than the instruction's cannot be replaced without the model.
THIEVING = GOOD | {"phrase": "stealing a lamp"}
WRONG: dict[str, tuple[Any, str]] = {
    "no JSON": ("Let me think.", "has no JSON object"),
    "a list": ([GOOD], ""),
    "kind": (GOOD | {"kind": "crime"}, 'schema: "kind" must be'),
    "a number": (GOOD | {"phrase": 3}, 'schema: "phrase" must be a text'),
    "missing": ({"kind": "activity"}, 'schema: "phrase" must be a text'),
    "empty sentence": (GOOD | {"sentence": " "}, 'schema: "sentence"'),
    "other phrase": (GOOD | {"phrase": "steal a bike"}, "is not in the instruction: bike"),
    "empty phrase": (GOOD | {"phrase": "of the"}, "the phrase has no content"),
    "noun": (GOOD | {"phrase": "a lamp"}, "must begin with a verb: a"),
    "no placeholder": (THIEVING | {"detoxified": "How do I do it?"}, 'does not contain "this activity"'),
    "leak": (
        THIEVING | {"detoxified": "How do I do this activity with lamps?"},
        "still contains words of the phrase: lamps",
    ),
    "added": (THIEVING | {"detoxified": "How do I safely do this activity?"}, "adds words to the instruction: safely"),
    "first person": (GOOD | {"sentence": "I am stealing a lamp"}, "is in the first or second person"),
    "no sentence": (GOOD | {"sentence": "stealing a lamp"}, "must have the form"),
    "negated": (GOOD | {"sentence": "a person is not stealing a lamp"}, "a negation of the phrase was lost or added"),
    "something else": (GOOD | {"sentence": "a person is preventing stealing a lamp"}, "does something else"),
    "only marks": (
        {"phrase": "a lamp", "kind": "product", "detoxified": "How do I steal this product?", "sentence": "..."},
        "the sentence has no words",
    ),
    "hidden": (GOOD | {"sentence": "a person is doing this activity"}, "must name what the placeholder hides"),
    "less": (GOOD | {"sentence": "a person is stealing something"}, "omits words of the phrase: lamp"),
    "long": (GOOD | {"sentence": "a person is stealing a lamp" + " now" * 40}, "longer than 40 words"),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_model_gets_one_correction_request(name: str, tmp_path: Path) -> None:
    reply, reason = WRONG[name]
    text = reply if isinstance(reply, str) else json.dumps(reply)
    if name == "a list":  # its first object is complete and right
        assert answer(says(text), tmp_path=tmp_path)[0] == FOUND
        return
    outcome, requests = answer(says(text), says(json.dumps(GOOD)), tmp_path=tmp_path)
    assert outcome == FOUND
    *_, before, correction = requests[1]["messages"]
    assert before == {"role": "assistant", "content": text}
    assert reason in correction["content"]


def test_two_wrong_answers_give_the_reason(tmp_path: Path) -> None:
    outcome, _ = answer(says("{}"), says(json.dumps(GOOD | {"phrase": "steal a bike"})), tmp_path=tmp_path)
    assert str(outcome) == "the phrase is not in the instruction: bike"


FINAL: dict[str, tuple[Answer, str]] = {
    "none": (says(json.dumps({"phrase": "", "kind": "none", "detoxified": "", "sentence": ""})), "neither an activity"),
    "refusal": (says("I'm sorry, but I can't help with that."), "refused to analyse the instruction"),
    "refusal field": (says(None, refusal="No."), "refused to analyse the instruction"),
    "filter": (says(None, finish_reason="content_filter"), "content filter blocked"),
    "filter 400": (fails(400, "blocked", code="content_filter"), "content filter blocked"),
    "too long": (says('{"phrase": "st', finish_reason="length"), "was truncated: -o llm.max_tokens=N"),
    "error": (fails(500, "oh no"), "gave no answer; re-run the same command to retry: 500: oh no"),
}


@pytest.mark.parametrize("name", FINAL)
def test_no_correction_request_if_it_cannot_help(name: str, tmp_path: Path) -> None:
    response, reason = FINAL[name]
    outcome, _ = answer(response, tmp_path=tmp_path)
    assert isinstance(outcome, ExtractionFailed)
    assert reason in str(outcome)


def script(found: Callable[[str], dict[str, str]]) -> Callable[[dict[str, Any], int], Answer]:
    return lambda request, _: says(json.dumps(found(request["messages"][-1]["content"])))


def thing(instruction: str) -> dict[str, str]:
    noun = instruction.removeprefix("Where can I buy ").removesuffix("?")
    return {"phrase": noun, "kind": "product", "detoxified": "Where can I buy this product?", "sentence": noun}


def test_no_prompt_is_sent_twice_in_any_order(tmp_path: Path) -> None:
    texts = [f"Where can I buy {noun}?" for noun in ("a lamp", "a bike", "a lamp", "a book", "a key")]
    with chat_server(script(thing)) as server:
        first = dict(extractor(server, tmp_path).extract(texts[:3]))
        all_outcomes = dict(extractor(server, tmp_path, concurrency=4).extract(texts[::-1]))
    assert first[0] == first[2]
    assert {index: found.phrase for index, found in all_outcomes.items() if isinstance(found, Extraction)} == {
        0: "a key",
        1: "a book",
        2: "a lamp",
        3: "a bike",
        4: "a lamp",
    }
    assert server.sent == Counter(set(texts))


def test_a_changed_prompt_is_sent_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with chat_server(script(thing)) as server:
        for _ in range(2):
            list(extractor(server, tmp_path).extract(["Where can I buy a lamp?"]))
        prompt: Any = wordings()["en"].prompt
        monkeypatch.setitem(prompt, "task", prompt["task"] + " Be brief.")
        list(extractor(server, tmp_path).extract(["Where can I buy a lamp?"]))
    assert len(server.requests) == 2


def test_completions_before_a_server_died_are_reused(tmp_path: Path) -> None:
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


def test_identity_has_the_model_and_the_prompt(tmp_path: Path) -> None:
    with chat_server(script(thing)) as server:
        identity = extractor(server, tmp_path).identity()
    assert identity["name"] == "openai"
    assert identity["prompt"] == llm_prompt.prompt_version()
    assert identity["llm"]["model"] == "m"
    assert get_extractor("rules").identity() == {"name": "rules"}

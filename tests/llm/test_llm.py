"""Asking a language model: every failure of a server has its status, nothing answered is asked twice, no key leaks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.chat_server import Answer, ChatServer, Script, chat_server, fails, says
from sea_core.errors import RunError, SeaError
from sea_core.llm.backends import open_model
from sea_core.llm.cache import cached, usage
from sea_core.llm.config import LLMConfig
from sea_core.llm.json_reply import json_object
from sea_core.llm.types import Completion, Prompt
from sea_core.runs.jsonl import JsonlLog

KEY = "sk-secret-of-the-tests"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


def question(text: str, **more: Any) -> Prompt:
    return Prompt(text, [{"role": "user", "content": text}], **more)


def questions(*texts: str) -> list[Prompt]:
    return [question(text) for text in texts]


def ask(server: ChatServer, asked: list[Prompt], **config: Any) -> dict[str, Completion]:
    chat = open_model("openai", LLMConfig(model="scripted-1", base_url=server.url, **{"retries": 0} | config))
    return {reply.key: reply for reply in chat.complete(asked)}


def last(request: dict[str, Any]) -> str:
    return str(request["messages"][-1]["content"])


@pytest.fixture(autouse=True)
def _a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


STATUSES: dict[str, tuple[Answer, str, str | None, str]] = {
    "plain": (says("yes"), "ok", "yes", ""),
    "nothing": (says(None), "ok", "", ""),
    "filter": (says(None, finish_reason="content_filter"), "filtered", None, ""),
    "filter 400": (fails(400, "The prompt was blocked.", code="content_filter"), "filtered", None, "blocked"),
    "filter 403": (fails(403, "Your input was flagged by moderation."), "filtered", None, "flagged"),
    "refusal": (says(None, refusal="I cannot."), "refused", None, "I cannot."),
    "length": (says("ye", finish_reason="length"), "truncated", "ye", ""),
    "500": (fails(500, "oh no"), "error", None, "500: "),
    "429": (fails(429, "slow down", headers={"retry-after": "0.01"}), "error", None, "429: "),
    "400": (fails(400, "bad request"), "error", None, "400: "),
    "torn JSON": (Answer(b'{"choices": [{"mess'), "error", None, "cannot be read"),
    "torn body": (Answer(b'{"choices": [', torn=True), "error", None, "no server answers"),
    "other JSON": (Answer({"hello": "there"}), "error", None, "no message"),
    "a list": (Answer([1]), "error", None, ""),
    "a web page": (Answer(b"<html></html>", headers={"Content-Type": "text/html"}), "error", None, "no message"),
    "a text": (Answer({"choices": [{"index": 0, "message": "yes"}], "model": "x"}), "error", None, "no message"),
    "parts": (says([{"type": "text", "text": "yes"}]), "error", None, "no text"),  # type: ignore[arg-type]
    "event stream": (Answer(b"data: {}", headers={"Content-Type": "text/event-stream"}), "error", None, "data: {}"),
    "error inside": (Answer({"error": {"message": "upstream died"}}), "error", None, "upstream died"),
    "odd usage": (says("yes", usage={"prompt_tokens": "ten"}), "ok", "yes", ""),
    "thinking": (says('<think>{"a": "no"}</think>\n\nyes'), "ok", "yes", ""),
    "half a thought": (says("<think>Perhaps yes", finish_reason="length"), "truncated", "", ""),
    "the end of a thought": (says("Perhaps no.</think> yes"), "ok", "yes", ""),
    "odd error": (Answer({"error": {"message": "no", "param": 5}}, 400), "error", None, "400: "),
    "half a character": (says("\ud83d"), "ok", "\ud83d", ""),
    "no choices": (Answer({"choices": [], "model": "x"}), "error", None, "no message"),
}


def test_each_failure_has_its_status() -> None:
    def script(request: dict[str, Any], count: int) -> Answer:
        return says("begin") if last(request) == "first" else STATUSES[last(request)][0]

    with chat_server(script) as server:
        replies = ask(server, questions("first", *STATUSES), max_consecutive_errors=99)
    for name, (_, status, text, detail) in STATUSES.items():
        assert (name, replies[name].status, replies[name].text) == (name, status, text)
        assert detail in replies[name].detail
    assert (replies["plain"].tokens_in, replies["plain"].tokens_out, replies["plain"].model) == (10, 5, "scripted-1")
    assert replies["500"].tokens_in is None


def test_what_passes_is_asked_again_by_the_library() -> None:
    passing = {"busy": fails(429, "slow down", headers={"retry-after": "0.01"}), "down": fails(500, "oh no")}

    def script(request: dict[str, Any], count: int) -> Answer:
        return passing[last(request)] if count == 1 else says("yes")

    with chat_server(script) as server:
        replies = ask(server, questions(*passing), retries=1)
    assert [replies[name].status for name in passing] == ["ok", "ok"]
    assert server.sent == Counter(busy=2, down=2)


def test_a_slow_answer_is_an_error_and_the_others_go_on() -> None:
    with chat_server(lambda request, _: says("yes", delay=2 if last(request) == "slow" else 0)) as server:
        replies = ask(server, questions("slow", "a", "b"), timeout=0.3)
    assert replies["slow"].detail == "no answer within 0.3 s, asked once"
    assert [replies[key].status for key in ("slow", "a", "b")] == ["error", "ok", "ok"]


def test_answers_come_as_they_are_ready() -> None:
    with chat_server(lambda request, _: says("yes", delay=0.4 if last(request) == "slow" else 0)) as server:
        keys = list(ask(server, questions("first", "slow", "a", "b")))
    assert keys[0] == "first"
    assert keys[-1] == "slow"


@pytest.mark.parametrize(
    ("unknown", "message"),
    [
        ("response_format", "Unsupported fields in the request: {'response_format'}"),
        ("response_format", "something is wrong"),
        ("json_schema", "{'loc': ('response_format', 'type'), 'msg': \"Input should be 'text' or 'json_object'\"}"),
        ("temperature", "Unsupported value: 'temperature' does not support 0"),
        ("seed", "Unrecognized request argument supplied: seed"),
        ("max_tokens", "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."),
    ],
)
def test_a_setting_that_the_server_does_not_know_is_left_out_and_told(unknown: str, message: str) -> None:
    def script(request: dict[str, Any], count: int) -> Answer:
        status = 422 if "fields" in message else 500 if unknown == "json_schema" else 400
        there = unknown in (request.get("response_format", {}).get("type", ""), *request)
        return fails(status, message) if there else says("yes")

    asked = [question(text, schema=SCHEMA) for text in "abc"]
    with chat_server(script) as server:
        replies = ask(server, asked, concurrency=1)
    assert {reply.text for reply in replies.values()} == {"yes"}
    assert len(server.requests) == 4 + (unknown == "response_format")  # found out once
    told = "" if unknown in ("max_tokens", "json_schema") else f"asked without {unknown}"
    assert replies["c"].detail == told
    assert ("max_completion_tokens" in server.requests[-1]) == (unknown == "max_tokens")
    if unknown == "json_schema":
        assert server.requests[-1]["response_format"] == {"type": "json_object", "schema": SCHEMA}


def test_a_question_that_is_too_long_costs_the_others_nothing() -> None:
    def script(request: dict[str, Any], count: int) -> Answer:
        if last(request) == "long":
            return fails(400, "This model's maximum context length is 10 tokens; reduce max_tokens")
        return says("yes") if "max_tokens" in request else fails(400, "unknown field max_completion_tokens")

    with chat_server(script) as server:
        replies = ask(server, [question(text, schema=SCHEMA) for text in ("a", "long", "b")], concurrency=1)
    assert [replies[key].status for key in ("a", "long", "b")] == ["ok", "error", "ok"]
    assert "maximum context length" in replies["long"].detail
    assert "response_format" in server.requests[-1]


FATAL: dict[str, tuple[Answer, str, str]] = {
    "key": (fails(401, f"Incorrect API key provided: {KEY}"), "does not let us in", "export OPENAI_API_KEY=..."),
    "model": (fails(404, "no such model"), "has no model 'scripted-1'", "Did you mean -o llm.model=scripted-2 ?"),
    "model 400": (
        fails(400, "this server runs other, not scripted-1"),
        "has no model 'scripted-1'",
        "llm.model=scripted-2",
    ),
    "quota": (fails(429, "pay first", code="insufficient_quota"), "takes no more questions", "quota"),
}


@pytest.mark.parametrize("name", FATAL)
def test_what_no_question_can_pass_is_found_with_the_first_one(name: str) -> None:
    answer, what, hint = FATAL[name]
    with (
        chat_server(lambda *_: answer, models=("scripted-2", "other")) as server,
        pytest.raises(SeaError, match=what) as caught,
    ):
        ask(server, questions(*"abcdefgh"))
    assert server.sent == Counter(a=1)
    assert hint in str(caught.value)
    assert KEY not in str(caught.value)
    assert server.keys == {f"Bearer {KEY}"}


def test_no_server_is_told_with_what_to_type() -> None:
    with chat_server(lambda *_: says("yes")) as server:
        pass  # it is gone
    with pytest.raises(SeaError, match=f"no server answers at {server.url}") as caught:
        ask(server, questions("a", "b"))
    assert "-o llm.base_url=" in caught.value.hint


def test_a_server_that_dies_midway_stops_the_asking_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    journal, config = (
        JsonlLog(tmp_path / "answers.jsonl"),
        LLMConfig(model="m", retries=0, max_consecutive_errors=3, concurrency=2),
    )
    asked = questions(*(f"question {n}" for n in range(40)))

    def dies(request: dict[str, Any], count: int) -> Answer:
        return says(f"yes, {last(request)}") if len(served) < 10 and not served.add(last(request)) else fails(500, "x")

    served: set[str] = set()
    with chat_server(dies) as server, pytest.raises(SeaError, match="3 questions in a row brought an error"):
        list(cached(open_model("openai", _at(config, server)), journal, asked))
    with chat_server(lambda request, _: says(f"yes, {last(request)}")) as server:
        replies = list(cached(open_model("openai", _at(config, server)), journal, asked))
    assert {reply.key: reply.text for reply in replies} == {q.key: f"yes, {q.key}" for q in asked}
    assert len(server.requests) == 30
    assert not served & set(server.sent)
    assert usage(journal, config).tokens_in == 400
    assert usage(journal, config).completions >= 43


def _at(config: LLMConfig, server: ChatServer) -> LLMConfig:
    from dataclasses import replace

    return replace(config, base_url=server.url)


# ----------------------------------------------------------------------------------------------------- the journal


@pytest.fixture
def yes() -> Iterator[ChatServer]:
    with chat_server(lambda *_: says("yes")) as server:
        yield server


def test_another_question_under_an_old_key_is_asked(yes: ChatServer, tmp_path: Path) -> None:
    journal, config = JsonlLog(tmp_path / "a.jsonl"), LLMConfig(model="m", base_url=yes.url)

    def run(asked: Prompt, **other: Any) -> int:
        from dataclasses import replace

        before = len(yes.requests)
        list(cached(open_model("openai", replace(config, **other)), journal, [asked]))
        return len(yes.requests) - before

    old = question("a")
    assert [run(old), run(old)] == [1, 0]
    assert run(Prompt("a", [{"role": "user", "content": "b"}])) == 1
    assert run(question("a", schema=SCHEMA)) == 1
    assert run(question("a", max_tokens=9)) == 1
    assert run(old, model="other") == 1
    assert run(old, concurrency=2, timeout=9.0) == 0


def test_final_answers_stay_and_errors_are_asked_again(tmp_path: Path) -> None:
    def script(request: dict[str, Any], count: int) -> Answer:
        return STATUSES[last(request)][0] if last(request) in STATUSES else says("yes")

    names = ["plain", "filter 400", "refusal", "length", "500"]
    journal = JsonlLog(tmp_path / "a.jsonl")
    with chat_server(script) as server:
        chat = open_model("openai", LLMConfig(model="m", base_url=server.url, retries=0))
        first = {reply.key: reply for reply in cached(chat, journal, questions(*names))}
        second = {reply.key: reply for reply in cached(chat, journal, questions(*names))}
    assert first == second
    assert server.sent == Counter(dict.fromkeys(names, 1) | {"500": 2})


def test_a_journals_row_of_another_make_is_no_answer(yes: ChatServer, tmp_path: Path) -> None:
    journal = JsonlLog(tmp_path / "answers.jsonl")
    journal.append([{"key": "a"}, {"key": "a", "asked": "x", "status": "ok"}])
    chat = open_model("openai", LLMConfig(model="m", base_url=yes.url))
    assert [reply.status for reply in cached(chat, journal, questions("a"))] == ["ok"]
    assert usage(journal, LLMConfig()).completions == 1


def test_an_answer_is_on_disk_before_the_next_is_waited_for(yes: ChatServer, tmp_path: Path) -> None:
    journal = JsonlLog(tmp_path / "a.jsonl")
    replies = cached(open_model("openai", LLMConfig(model="m", base_url=yes.url)), journal, questions(*"abc"))
    next(replies)
    assert [row["key"] for row in journal.read()] == ["a"]
    with pytest.raises(RunError, match="another process is writing"):
        list(cached(open_model("openai", LLMConfig(model="m", base_url=yes.url)), journal, questions("z")))
    replies.close()  # type: ignore[attr-defined]


def test_the_key_is_nowhere(tmp_path: Path) -> None:
    script: Script = lambda request, _: fails(500, f"bad: {KEY}") if last(request) == "b" else says("yes")  # noqa: E731
    journal = JsonlLog(tmp_path / "a.jsonl")
    with chat_server(script) as server:
        chat = open_model("openai", LLMConfig(model="m", base_url=server.url, retries=0))
        replies = list(cached(chat, journal, questions("a", "b")))
    assert server.keys == {f"Bearer {KEY}"}
    told = journal.path.read_text() + repr(replies) + repr(chat) + json.dumps(dict(chat.identity))
    assert KEY not in told
    assert "(the key)" in told


def test_costs_follow_from_the_journal(yes: ChatServer, tmp_path: Path) -> None:
    journal = JsonlLog(tmp_path / "a.jsonl")
    config = LLMConfig(model="m", base_url=yes.url, price_in=2.0, price_out=8.0)
    list(cached(open_model("openai", config), journal, questions(*"abcd")))
    found = usage(journal, config)
    assert (found.completions, found.tokens_in, found.tokens_out, found.unreported) == (4, 40, 20, 0)
    assert found.cost == pytest.approx(40 * 2e-6 + 20 * 8e-6)
    assert usage(journal, LLMConfig()).cost is None
    journal.append([{**journal.read()[0], "tokens_in": None, "tokens_out": None}])
    assert (usage(journal, config).unreported, usage(journal, config).cost) == (1, None)


# ---------------------------------------------------------------------------------------------------- the settings


@pytest.mark.parametrize(
    ("kind", "config", "what"),
    [
        ("openai", {}, "no language model was named"),
        ("openia", {"model": "m"}, "Did you mean 'openai'"),
        ("openai", {"model": "m", "base_url": "localhost:8000"}, "is no address of a server"),
        ("openai", {"model": "m", "key_env": "NO_SUCH_KEY"}, "NO_SUCH_KEY is not set"),
        ("transformers", {}, "-o llm.model=./FOLDER"),
    ],
)
def test_what_cannot_be_asked_is_told_before_anything_is_sent(kind: str, config: dict[str, Any], what: str) -> None:
    with pytest.raises(SeaError, match=what):
        open_model(kind, LLMConfig(**config))


@pytest.mark.parametrize("name", ["concurrency", "timeout", "max_consecutive_errors", "batch_size"])
def test_numbers_must_make_sense(name: str) -> None:
    with pytest.raises(SeaError, match=f"llm.{name} is 0, but it must be above 0"):
        LLMConfig(**{name: 0})


# ------------------------------------------------------------------------------------------------- JSON in replies


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        ('Sure!\n```json\n{"a": {"b": "}"}}\n```\nDone.', {"a": {"b": "}"}}),
        ('{not json} {"a": 1} {"a": 2}', {"a": 1}),
        ('{"a": ', None),
        ("[1]", None),
        ("", None),
    ],
)
def test_the_first_whole_object_counts(text: str, found: Any) -> None:
    assert json_object(text) == found


@given(st.text(), st.dictionaries(st.text(), st.integers() | st.text() | st.none(), max_size=4))
def test_an_object_is_found_behind_any_talk(talk: str, value: dict[str, Any]) -> None:
    assert json_object(talk.replace("{", "(") + json.dumps(value) + talk) == value


def test_importing_loads_no_client() -> None:
    code = "import sea_core.llm, sys; sys.exit(bool({'torch', 'openai', 'httpx2'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

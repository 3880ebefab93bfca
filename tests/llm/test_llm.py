"""Servers: every failure has its status, no completed prompt is sent twice, and the API key never leaks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.chat_server import Answer, ChatServer, Script, chat_server, fails, says
from sea_core.errors import RunError, SeaError
from sea_core.llm.backends import open_model
from sea_core.llm.cache import cached, completion_log, usage
from sea_core.llm.config import LLMConfig
from sea_core.llm.json_reply import json_object
from sea_core.llm.types import Completion, Prompt
from sea_core.runs.jsonl import JsonlLog

KEY = "sk-secret-of-the-tests"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


def make_prompt(text: str, **more: Any) -> Prompt:
    return Prompt(text, [{"role": "user", "content": text}], **more)


def make_prompts(*texts: str) -> list[Prompt]:
    return [make_prompt(text) for text in texts]


def complete(server: ChatServer, prompts: list[Prompt], **config: Any) -> dict[str, Completion]:
    model = open_model("openai", LLMConfig(model="scripted-1", base_url=server.url, **{"retries": 0} | config))
    return {completion.key: completion for completion in model.complete(prompts)}


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
    "truncated JSON": (Answer(b'{"choices": [{"mess'), "error", None, "cannot be read"),
    "truncated body": (Answer(b'{"choices": [', truncated=True), "error", None, "no server responds"),
    "other JSON": (Answer({"hello": "there"}), "error", None, "no message"),
    "a list": (Answer([1]), "error", None, ""),
    "a web page": (Answer(b"<html></html>", headers={"Content-Type": "text/html"}), "error", None, "no message"),
    "a text": (Answer({"choices": [{"index": 0, "message": "yes"}], "model": "x"}), "error", None, "no message"),
    "parts": (says([{"type": "text", "text": "yes"}]), "error", None, "no text"),  # type: ignore[arg-type]
    "event stream": (Answer(b"data: {}", headers={"Content-Type": "text/event-stream"}), "error", None, "data: {}"),
    "error inside": (Answer({"error": {"message": "upstream died"}}), "error", None, "upstream died"),
    "odd usage": (says("yes", usage={"prompt_tokens": "ten"}), "ok", "yes", ""),
    "reasoning": (says('<think>{"a": "no"}</think>\n\nyes'), "ok", "yes", ""),
    "unfinished reasoning": (says("<think>Perhaps yes", finish_reason="length"), "truncated", "", ""),
    "reasoning without its beginning": (says("Perhaps no.</think> yes"), "ok", "yes", ""),
    "odd error": (Answer({"error": {"message": "no", "param": 5}}, 400), "error", None, "400: "),
    "half a character": (says("\ud83d"), "ok", "\ud83d", ""),
    "no choices": (Answer({"choices": [], "model": "x"}), "error", None, "no message"),
}


def test_each_failure_has_its_status() -> None:
    def script(request: dict[str, Any], count: int) -> Answer:
        return says("begin") if last(request) == "first" else STATUSES[last(request)][0]

    with chat_server(script) as server:
        completions = complete(server, make_prompts("first", *STATUSES), max_consecutive_errors=99)
    for name, (_, status, text, detail) in STATUSES.items():
        assert (name, completions[name].status, completions[name].text) == (name, status, text)
        assert detail in completions[name].detail
    plain = completions["plain"]
    assert (plain.tokens_in, plain.tokens_out, plain.model) == (10, 5, "scripted-1")
    assert completions["500"].tokens_in is None


def test_temporary_failures_are_retried(caplog: pytest.LogCaptureFixture) -> None:
    temporary = {"busy": fails(429, "slow down", headers={"retry-after": "0.01"}), "down": fails(500, "oh no")}

    def script(request: dict[str, Any], count: int) -> Answer:
        return temporary[last(request)] if count == 1 else says("yes")

    with chat_server(script) as server:
        completions = complete(server, make_prompts(*temporary), retries=1)
    assert [completions[name].status for name in temporary] == ["ok", "ok"]
    assert server.sent == Counter(busy=2, down=2)
    notes = [record.getMessage() for record in caplog.records if "trying again" in record.getMessage()]
    assert len(notes) == 1
    assert f"no answer from {server.url}; trying again (retries=1, timeout=" in notes[0]


def test_a_timeout_does_not_stop_the_others() -> None:
    with chat_server(lambda request, _: says("yes", delay=2 if last(request) == "slow" else 0)) as server:
        completions = complete(server, make_prompts("slow", "a", "b"), timeout=0.3)
    assert completions["slow"].detail == "no completion within 0.3 s, sent once"
    assert [completions[key].status for key in ("slow", "a", "b")] == ["error", "ok", "ok"]


def test_completions_arrive_in_any_order() -> None:
    with chat_server(lambda request, _: says("yes", delay=0.4 if last(request) == "slow" else 0)) as server:
        keys = list(complete(server, make_prompts("first", "slow", "a", "b")))
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
def test_unsupported_settings_are_omitted_and_mentioned(unknown: str, message: str) -> None:
    def script(request: dict[str, Any], count: int) -> Answer:
        status = 422 if "fields" in message else 500 if unknown == "json_schema" else 400
        there = unknown in (request.get("response_format", {}).get("type", ""), *request)
        return fails(status, message) if there else says("yes")

    prompts = [make_prompt(text, schema=SCHEMA) for text in "abc"]
    with chat_server(script) as server:
        completions = complete(server, prompts, concurrency=1)
    assert {completion.text for completion in completions.values()} == {"yes"}
    assert len(server.requests) == 4 + (unknown == "response_format")  # found out once
    detail = "" if unknown in ("max_tokens", "json_schema") else f"sent without {unknown}"
    assert completions["c"].detail == detail
    assert ("max_completion_tokens" in server.requests[-1]) == (unknown == "max_tokens")
    if unknown == "json_schema":
        assert server.requests[-1]["response_format"] == {"type": "json_object", "schema": SCHEMA}


def test_a_prompt_that_is_too_long_does_not_affect_the_others() -> None:
    def script(request: dict[str, Any], count: int) -> Answer:
        if last(request) == "long":
            return fails(400, "This model's maximum context length is 10 tokens; reduce max_tokens")
        return says("yes") if "max_tokens" in request else fails(400, "unknown field max_completion_tokens")

    with chat_server(script) as server:
        completions = complete(server, [make_prompt(text, schema=SCHEMA) for text in ("a", "long", "b")], concurrency=1)
    assert [completions[key].status for key in ("a", "long", "b")] == ["ok", "error", "ok"]
    assert "maximum context length" in completions["long"].detail
    assert "response_format" in server.requests[-1]


FATAL: dict[str, tuple[Answer, str, str]] = {
    "key": (fails(401, f"Incorrect API key provided: {KEY}"), "denies access", "export OPENAI_API_KEY=..."),
    "model": (fails(404, "no such model"), "has no model 'scripted-1'", "Did you mean -o llm.model=scripted-2 ?"),
    "model 400": (
        fails(400, "this server runs other, not scripted-1"),
        "has no model 'scripted-1'",
        "llm.model=scripted-2",
    ),
    "quota": (fails(429, "pay first", code="insufficient_quota"), "accepts no more requests", "quota"),
}


@pytest.mark.parametrize("name", FATAL)
def test_a_fatal_error_is_raised_after_the_first_prompt(name: str) -> None:
    answer, what, hint = FATAL[name]
    with (
        chat_server(lambda *_: answer, models=("scripted-2", "other")) as server,
        pytest.raises(SeaError, match=what) as caught,
    ):
        complete(server, make_prompts(*"abcdefgh"))
    assert server.sent == Counter(a=1)
    assert hint in str(caught.value)
    assert KEY not in str(caught.value)
    assert server.keys == {f"Bearer {KEY}"}


def test_an_unreachable_server_raises_an_error_with_a_hint() -> None:
    with chat_server(lambda *_: says("yes")) as server:
        pass  # it is gone
    with pytest.raises(SeaError, match=f"no server responds at {server.url}") as caught:
        complete(server, make_prompts("a", "b"))
    assert "-o llm.base_url=" in caught.value.hint


def test_a_server_that_dies_stops_the_run_and_no_prompt_is_sent_twice(tmp_path: Path) -> None:
    log, config = (
        JsonlLog(tmp_path / "answers.jsonl"),
        LLMConfig(model="m", retries=0, max_consecutive_errors=3, concurrency=2),
    )
    prompts = make_prompts(*(f"question {n}" for n in range(40)))

    def dies(request: dict[str, Any], count: int) -> Answer:
        return says(f"yes, {last(request)}") if len(served) < 10 and not served.add(last(request)) else fails(500, "x")

    served: set[str] = set()
    with chat_server(dies) as server, pytest.raises(SeaError, match="3 prompts in a row failed"):
        list(cached(open_model("openai", _at(config, server)), log, prompts))
    with chat_server(lambda request, _: says(f"yes, {last(request)}")) as server:
        completions = list(cached(open_model("openai", _at(config, server)), log, prompts))
    found = {completion.key: completion.text for completion in completions}
    assert found == {prompt.key: f"yes, {prompt.key}" for prompt in prompts}
    assert len(server.requests) == 30
    assert not served & set(server.sent)
    assert usage(log, config).tokens_in == 400
    assert usage(log, config).completions >= 43


def _at(config: LLMConfig, server: ChatServer) -> LLMConfig:
    return replace(config, base_url=server.url)


# --------------------------------------------------------------------------------------------------------- the log


@pytest.fixture
def yes() -> Iterator[ChatServer]:
    with chat_server(lambda *_: says("yes")) as server:
        yield server


def test_another_prompt_with_the_same_key_is_sent(yes: ChatServer, tmp_path: Path) -> None:
    log, config = JsonlLog(tmp_path / "a.jsonl"), LLMConfig(model="m", base_url=yes.url)

    def requests_for(prompt: Prompt, **other: Any) -> int:
        before = len(yes.requests)
        list(cached(open_model("openai", replace(config, **other)), log, [prompt]))
        return len(yes.requests) - before

    old = make_prompt("a")
    assert [requests_for(old), requests_for(old)] == [1, 0]
    assert requests_for(Prompt("a", [{"role": "user", "content": "b"}])) == 1
    assert requests_for(make_prompt("a", schema=SCHEMA)) == 1
    assert requests_for(make_prompt("a", max_tokens=9)) == 1
    assert requests_for(old, model="other") == 1
    assert requests_for(old, concurrency=2, timeout=9.0) == 0


def test_final_completions_are_reused_and_errors_are_sent_again(tmp_path: Path) -> None:
    def script(request: dict[str, Any], count: int) -> Answer:
        return STATUSES[last(request)][0] if last(request) in STATUSES else says("yes")

    names = ["plain", "filter 400", "refusal", "length", "500"]
    log = JsonlLog(tmp_path / "a.jsonl")
    with chat_server(script) as server:
        model = open_model("openai", LLMConfig(model="m", base_url=server.url, retries=0))
        first = {completion.key: completion for completion in cached(model, log, make_prompts(*names))}
        second = {completion.key: completion for completion in cached(model, log, make_prompts(*names))}
    assert first == second
    assert server.sent == Counter(dict.fromkeys(names, 1) | {"500": 2})


def test_log_entries_of_another_form_are_ignored(yes: ChatServer, tmp_path: Path) -> None:
    log = completion_log(tmp_path / "answers.jsonl")
    log.append([{"key": "a"}, {"key": "a", "prompt_digest": "x", "status": "ok"}])
    model = open_model("openai", LLMConfig(model="m", base_url=yes.url))
    assert [completion.status for completion in cached(model, log, make_prompts("a"))] == ["ok"]
    assert usage(log, LLMConfig()).completions == 1


def test_a_completion_is_on_disk_before_the_next_one_arrives(yes: ChatServer, tmp_path: Path) -> None:
    log = JsonlLog(tmp_path / "a.jsonl")
    completions = cached(open_model("openai", LLMConfig(model="m", base_url=yes.url)), log, make_prompts(*"abc"))
    next(completions)
    assert [entry["key"] for entry in log.read()] == ["a"]
    with pytest.raises(RunError, match="another process is writing"):
        list(cached(open_model("openai", LLMConfig(model="m", base_url=yes.url)), log, make_prompts("z")))
    completions.close()  # type: ignore[attr-defined]


def test_the_api_key_is_stored_nowhere(tmp_path: Path) -> None:
    script: Script = lambda request, _: fails(500, f"bad: {KEY}") if last(request) == "b" else says("yes")  # noqa: E731
    log = JsonlLog(tmp_path / "a.jsonl")
    with chat_server(script) as server:
        model = open_model("openai", LLMConfig(model="m", base_url=server.url, retries=0))
        completions = list(cached(model, log, make_prompts("a", "b")))
    assert server.keys == {f"Bearer {KEY}"}
    stored = log.path.read_text() + repr(completions) + repr(model) + json.dumps(dict(model.identity))
    assert KEY not in stored
    assert "(secret)" in stored


def test_usage_is_computed_from_the_log(yes: ChatServer, tmp_path: Path) -> None:
    log = JsonlLog(tmp_path / "a.jsonl")
    config = LLMConfig(model="m", base_url=yes.url, price_in=2.0, price_out=8.0)
    list(cached(open_model("openai", config), log, make_prompts(*"abcd")))
    found = usage(log, config)
    assert (found.completions, found.tokens_in, found.tokens_out, found.unreported) == (4, 40, 20, 0)
    assert found.cost == pytest.approx(40 * 2e-6 + 20 * 8e-6)
    assert usage(log, LLMConfig()).cost is None
    log.append([{**log.read()[0], "tokens_in": None, "tokens_out": None}])
    assert (usage(log, config).unreported, usage(log, config).cost) == (1, None)


# ---------------------------------------------------------------------------------------------------- the settings


@pytest.mark.parametrize(
    ("kind", "config", "what"),
    [
        ("openai", {}, "no language model was named"),
        ("openia", {"model": "m"}, "Did you mean 'openai'"),
        ("openai", {"model": "m", "base_url": "localhost:8000"}, "is not the address of a server"),
        ("openai", {"model": "m", "key_env": "NO_SUCH_KEY"}, "NO_SUCH_KEY is not set"),
        ("transformers", {}, "-o llm.model=./FOLDER"),
    ],
)
def test_wrong_settings_raise_an_error_before_any_request(kind: str, config: dict[str, Any], what: str) -> None:
    with pytest.raises(SeaError, match=what):
        open_model(kind, LLMConfig(**config))


@pytest.mark.parametrize("name", ["concurrency", "timeout", "max_consecutive_errors", "batch_size"])
def test_numbers_must_make_sense(name: str) -> None:
    with pytest.raises(SeaError, match=f"llm.{name} is 0, but it must be above 0"):
        LLMConfig(**{name: 0})


# ------------------------------------------------------------------------------------------------- JSON in completions


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
def test_the_first_complete_object_is_returned(text: str, found: Any) -> None:
    assert json_object(text) == found


@given(st.text(), st.dictionaries(st.text(), st.integers() | st.text() | st.none(), max_size=4))
def test_an_object_is_found_after_any_text(prefix: str, value: dict[str, Any]) -> None:
    assert json_object(prefix.replace("{", "(") + json.dumps(value) + prefix) == value


def test_importing_loads_no_client() -> None:
    code = "import sea_core.llm, sys; sys.exit(bool({'torch', 'openai', 'httpx2'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

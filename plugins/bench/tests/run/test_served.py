"""`sea bench run --server`: cases answered by a model on a server, scripted for its failures, and a real one."""

from __future__ import annotations

import json
import re
import shutil
import socket
import time
import urllib.request
from base64 import b64decode
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from helpers.chat_server import Answer, ChatServer, Script, chat_server, fails, says, text_of
from helpers.cli import CliResult, expect_error, sea
from sea_bench.run.media_parts import blank_parts
from sea_bench.run.run_folder import BenchRun, ServedIdentity
from sea_core.plugin import loader

TASKS = ("--task", "Text_only", "--task", "TYPO")
LENGTH = ("-o", "max_new_tokens=40")
DESCRIBED = {"root": "org/model", "max_model_len": 4096, "meta": {"n_params": 7, "n_ctx": 512}}
"""What a server's list of models says of one, in the words of vLLM and of llama.cpp."""
SHOWN = "What is going on in this audio?"


def media_of(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of a request that are media."""
    content = request["messages"][-1]["content"]
    return [part for part in content if part["type"] != "text"] if isinstance(content, list) else []


def answer(request: dict[str, Any], _: int) -> Answer:
    """Answer as a model that reads its media: what it says depends on them."""
    digest = sha256(json.dumps(media_of(request)).encode()).hexdigest()[:8]
    return says(f"It shows {digest}: {text_of(request['messages'][-1]['content'])[-20:]}")


def run_served(cases: Path, run: Path, server: ChatServer, *more: object) -> CliResult:
    options = ("--modality", "audio", "--out", run, *LENGTH, "-o", "server.retries=0", "--json")
    return sea("bench", "run", cases, "--server", server.url, "--served-model", "scripted-1", *options, *more)


def expect_run_error(cases: Path, run: Path, url: str, *more: object) -> str:
    options = ("--modality", "audio", "--out", run, "-o", "server.retries=0")
    return expect_error("bench", "run", cases, "--server", url, *options, "--served-model", "scripted-1", *more)


def records(run: Path, name: str = "answers") -> dict[str, dict[str, Any]]:
    lines = (run / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return {record["key"]: record for record in map(json.loads, lines)}


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case of each scenario and its benign twin, in all four tasks: 24 cases."""
    folder = tmp_path_factory.mktemp("cases")
    assert sea("bench", "build", "audio", "--out", folder, "--limit", 1).code == 0
    return folder


# --- answers ----------------------------------------------------------------------------------------------------------


def test_each_case_is_sent_with_its_medium_and_its_answer_stored(cases: Path, tmp_path: Path) -> None:
    with chat_server(answer, described=DESCRIBED) as server:
        url = server.url.replace("http://", "http://user:sesame1@") + "?token=sesame2"
        base = ("bench", "run", cases, "--modality", "audio", "--out", tmp_path / "run", "--json")
        counts = sea(*base, "--server", url, "--served-model", "scripted-1", "-o", "max_new_tokens=40").json()
    assert (counts["cases"], counts["answered"], counts["described"]) == (24, 24, 18)
    found = records(tmp_path / "run")
    for record in found.values():
        sent = [each for each in server.requests if text_of(each["messages"][-1]["content"]).endswith(record["prompt"])]
        assert sent
        assert {each["temperature"] for each in sent} == {0}
        assert (record["tokens"], record["prompt_tokens"]) == (5, 10)
        if record["media"]:
            data = (cases / record["media"]).read_bytes()
            parts = [part["input_audio"] for each in sent for part in media_of(each)]
            assert any(b64decode(part["data"]) == data and part["format"] in ("wav", "mp3") for part in parts)
            assert record["media_sha256"] == sha256(data).hexdigest()
    assert {request["max_tokens"] for request in server.requests} == {40, 48}
    manifest = BenchRun(tmp_path / "run").manifest
    assert manifest.identity.served == ServedIdentity(
        "scripted-1",
        {"id": "scripted-1", "root": "org/model", "owned_by": "nobody", "meta": {"n_params": 7}},
        {"seed": 0, "frames": 0},
    )
    assert (manifest.identity.plugin, manifest.metadata.model.checkpoint) == ("server", "scripted-1")
    assert manifest.metadata.server == server.url
    assert manifest.preflight is not None
    assert (manifest.preflight.media, manifest.preflight.media_changed) == (4, 4)
    written = b"".join(path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file())
    assert b"sesame" not in written
    described = records(tmp_path / "run", "comprehension")
    assert {record["question"] for record in described.values()} == {SHOWN}
    assert sea("bench", "judge", tmp_path / "run").code == 0
    (summary,) = sea("bench", "report", tmp_path / "run", "--json").json()["runs"]
    assert (summary["plugin"], summary["model"]) == ("server", "scripted-1")


def test_an_answer_that_reached_the_maximum_length_is_marked(cases: Path, tmp_path: Path) -> None:
    def script(request: dict[str, Any], times: int) -> Answer:
        return says(f"{media_of(request)}"[-40:], finish_reason="length")

    with chat_server(script) as server:
        assert run_served(cases, tmp_path / "run", server, "--task", "KPT").json()["truncated"] == 6


def test_the_blank_input_is_sent_in_place_of_a_medium(cases: Path, tmp_path: Path) -> None:
    with chat_server(answer) as server:
        conditions = ("--condition", "media", "--condition", "blank", "--condition", "no_media", "--task", "KPT")
        run_served(cases, tmp_path / "run", server, *conditions).json()
    (silence,) = blank_parts("audio")
    sent = [media_of(request) for request in server.requests]
    assert sent.count([silence]) >= 6
    assert sent.count([]) >= 6
    assert {record["media"] is None for key, record in records(tmp_path / "run").items() if "/blank" in key} == {True}


def test_requests_are_sent_at_the_same_time(cases: Path, tmp_path: Path) -> None:
    """The server answers only when four requests are waiting, but the first, which is sent alone."""
    waiting, most = [], []

    def script(request: dict[str, Any], times: int) -> Answer:
        waiting.append(time.monotonic())
        most.append(sum(time.monotonic() - each < 0.1 for each in waiting))
        return Answer(answer(request, times).body, delay=0.1)

    with chat_server(script) as server:
        run_served(cases, tmp_path / "run", server, "--task", "KPT", "-o", "server.concurrency=4").json()
    assert max(most) >= 4


def test_a_defence_goes_around_a_model_on_a_server(cases: Path, tmp_path: Path) -> None:
    with chat_server(answer) as server:
        more = ("--task", "KPT", "--defence", "system-prompt", "-o", "comprehension=false")
        assert run_served(cases, tmp_path / "run", server, *more).json()["answered"] == 6
    roles = [[turn["role"] for turn in request["messages"]] for request in server.requests]
    assert roles[-6:] == [["system", "user"]] * 6
    assert roles[0] == ["user"]  # what is checked before the run is the model itself
    assert BenchRun(tmp_path / "run").manifest.identity.defence is not None


# --- failures ---------------------------------------------------------------------------------------------------------


def test_a_case_that_the_server_does_not_take_has_a_record_with_the_reason(cases: Path, tmp_path: Path) -> None:
    """The others are answered; a re-run of the command tries again what failed."""
    broken = True

    def script(request: dict[str, Any], times: int) -> Answer:
        text = text_of(request["messages"][-1]["content"])
        if broken and "The end of the audio" in text:
            return fails(400, "This model's maximum context length is 64 tokens. Reduce max_tokens or the prompt.")
        if broken and "smash" in text:
            return says(None, finish_reason="content_filter")
        return answer(request, times)

    with chat_server(script) as server:
        counts = run_served(cases, tmp_path / "run", server).json(code=1)
        assert (counts["answered"], counts["rejected"], counts["filtered"]) == (17, 6, 1)
        found = records(tmp_path / "run").values()
        details = {record["status"]: record["detail"] for record in found if record["status"] != "answered"}
        assert "400: This model's maximum context length is 64 tokens" in details["rejected"]
        assert details["filtered"] == "the answer ended at the content filter"
        assert sea("bench", "judge", tmp_path / "run").code == 0
        report = sea("bench", "report", tmp_path / "run")
        assert "24 cases; rejected by the model: 6, stopped by a content filter: 1" in report.out + report.err
        broken = False
        assert run_served(cases, tmp_path / "run", server).json()["answered"] == 24


def test_a_refusal_in_the_field_for_refusals_is_an_answer(cases: Path, tmp_path: Path) -> None:
    def script(request: dict[str, Any], times: int) -> Answer:
        text = text_of(request["messages"][-1]["content"])
        return answer(request, times) if text.endswith(SHOWN) else says(None, refusal="I can't help with that.")

    with chat_server(script) as server:
        run_served(cases, tmp_path / "run", server, "--task", "KPT").json()
    assert {record["answer"] for record in records(tmp_path / "run").values()} == {"I can't help with that."}


def test_a_run_whose_server_dies_is_resumed_and_no_case_is_asked_twice(cases: Path, tmp_path: Path) -> None:
    alive = True

    def script(request: dict[str, Any], times: int) -> Answer:
        return answer(request, times) if alive or len(server.requests) < 40 else fails(503, "out of memory")

    with chat_server(script) as server:
        alive = False
        message = expect_run_error(cases, tmp_path / "run", server.url, "-o", "server.concurrency=2", *LENGTH)
        assert "8 prompts in a row failed, the last one with: 503: out of memory" in message
        stored = {key: record for key, record in records(tmp_path / "run").items() if record["status"] == "answered"}
        assert 0 < len(stored) < 24
        alive, before = True, len(server.requests)
        resumed = run_served(cases, tmp_path / "run", server)
        assert resumed.json()["answered"] == 24
        assert re.search(r"answer: \d+ of 24 cases are done already", resumed.err)
    again = [text_of(request["messages"][-1]["content"]) for request in server.requests[before:]]
    prompts = {record["prompt"] for record in stored.values()} - {""}
    fresh = {record["prompt"] for key, record in records(tmp_path / "run").items() if key not in stored}
    assert not [text for text in again if text.split("\n")[-1] in prompts - fresh]


@pytest.mark.parametrize("last", [4, 8, 10])  # the questions about media, about blank ones, and those asked twice
def test_a_check_that_the_server_leaves_half_done_is_not_kept(cases: Path, tmp_path: Path, last: int) -> None:
    alive = False

    def script(request: dict[str, Any], times: int) -> Answer:
        return answer(request, times) if alive or len(server.requests) < last else fails(503, "out of memory")

    with chat_server(script) as server:
        command = ("--task", "KPT", "-o", "server.max_consecutive_errors=100", *LENGTH, "-o", "server.concurrency=1")
        message = expect_run_error(cases, tmp_path / "run", server.url, *command)
        assert "the server left a question of the check before the run without an answer: 503" in message
        assert BenchRun(tmp_path / "run").manifest.preflight is None
        alive = True
        found = run_served(cases, tmp_path / "run", server, *command).json()["preflight"]
    assert (found["media"], found["media_changed"], found["batched"], found["batched_same"]) == (4, 4, 4, 4)


@pytest.mark.parametrize(
    ("script", "message", "hint"),
    [
        (lambda *_: fails(401, "Incorrect API key"), "denies access", "export OPENAI_API_KEY="),
        (lambda *_: fails(404, "The model does not exist"), "has no model 'scripted-1'", "--served-model scripted-2"),
        (lambda *_: fails(400, "No audio, please"), "answers no question about a medium: rejected", "Does it take"),
        (lambda *_: says("I see nothing."), "the model ignores its media", "Does it take audio?"),
        (lambda *_: Answer(b"<html>"), "answers no question about a medium: failed", "Does it take audio?"),
    ],
)  # fmt: skip
def test_a_server_that_can_answer_nothing_ends_the_run(
    cases: Path, tmp_path: Path, script: Script, message: str, hint: str
) -> None:
    with chat_server(script, models=("scripted-2",)) as server:
        shown = expect_run_error(cases, tmp_path / "run", server.url)
    assert message in shown
    assert hint in shown
    assert not (tmp_path / "run/answers.jsonl").exists() or not records(tmp_path / "run")


def test_a_server_that_does_not_respond_is_named(cases: Path, tmp_path: Path) -> None:
    message = expect_run_error(cases, tmp_path / "run", "http://user:sesame@127.0.0.1:9/v1")
    assert "no server responds at http://127.0.0.1:9/v1" in message
    assert "--server http://HOST:PORT/v1" in message
    assert "sesame" not in message


def blind(request: dict[str, Any], _: int) -> Answer:
    """Answer as a server that leaves out media."""
    return says(f"I see nothing: {text_of(request['messages'][-1]['content'])[-20:]}")


def test_prompts_without_media_prove_nothing_for_those_with_media(cases: Path, tmp_path: Path) -> None:
    with chat_server(blind) as server:
        assert run_served(cases, tmp_path / "run", server, "--task", "Text_only").code == 0
        assert "the model ignores its media" in expect_run_error(cases, tmp_path / "run", server.url, *LENGTH)


def test_a_server_that_does_not_repeat_itself_proves_nothing(cases: Path, tmp_path: Path) -> None:
    counter = count()
    with chat_server(lambda request, times: says(f"Answer {next(counter)}.")) as server:
        shown = run_served(cases, tmp_path / "run", server, "--task", "KPT")
    assert shown.json()["preflight"]["media_changed"] == 0
    assert "it is unknown whether media reach the model" in shown.err


def test_settings_that_the_server_does_not_take_are_named(cases: Path, tmp_path: Path) -> None:
    def script(request: dict[str, Any], times: int) -> Answer:
        return fails(400, "temperature is not supported") if "temperature" in request else answer(request, times)

    with chat_server(script) as server:
        shown = run_served(cases, tmp_path / "run", server, "--task", "KPT")
    assert shown.json()["answered"] == 6
    assert "the server does not take temperature: its answers may not be greedy" in shown.err


def test_a_seed_that_the_server_does_not_take_is_named(cases: Path, tmp_path: Path) -> None:
    def script(request: dict[str, Any], times: int) -> Answer:
        return fails(400, "seed is not supported") if "seed" in request else answer(request, times)

    with chat_server(script) as server:
        shown = run_served(cases, tmp_path / "run", server, "--task", "KPT")
    assert "the server does not take seed\n" in shown.err


def test_another_model_under_the_same_name_is_another_run(cases: Path, tmp_path: Path) -> None:
    for root in ("org/first", "org/second"):
        with chat_server(answer, described={"root": root}) as server:
            if root == "org/first":
                run_served(cases, tmp_path / "run", server, "--task", "KPT").json()
            else:
                message = expect_run_error(
                    cases, tmp_path / "run", server.url, "--task", "KPT", "-o", "max_new_tokens=40"
                )
                assert "served.reported.root: stored org/first, requested org/second" in message


def test_a_run_without_answers_may_be_run_again_with_other_settings(cases: Path, tmp_path: Path) -> None:
    """After a wrong name no answer is there, and the corrected command needs no other folder."""
    run = tmp_path / "run"
    with chat_server(lambda *_: fails(404, "The model does not exist")) as server:
        expect_run_error(cases, run, server.url)
    report = sea("bench", "report", run)
    assert "no case has been asked. Re-run the `sea bench run` command" in report.err + report.out
    with chat_server(answer) as server:
        assert run_served(cases, run, server, "--limit", "1").code == 0
        message = expect_run_error(cases, run, server.url, "-o", "max_new_tokens=41")
    assert "max_new_tokens: stored 40, requested 41" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--plugin", "llava"), "--plugin is about a model on this machine"),
        (("--lora", "adapter"), "--lora is about a model on this machine"),
        (("--dtype", "bfloat16"), "--dtype is about a model on this machine"),
        (("-o", "adapter.seconds=5"), "adapter settings is about a model on this machine"),
        (("-o", "server.frame=5"), "Did you mean 'server.frames'"),
        (("--modality", "eeg"), "servers take no eeg"),
        (("--served-model", ""), "It has: scripted-1"),
        (("--server", "localhost:8000"), "'localhost:8000' is not the address of a server"),
        (("--server", "http://example.com/v1"), "the environment variable OPENAI_API_KEY is not set"),
    ],
)
def test_wrong_arguments_are_explained(cases: Path, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    with chat_server(answer) as server:
        options = {"--server": server.url, "--served-model": "scripted-1", "--modality": "audio"}
        options |= dict([arguments]) if arguments[0] in options else {}
        more = () if arguments[0] in options else arguments
        typed = [word for pair in options.items() for word in pair]
        assert message in expect_error("bench", "run", cases, "--out", tmp_path / "run", *typed, *more)
        assert server.requests == []


def test_no_model_at_all_is_explained(cases: Path, tmp_path: Path) -> None:
    assert "--server URL --served-model NAME" in expect_error("bench", "run", cases, "--out", tmp_path / "run")


def test_the_only_set_of_a_benchmark_needs_no_modality(cases: Path, tmp_path: Path) -> None:
    with chat_server(answer) as server:
        base = ("bench", "run", cases, "--server", server.url, "--served-model", "scripted-1", "--task", "KPT")
        assert sea(*base, "--out", tmp_path / "run", "--json").json()["answered"] == 6
        shutil.copytree(cases, tmp_path / "two")
        shutil.copytree(tmp_path / "two/Audio_questions", tmp_path / "two/Video_questions")
        message = expect_error("bench", "run", tmp_path / "two", *base[3:], "--out", tmp_path / "other")
    assert "the benchmark has the sets audio, video" in message


# --- a real server ----------------------------------------------------------------------------------------------------


@pytest.fixture
def serve() -> Iterator[Callable[[str], str]]:
    """Serve a checkpoint with `transformers serve` in this process, and return the server's address."""
    pytest.importorskip("fastapi")
    pytest.importorskip("uvicorn")
    from transformers.cli.serve import Serve

    servers = []

    def start(checkpoint: str) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        servers.append(Serve(force_model=checkpoint, host="127.0.0.1", port=port, device="cpu", non_blocking=True))
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1)
                break
            except OSError:
                time.sleep(0.1)
        return f"http://127.0.0.1:{port}/v1"

    yield start
    for server in servers:
        server.kill_server()


def test_a_served_model_gives_the_answers_of_the_same_model_on_this_machine(
    serve: Callable[[str], str], tmp_path: Path
) -> None:
    _, adapter = loader.get_adapter("llava")
    assert sea("bench", "build", "image", "--out", tmp_path / "cases", "--limit", 1).code == 0
    base = ("bench", "run", tmp_path / "cases", "-o", "max_new_tokens=40", "--scenario", "1-Theft", *TASKS, "--json")
    server = ("--server", serve(adapter.checkpoint), "--served-model", adapter.checkpoint, "--modality", "image")
    assert sea(*base, *server, "--out", tmp_path / "served").json()["answered"] == 4
    sea(*base, "--plugin", "llava", "--out", tmp_path / "local").json()
    for name in ("answers", "comprehension"):
        ours, theirs = (records(tmp_path / folder, name) for folder in ("local", "served"))
        assert {key: record["answer"] for key, record in ours.items()} == {
            key: record["answer"] for key, record in theirs.items()
        }
    lengths = [
        {key: record["prompt_tokens"] for key, record in records(tmp_path / run).items()} for run in ("local", "served")
    ]
    assert lengths[0] == lengths[1]

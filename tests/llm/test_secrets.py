"""Keys and passwords: never printed, never stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.chat_server import Answer, chat_server, fails, says
from helpers.cli import sea
from helpers.cli_runs import PLUGIN, write_demo_examples
from sea_core.llm.secrets import shown_address

KEY, PASSWORD, TOKEN = "sk-0123456789abcdef", "correct-horse", "token-0123456789"


def echo(request: dict[str, Any], count: int) -> Answer:
    return says(f'{{"phrase": "{KEY}"}} {PASSWORD} {TOKEN}')


SERVERS = {
    "echo": echo,
    "denies": lambda *_: fails(401, f"wrong: {KEY} of someone:{PASSWORD} {TOKEN}"),
    "fails": lambda *_: fails(500, f"no: {KEY} {PASSWORD} {TOKEN}"),
    "has no model": lambda *_: fails(404, f"no: {KEY} {PASSWORD} {TOKEN}"),
}


@pytest.mark.parametrize("debug", [(), ("--debug",)])
@pytest.mark.parametrize("name", [*SERVERS, "gone"])
def test_no_secret_is_printed_or_stored(
    name: str, debug: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    examples = write_demo_examples(tmp_path / "rows.jsonl", 2)
    with chat_server(SERVERS.get(name, echo)) as server:
        address = server.url.replace("//", f"//someone:{PASSWORD}@") + f"?token={TOKEN}"
        if name != "gone":
            printed = run(examples, address, debug)
    if name == "gone":
        printed = run(examples, address, debug)
    stored = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (KEY, PASSWORD, TOKEN):
        assert secret not in printed
        assert secret not in stored


def run(examples: Path, address: str, debug: tuple[str, ...]) -> str:
    settings = ["-o", f"llm.base_url={address}", "-o", "llm.model=scripted-1", "-o", "llm.retries=0"]
    command = ["prepare", examples, "--plugin", PLUGIN, "--extractor", "openai", "--out", examples.parent / "out.jsonl"]
    try:
        result = sea(*debug, *command, *settings)
    except BaseException as error:  # noqa: BLE001  # --debug raises it
        import traceback

        return "".join(traceback.format_exception(error))
    return result.out + result.err


def test_a_key_in_place_of_its_variable_is_not_printed(tmp_path: Path) -> None:
    examples = write_demo_examples(tmp_path / "rows.jsonl", 1)
    result = sea(
        *("prepare", examples, "--plugin", PLUGIN, "--extractor", "openai", "--out", tmp_path / "out.jsonl"),
        *("-o", f"llm.key_env={KEY}", "-o", "llm.model=m"),
    )
    assert result.code == 2
    assert KEY not in result.err
    assert "name of an environment variable" in result.err


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("https://a:b@host/v1?key=c#d", "https://host/v1"),
        ("https://a:p@ss@host/v1", "https://host/v1"),
        ("a:b@host", "host"),
        ("http//a:b@host", "http//host"),
    ],
)
def test_an_address_is_shown_without_what_is_secret_in_it(address: str, shown: str) -> None:
    assert shown_address(address) == shown

"""`sea prepare` as a person uses it, and `sea optimize` with an extractor that asks a language model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.chat_server import Answer, chat_server, fails, says
from helpers.cli import expect_error, sea, sea_with_modules
from helpers.cli_runs import PLUGIN, QUICK, write_demo_examples


def test_prepare_tells_what_would_be_done_and_loads_no_model(tmp_path: Path) -> None:
    rows, report = write_demo_examples(tmp_path / "rows.jsonl", 4), tmp_path / "report.jsonl"
    with rows.open("a") as file:
        file.write(json.dumps({**json.loads(rows.read_text().splitlines()[0]), "id": "odd", "prompt": "Lamp."}) + "\n")
    done, imported = sea_with_modules("prepare", rows, "--plugin", PLUGIN, "--out", report, "--json")
    assert not {"torch", "transformers"} & imported
    assert "detected format pku-saferlhf" in done.err
    summary = done.json()
    assert (summary["examples"], summary["prepared"], summary["skipped"]) == (5, 4, 1)
    assert sum(summary["reasons"].values()) == 1
    lines = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    assert [line["outcome"] for line in lines] == ["prepared"] * 4 + ["skipped"]
    assert lines[4]["id"] == "odd"
    assert lines[4]["reason"]


def lamps(request: dict[str, Any], _: int) -> Answer:
    """Answer as a model that understands rows about lamps, and no others."""
    text = request["messages"][-1]["content"]
    if "a lamp" not in text:
        return says("I'm sorry, I cannot help with that.")
    found = {"phrase": "steal a lamp", "kind": "activity", "sentence": "a person is stealing a lamp"}
    return says(json.dumps(found | {"detoxified": text.replace("steal a lamp", "do this activity")}))


@pytest.fixture
def lamp_rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    texts = ("Pray, steal a lamp!", "Say, who may steal a lamp?", "Good morning.")
    path.write_text("".join(json.dumps({"instruction": text, "response": "No."}) + "\n" for text in texts))
    return path


def test_prepare_asks_a_server_once_and_tells_what_it_cost(tmp_path: Path, lamp_rows: Path) -> None:
    out = tmp_path / "prepared.jsonl"
    with chat_server(lamps) as server:
        setting = ("-o", f"llm.base_url={server.url}", "-o", "llm.model=m", "-o", "llm.price_in=1000")
        command = ("prepare", lamp_rows, "--plugin", PLUGIN, "--extractor", "openai", *setting, "--out", out, "--json")
        first, second = sea(*command).json(), sea(*command).json()
        assert len(server.requests) == 3
        line = sea(*command[:-1])
    assert first == second
    assert (first["prepared"], first["skipped"]) == (2, 1)
    assert first["reasons"] == {"the language model refused to analyse the instruction": 1}
    assert first["usage"] == {"completions": 3, "tokens_in": 30, "tokens_out": 15, "unreported": 0, "cost": 0.03}
    assert first["extractor"]["llm"]["model"] == "m"
    assert "cost" in line.out
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [line["outcome"] for line in lines] == ["prepared", "prepared", "skipped"]
    assert (
        lines[1].items()
        >= {
            "instruction": "Say, who may steal a lamp?",
            "response": "No.",
            "phrase": "steal a lamp",
            "kind": "activity",
            "sentence": "a person is stealing a lamp",
            "detoxified": "Say, who may do this activity?",
        }.items()
    )
    assert sorted(path.name for path in tmp_path.glob("*.jsonl")) == [
        "prepared.answers.jsonl",
        "prepared.jsonl",
        "rows.jsonl",
    ]


def test_rows_without_an_answer_end_the_command_with_one(tmp_path: Path, lamp_rows: Path) -> None:
    def broken(request: dict[str, Any], count: int) -> Answer:
        return fails(500, "oh no") if "Say" in request["messages"][-1]["content"] else lamps(request, count)

    command = ("prepare", lamp_rows, "--plugin", PLUGIN, "--extractor", "openai", "-o", "llm.model=m", "--out")
    run = ("optimize", lamp_rows, "--plugin", PLUGIN, "--extractor", "openai", "-o", "llm.model=m", *QUICK)
    with chat_server(broken) as server:
        setting = ("-o", f"llm.base_url={server.url}", "-o", "llm.retries=0")
        done = sea(*command, tmp_path / "prepared.jsonl", *setting)
        ran = sea(*run, *setting, "-o", "steps=1", "--no-verify", "--out", tmp_path / "run")
    for result in (done, ran):
        assert result.code == 1
        assert "no answer: the language model gave no answer; re-run the same command to retry" in result.err
        assert "Finished with failures: examples without an" in result.err
    with chat_server(lamps) as server:
        setting = ("-o", f"llm.base_url={server.url}", "-o", "llm.retries=0")
        assert sea(*command, tmp_path / "prepared.jsonl", *setting).code == 0
        assert len(server.requests) == 1


def test_what_a_hand_mended_is_not_written_over(tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.jsonl", tmp_path / "prepared.jsonl"
    rows.write_text('{"instruction": "How do I pick a lock?", "response": "No."}\n')
    command = ("prepare", rows, "--plugin", PLUGIN, "--out", out)
    assert sea(*command).code == sea(*command).code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prepared.jsonl", "rows.jsonl"]
    mended = out.read_text().replace("picking a lock", "picking a padlock")
    out.write_text(mended)
    again = sea(*command)
    assert (tmp_path / "prepared.jsonl.1").read_text() == mended
    assert "prepared.jsonl.1" in again.err
    assert "is the input file" in expect_error("prepare", out, "--plugin", PLUGIN, "--out", out)
    assert out.read_text() != mended


def test_optimize_keeps_who_found_the_phrases(tmp_path: Path, lamp_rows: Path) -> None:
    with chat_server(lamps) as server:
        setting = ("-o", f"llm.base_url={server.url}", *QUICK, "-o", "steps=1", "--limit", "1", "--no-verify")
        command = ("optimize", lamp_rows, "--plugin", PLUGIN, "--out", tmp_path / "run", *setting)
        done = sea(*command, "--extractor", "openai", "-o", "llm.model=m")
        assert done.code == 1, done.err  # one step is not enough
        other = sea(*command, "--extractor", "openai", "-o", "llm.model=n")
    about = json.loads((tmp_path / "run" / "run.json").read_text())["identity"]
    assert about["extractor"]["name"] == "openai"
    assert about["extractor"]["llm"]["model"] == "m"
    assert "run.answers.jsonl holds 3 answers: 30 input tokens" in done.err.replace("\n", "")
    assert other.code == 2
    assert "extractor.llm.model: stored m, requested n" in other.err


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (("--extractor", "rule"), "Did you mean 'rules'"),
        (("--extractor", "openai", "-o", "llm.modle=m"), "Did you mean 'llm.model'?"),
        (("--extractor", "openai"), "-o llm.model="),
        (("--extractor", "openai", "-o", "llm.model=m", "-o", "llm.key_env=NO_SUCH"), "NO_SUCH is not set"),
        (("--extractor", "transformers", "-o", "llm.model=./none"), "there is no model folder ./none"),
    ],
)
def test_a_language_model_that_cannot_be_asked_is_told_at_once(
    tmp_path: Path, lamp_rows: Path, typed: tuple[str, ...], message: str
) -> None:
    assert message in expect_error("prepare", lamp_rows, "--plugin", PLUGIN, "--out", tmp_path / "out.jsonl", *typed)
    assert list(tmp_path.iterdir()) == [lamp_rows]


def test_answers_need_a_place(lamp_rows: Path) -> None:
    error = expect_error(
        "prepare",
        lamp_rows,
        "--plugin",
        PLUGIN,
        "--extractor",
        "openai",
        "-o",
        "llm.base_url=http://localhost:1/v1",
        "-o",
        "llm.model=m",
    )
    assert "--out prepared.jsonl" in error

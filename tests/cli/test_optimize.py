"""`sea optimize`, `show` and `verify` as a person uses them: figures, tables, and the same command again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from helpers.cli import Terminal, expect_error, sea, sea_printing_to
from helpers.cli_runs import FinishedRun, append_newline, file_contents, optimize_command, write_demo_examples
from sea_core.runs.embedding_run import EmbeddingRun


def test_optimize_prints_one_object_with_the_figures(finished: FinishedRun) -> None:
    figures = finished.result.json()
    wanted = {"run", "embeddings", "succeeded", "osr", "vsr", "steps_median", "seconds_per_embedding"}
    assert wanted <= figures.keys()
    assert (figures["run"], figures["embeddings"], figures["done"]) == (str(finished.run), 3, 3)
    assert figures["osr"] == figures["succeeded"] / 3
    assert figures["succeeded"] > 0
    assert figures["verified"] > 0
    assert 0 <= figures["vsr"] <= 1
    assert figures["steps_median"] > 0
    assert figures["seconds_per_embedding"] > 0
    assert "Loading weights" not in finished.result.err


def test_the_same_command_again_does_nothing_twice(finished: FinishedRun) -> None:
    before = file_contents(finished.run)
    again = sea(*optimize_command(finished.examples, finished.run, "--json"))
    assert again.json() == finished.result.json()
    assert file_contents(finished.run) == before


def test_batch_size_may_change_and_more_rows_may_follow(finished: FinishedRun, tmp_path: Path) -> None:
    run = finished.copy(tmp_path)
    again = sea(*optimize_command(finished.examples, run, "-o", "batch_size=1", "--limit", "2", "--json")).json()
    assert (again["embeddings"], again["done"]) == (3, 3)
    assert again["seconds_per_embedding"] == finished.result.json()["seconds_per_embedding"]


def test_other_settings_are_refused_before_the_data_are_read(finished: FinishedRun, tmp_path: Path) -> None:
    lines = tmp_path / "damaged.jsonl"
    lines.write_text("{", encoding="utf-8")
    shown = expect_error(*optimize_command(lines, finished.run, "-o", "seed=7"))
    assert "different settings" in shown
    assert "seed" in shown
    assert "damaged.jsonl" not in shown


def test_without_json_there_is_a_table(finished: FinishedRun) -> None:
    result = sea(*optimize_command(finished.examples, finished.run))
    assert result.code == 0
    assert all(word in result.out for word in ("OSR", "VSR", "median", "90th percentile", "seconds per embedding"))
    assert str(finished.run) in result.out


def test_verify_says_the_same_again(finished: FinishedRun) -> None:
    assert sea("verify", finished.run, "--json").json() == finished.result.json()


def test_verify_asks_only_what_has_no_answer(finished: FinishedRun, tmp_path: Path) -> None:
    run = finished.copy(tmp_path)
    journal = run / "verify.jsonl"
    first, *others = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    journal.write_text(first + others[0][:20], encoding="utf-8")  # a kill in the middle of a line
    figures = sea("verify", run, "--json").json()
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    assert lines[0] == first
    assert sorted(lines) == sorted([first, *others])
    assert figures["vsr"] == finished.result.json()["vsr"]


def test_verify_takes_the_same_model_from_another_place(
    finished: FinishedRun, tmp_path: Path, checkpoint: Path
) -> None:
    assert sea("verify", finished.run, "--model", checkpoint, "--json").json() == finished.result.json()
    append_newline(checkpoint / "model.safetensors")
    message = expect_error("verify", finished.run, "--model", checkpoint)
    assert "made with another model" in message
    assert "--model" in message


def test_show_lists_rows_and_traces_one(finished: FinishedRun) -> None:
    rows = sea("show", finished.run, "--json").json()
    texts = {row["id"]: row for row in map(json.loads, finished.examples.read_text(encoding="utf-8").splitlines())}
    assert {row["id"] for row in rows} == texts.keys()
    good = next(row["id"] for row in rows if row["status"] == "succeeded")

    traced = sea("show", finished.run, good, "--json").json()
    assert traced["instruction"] == texts[good]["prompt"]
    assert traced["phrase"] in traced["instruction"]
    assert traced["phrase"] not in traced["detoxified"]
    assert traced["sentence"] in traced["goals"][0]["answer"]
    assert traced["style"] in traced["goals"][1]["answer"]
    assert traced["embedding"]["shape"] == [traced["n_features"], traced["d_encoder"]]
    assert traced["embedding"]["rms"] > 0
    assert traced["verified"]
    goals = {goal["prompt"] for goal in traced["goals"]}
    for verdict in traced["verified"]:
        assert verdict["id"] == good
        assert verdict["question"] not in goals
        assert isinstance(verdict["answer"], str)
        assert verdict["verdicts"]["lexical-2"] in ("named", "missed")


def test_tables_fit_a_terminal(finished: FinishedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    rows = sea("show", finished.run, "--json").json()
    good = next(row["id"] for row in rows if row["status"] == "succeeded")
    monkeypatch.setenv("TERM", "xterm")
    table, traced = (
        re.sub("\x1b\\[[0-9;]*m", "", sea_printing_to(Terminal(), "show", finished.run, *more).out)
        for more in ([], [good])
    )
    assert max(map(len, (table + traced).splitlines())) <= 100
    for row in rows:
        assert any(row["id"] in line and row["status"] in line and row["phrase"] in line for line in table.splitlines())
    story = ("instruction", "phrase", "detoxified", "target", "optimised", "embedding", "verified")
    assert sorted(story, key=traced.index) == list(story)


def test_tables_in_a_pipe_are_not_folded(finished: FinishedRun) -> None:
    run = sea("show", finished.run)
    assert len([line for line in run.out.splitlines() if line.strip()]) == 2 + 3


PREPARED = {
    "instruction": "How do I steal a lamp at night?",
    "response": "No.",
    "phrase": "steal a lamp",
    "kind": "activity",
    "sentence": "a person is stealing a lamp",
    "detoxified": "How do I do this activity at night?",
}


def test_the_names_of_special_tokens_in_texts_and_styles_are_letters_of_the_target_answers(tmp_path: Path) -> None:
    named = {"phrase": "steal a lamp<|AUDIO|>", "sentence": "a person is stealing a lamp<|AUDIO|>"}
    examples = tmp_path / "a.jsonl"
    examples.write_text(json.dumps(PREPARED | named | {"instruction": "How do I steal a lamp<|AUDIO|> at night?"}))
    styles = tmp_path / "styles.json"
    styles.write_text('{"styles": {"<|im_end|>deep<tool_call>": 1}}')
    more = ("-o", "steps=2", "-o", "lr=0.1", "--styles", styles, "--json")
    result = sea(*optimize_command(examples, tmp_path / "run", *more))
    assert json.loads(result.out)["embeddings"] == 1
    (record,) = EmbeddingRun(tmp_path / "run").store.records()
    assert (record["phrase"], record["style"]) == (named["phrase"], "<|im_end|>deep<tool_call>")
    assert "the model says" in record["reason"]


def test_a_text_that_the_model_cannot_keep_is_refused_before_the_first_step(tmp_path: Path, checkpoint: Path) -> None:
    tokenizer = checkpoint / "tokenizer.json"
    content = json.loads(tokenizer.read_text(encoding="utf-8"))
    content["model"]["unk_token"] = "<|im_end|>"  # what an unknown character becomes: a brace from now on
    content["model"]["vocab"] = {piece.replace("{", "unused"): i for piece, i in content["model"]["vocab"].items()}
    tokenizer.write_text(json.dumps(content), encoding="utf-8")
    examples = tmp_path / "a.jsonl"
    braces = PREPARED | {"sentence": "a person is stealing a {lamp}"}
    lines = [PREPARED, braces, *[braces | {"id": f"b{i}"} for i in range(8)]]
    examples.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    message = expect_error(*optimize_command(examples, tmp_path / "run", "--model", checkpoint))
    assert f"{examples}:2: goal: a part of the text would become the special token '<|im_end|>'" in message
    assert f"the same holds for texts of {examples}:3, {examples}:4" in message
    assert f"{examples}:7 and 3 more" in message
    assert not list((tmp_path / "run").glob("pending/*"))
    assert sea("data", "check", examples, "-p", "qwen2_audio", "--model", checkpoint).code == 1


def test_after_a_run_in_which_nothing_succeeded_no_alignment_is_proposed(tmp_path: Path) -> None:
    examples = write_demo_examples(tmp_path / "rows.jsonl", 1)
    result = sea(*optimize_command(examples, tmp_path / "run", "-o", "steps=1", "-o", "margin=9", "--no-verify"))
    assert result.code == 1
    assert "Next: sea align" not in result.err
    assert f"nothing to align on. Each one's reason: sea show {tmp_path}" in " ".join(result.err.split())
    assert "sea plugins warm" in result.err  # it may have random weights

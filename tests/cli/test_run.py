"""`sea init` writes a pipeline file, and `sea run` runs its commands, but none whose result is there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from helpers.cli import expect_error, sea
from sea_core.data.demo import DEMO_EXAMPLES
from sea_core.runs.embedding_run import EmbeddingRun

COMPLETE = """
folder: runs
common: {plugin: llava, model: m, device: cpu}
prepare: {data: rows.jsonl, columns: {instruction: question}}
optimize: {recipe: pool, option: {draws: 2, lr: 0.1}, verify: false}
align: {method: sft, merge: true}
bench run: {cases: set, task: [a, b]}
bench judge: {judge: [refusal, openai]}
bench report: {format: markdown}
report: {}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "pipeline.yaml"
    path.write_text(text)
    return path


def commands(file: Path) -> list[list[str]]:
    found: list[list[str]] = sea("run", file, "--dry-run", "--json").json()
    return found


def results(file: Path, code: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sea("run", file, "--json").json(code)
    return found


def test_each_command_reads_what_an_earlier_one_writes(tmp_path: Path) -> None:
    words = commands(write(tmp_path, COMPLETE))
    prepare, optimize, align, before, after, judge_before, judge_after, table, page = words
    written = {name: command[command.index("--out") + 1] for name, command in zip("poaxy", words[:5], strict=True)}
    assert prepare[:2] == ["prepare", "rows.jsonl"]
    assert prepare[prepare.index("--columns") + 1] == "instruction=question"
    assert "--model" not in prepare  # it has no such option
    assert optimize[:2] == ["optimize", written["p"]]
    assert [optimize[k + 1] for k, word in enumerate(optimize) if word == "--option"] == ["draws=2", "lr=0.1"]
    assert "--no-verify" in optimize
    assert align[:2] == ["align", written["o"]]
    assert "--merge" in align
    assert before[:3] == after[:3] == ["bench", "run", "set"]
    assert before.count("--task") == 2
    assert "--lora" not in before
    assert after[after.index("--lora") + 1] == f"{written['a']}/adapter"
    assert (judge_before[2], judge_after[2]) == (written["x"], written["y"])
    assert table[:4] == ["bench", "report", written["x"], written["y"]]
    assert page[:5] == ["report", *(written[name] for name in "oaxy")]
    assert page[-1].endswith(".html")


def test_names_change_with_all_that_a_result_depends_on(tmp_path: Path) -> None:
    def names(text: str) -> list[str]:
        return [command[command.index("--out") + 1] for command in commands(write(tmp_path, text))[:5]]

    original = names(COMPLETE)
    assert names(COMPLETE) == original
    assert names(COMPLETE.replace("device: cpu", "device: cuda")) == original
    changed = names(COMPLETE.replace("lr: 0.1", "lr: 0.2"))
    assert [a == b for a, b in zip(original, changed, strict=True)] == [True, False, False, True, False]


def test_names_change_with_the_content_of_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = {name: tmp_path / name for name in ("rows.jsonl", "m/weights", "set/bench.json", "extra.jsonl")}
    for file in files.values():
        file.parent.mkdir(exist_ok=True)
        file.write_text("0")
    text = COMPLETE.replace("align: {", "align: {extra-text: extra.jsonl, ")

    def names() -> list[str]:
        return [command[command.index("--out") + 1] for command in commands(write(tmp_path, text))[:5]]

    changed = {
        "rows.jsonl": [True, True, True, False, True],
        "m/weights": [False, True, True, True, True],
        "set/bench.json": [False, False, False, True, True],
        "extra.jsonl": [False, False, True, False, True],
    }
    for name, expected in changed.items():
        before = names()
        files[name].write_text("1")  # as long as before
        assert [a != b for a, b in zip(before, names(), strict=True)] == expected, name


def test_what_has_not_changed_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(DEMO_EXAMPLES, "rows.jsonl")
    file = write(
        tmp_path, "folder: runs\ncommon: {plugin: llava, limit: 2}\nprepare: {data: rows.jsonl}\noptimize: {verify: no}"
    )
    first = results(file)
    assert [step["result"] for step in first] == ["done", "done"]
    run = EmbeddingRun(Path(first[1]["output"]))
    assert len(run.records("succeeded")) == 2
    again = sea("run", file)
    assert again.code == 0
    assert again.err.count("unchanged: sea ") == 2

    shutil.rmtree(run.folder)
    assert [step["result"] for step in results(file)] == ["unchanged", "done"]
    prepared = Path(first[0]["output"])
    original = prepared.read_text()
    prepared.write_text(original.replace("lamp", "book"))
    assert "was edited since" in expect_error("run", file)
    prepared.write_text(original)

    words = commands(file)
    rows = Path("rows.jsonl").read_text().splitlines(keepends=True)
    Path("rows.jsonl").write_text("".join(rows[:-1]))
    assert all(a[-1] != b[-1] for a, b in zip(words, commands(file), strict=True))


def test_it_stops_at_a_command_that_cannot_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = sea("run", write(tmp_path, "folder: runs\nprepare: {plugin: llava, data: none.jsonl}\noptimize: {}"))
    assert (shown.code, shown.out) == (2, "")
    assert "The pipeline stopped here" in shown.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("optimise: {}", "there is no section 'optimise'.*Did you mean 'optimize'"),
        ("folder: runs", "no section"),
        ("optimize: {plugin: llava}", "names no folder"),
        ("folder: runs\nprepare: {}\nreport: {}", "nothing to report"),
        ("folder: runs\nalign: {}", "`align` needs a section `optimize`"),
        ("folder: runs\noptimize:\n  recipes: pool", r"pipeline.yaml:3: .*no option 'recipes'.*Did you mean 'recipe'"),
        ("folder: runs\noptimize: {}\ncommon: {plugins: x}", "no section has an option 'plugins'"),
        ("folder: runs\noptimize: {out: x}", "`out` is set by `sea run`"),
        ("folder: runs\noptimize: {verify: 1}", "verify must be true or false"),
        ("folder: runs\noptimize: {recipe: [a, b]}", "recipe takes one value"),
        ("folder: runs\noptimize: {option: draws=2}", "`option` must list settings"),
        ("folder: runs\noptimize: [a]", "must be a section"),
        ("folder: runs\nprepare: {data: a}\noptimize: {data: b}", "both `prepare` and `optimize` name data"),
        ("folder: runs\nbench run: {plugin: llava}", "names no benchmark"),
    ],
)
def test_what_is_not_known_is_refused(tmp_path: Path, text: str, message: str) -> None:
    shown = expect_error("run", write(tmp_path, text))
    assert re.search(message, shown, re.DOTALL), shown


@pytest.mark.parametrize("arguments", [["--cases", "none"], ["--cases", "my set", "--model", "a: b"]])
def test_init_writes_a_file_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    answers = ["--data", "demo", "--plugin", "llava", "--method", "sft", *arguments]
    assert sea("init", *answers).code == 0
    words = commands(Path("pipeline.yaml"))
    assert [command[0] for command in words[:3]] == ["prepare", "optimize", "align"]
    assert len(words) == (4 if "none" in arguments else 9)
    assert ("a: b" in words[1]) == ("a: b" in arguments)
    assert "this file exists" in expect_error("init", *answers)
    assert "no terminal" in expect_error("init", "other.yaml")

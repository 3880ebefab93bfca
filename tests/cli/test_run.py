"""`sea init` writes a pipeline file, and `sea run` runs its commands, but none whose result is there."""

from __future__ import annotations

import json
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from helpers.cli import expect_error, sea, sea_process
from sea_core.data.demo import DEMO_EXAMPLES
from sea_core.pipeline.steps import Step
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


EXAMPLE = json.dumps({"question": "How do I steal a lamp?", "response": "I cannot help with that."})


@pytest.fixture(autouse=True)
def what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the pipeline file reads is there: it is looked for before the first command."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text(EXAMPLE)
    for benchmark in ("set", "my set"):
        (tmp_path / benchmark).mkdir()
        (tmp_path / benchmark / "a.json").touch()


def write(folder: Path, text: str) -> Path:
    path = folder / "pipeline.yaml"
    path.write_text(text)
    return path


def commands(file: Path) -> list[list[str]]:
    found: list[list[str]] = sea("run", file, "--dry-run", "--json").json()
    return found


def names(file: Path) -> list[str]:
    """Return what the commands write, once the prepared examples are there."""
    prepared = Path(commands(file)[0][-1])
    prepared.parent.mkdir(exist_ok=True)
    prepared.touch()
    return [command[command.index("--out") + 1] for command in commands(file)[:5]]


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


def test_names_change_with_all_that_a_result_depends_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert commands(write(tmp_path, COMPLETE))[1][-1].endswith("/embeddings-????????")  # it follows what is prepared
    original = names(write(tmp_path, COMPLETE))
    assert names(write(tmp_path, COMPLETE)) == original
    assert names(write(tmp_path, COMPLETE.replace("device: cpu", "device: cuda"))) == original
    changed = names(write(tmp_path, COMPLETE.replace("lr: 0.1", "lr: 0.2")))
    assert [a == b for a, b in zip(original, changed, strict=True)] == [True, False, False, True, False]


def test_names_change_with_the_content_of_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = {name: tmp_path / name for name in ("rows.jsonl", "m/weights", "set/a.json", "extra.jsonl")}
    for file in files.values():
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{EXAMPLE} ")
    file = write(tmp_path, COMPLETE.replace("align: {", "align: {extra-text: extra.jsonl, "))
    files["prepared"] = Path(names(file)[0])
    changed = {
        "prepared": [False, True, True, False, True],
        "rows.jsonl": [True, True, True, False, True],
        "m/weights": [False, True, True, True, True],
        "set/a.json": [False, False, False, True, True],
        "extra.jsonl": [False, False, True, False, True],
    }
    for name, expected in changed.items():
        before = names(file)
        files[name].write_text(f" {EXAMPLE}")  # as long as before
        assert [a != b for a, b in zip(before, names(file), strict=True)] == expected, name


@pytest.mark.parametrize(
    "settings", ["option: {defence.steering.data: d.jsonl}", "option: {defence.steering.data: d}", "config: d.yaml"]
)
def test_names_change_with_the_content_of_what_settings_name(tmp_path: Path, settings: str) -> None:
    (tmp_path / "d.yaml").write_text("defence: {steering: {data: d.jsonl}}")
    (tmp_path / "d").mkdir()
    files = [tmp_path / "d.jsonl", tmp_path / "d" / "d.jsonl"]
    for each in files:
        each.write_text(EXAMPLE)
    section = f"bench run: {{cases: set, plugin: llava, defence: steering, {settings}}}"
    file = write(tmp_path, f"folder: runs\n{section}")
    before = commands(file)
    assert commands(file) == before
    for each in files:
        each.write_text(f"{EXAMPLE}\n{EXAMPLE}")
    assert commands(file) != before


def test_the_folder_that_a_tracker_of_trl_writes_is_no_input(tmp_path: Path) -> None:
    file = write(
        tmp_path, "folder: runs\noptimize: {plugin: llava}\nalign: {method: sft, option: {trainer.report_to: wandb}}"
    )
    before = commands(file)
    (tmp_path / "wandb").mkdir()
    (tmp_path / "wandb" / "run.json").write_text("{}")
    assert commands(file) == before


@pytest.mark.parametrize("value", ["nothing", "''", ".", "runs", "long " * 100])
def test_a_setting_that_names_nothing_to_read_leaves_names_alone(tmp_path: Path, value: str) -> None:
    section = f"optimize: {{plugin: llava, option: {{llm.model: {value}}}, extractor: openai}}"
    file = write(tmp_path, f"folder: runs\n{section}")
    before = commands(file)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "pipeline.jsonl").write_text("{}")  # what the pipeline writes is no input of it
    assert commands(file) == before


def test_what_depends_on_a_command_is_run_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that failed is run again, and all that depends on it, also if the pipeline was stopped between."""
    monkeypatch.chdir(tmp_path)
    codes, called = {"prepare": 1}, list[str]()

    def call(step: Step, quiet: bool) -> int:
        called.append(" ".join(step.command))
        if step.output:
            step.output.write_text("") if step.output.suffix else step.output.mkdir(exist_ok=True)
        return codes.get(step.command[-1], 0)

    monkeypatch.setattr("sea_core.cli.run._call", call)

    def run(code: int) -> list[str]:
        called.clear()
        assert sea("run", file, "--json").code == code
        return list(called)

    file = write(tmp_path, COMPLETE)
    every = run(1)
    assert every == ["prepare", "optimize", "align", *["bench run"] * 2, *["bench judge"] * 2, "bench report", "report"]
    del codes["prepare"]
    again = ["prepare", "optimize", "align", "bench run", "bench judge", "bench report", "report"]
    assert run(0) == again
    assert run(0) == ["bench report"]  # it only prints
    shutil.rmtree(next(Path("runs").glob("embeddings-*")))
    codes["judge"] = 130
    assert run(130) == ["optimize", "align", "bench run", "bench judge"]
    del codes["judge"]
    assert run(0) == ["bench judge", "bench report", "report"]


def test_ctrl_c_stops_the_command_that_is_running_cleanly(tmp_path: Path) -> None:
    file = write(tmp_path, f"folder: {tmp_path}/runs\noptimize: {{plugin: llava, verify: false}}")
    pipeline = sea_process("run", file)
    until = time.monotonic() + 100
    while not list(tmp_path.glob("runs/embeddings-*/**/*.safetensors")):
        assert time.monotonic() < until
        time.sleep(0.05)
    pipeline.send_signal(signal.SIGINT)
    _, err = pipeline.communicate()
    assert pipeline.returncode == 130
    assert "Traceback" not in err
    assert err.count("Re-run the same command to resume") == 2  # the command's, and the pipeline's
    (folder,) = tmp_path.glob("runs/embeddings-*")
    assert EmbeddingRun(folder).records("succeeded")


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
    words = commands(file)
    rows = Path("rows.jsonl").read_text().splitlines(keepends=True)
    Path("rows.jsonl").write_text("".join(rows[:-1]))
    assert all(a[-1] != b[-1] for a, b in zip(words, commands(file), strict=True))


def test_it_stops_at_a_command_that_cannot_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sea_core.cli.run._call", lambda step, quiet: 2)
    shown = sea("run", write(tmp_path, "folder: runs\nprepare: {plugin: llava}\noptimize: {plugin: llava}"))
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


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("optimize: {option: {drows: 3}}", "`optimize` cannot be run: there is no setting 'drows'.*'draws'"),
        ("optimize: {option: {draws: 0}}", "draws is 0, but it must be"),
        ("optimize: {recipe: plane}", "`optimize` cannot be run: .*plane"),
        ("optimize: {limit: 0}", "`optimize` cannot be run: .*--limit.*"),
        ("optimize: {benign-media: none}", "there is no file or folder none"),
        ("optimize: {data: none.jsonl}", "there is no file or folder none.jsonl"),
        ("optimize: {data: rows.jsonl, columns: {instruction: query}}", "--columns names .query"),
        ("optimize: {plugin: lava}", "lava.*Did you mean 'llava'"),
        ("optimize: {option: {adapter.size: 3}}", "adapter.size"),
        ("optimize: {}\nalign: {method: sft, option: {stps: 300}}", "`align` cannot be run: .*'stps'.*'steps'"),
        ("optimize: {}\nalign: {method: stf}", "`align` cannot be run: method is 'stf'"),
        (
            "optimize: {data: rows.jsonl, columns: {instruction: question}}\nalign: {}",
            '`align` cannot be run: none of 1 example has "chosen" and "rejected".*--method sft',
        ),
        ("optimize: {}\nalign: {method: sft, option: {trainer.lerning_rate: 1}}", "trainer.learning_rate"),
        ("optimize: {}\nalign: {method: sft, option: {trainer.learning_rate: high}}", "it must be a number"),
        ("optimize: {}\nalign: {method: sft, option: {trainer.max_length: 9}}", "trainer.max_length cannot be set"),
        ("optimize: {}\nalign: {method: sft, option: {lora.rank: 8}}", "`align` cannot be run: .*lora.rank"),
        ("bench run: {cases: set, defence: gard}", "`bench run` cannot be run: .*gard.*Did you mean 'guard'"),
        ("bench run: {cases: set, option: {server.retries: 2}}", "changes nothing without --server URL"),
        ("bench run: {cases: set}\nbench judge: {judge: gard}", "`bench judge` cannot be run: .*'gard'"),
        ("bench run: {cases: set}\nbench judge: {comprehension-judge: guard}", "`bench judge` cannot be run: .*guard"),
        (
            "bench run: {cases: set}\nbench judge: {option: {llm.model: m}}",
            "changes nothing without --judge openai or transformers",
        ),
        ("bench run: {cases: docs}", "there is no file or folder docs"),
        ("bench run: {cases: empty}", "empty is no benchmark folder"),
    ],
)
def test_what_makes_a_command_impossible_is_found_before_the_first_one(
    tmp_path: Path, section: str, message: str
) -> None:
    (tmp_path / "empty").mkdir()
    file = write(tmp_path, f"folder: runs\ncommon: {{plugin: llava}}\n{section}")
    shown = expect_error("run", file, *(["--dry-run"] if "option" in section else []))
    assert re.search(message, shown, re.DOTALL), shown
    assert not (tmp_path / "runs").exists()


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


def test_init_refuses_what_cannot_be_used(tmp_path: Path) -> None:
    rest = ["--plugin", "llava", "--method", "sft", "--cases"]
    assert "no file or folder none.csv" in expect_error("init", "--data", "none.csv", *rest, "none")
    (tmp_path / "docs").mkdir()
    assert "docs is no benchmark folder" in expect_error("init", "--data", "demo", *rest, "docs")
    assert not (tmp_path / "pipeline.yaml").exists()


def test_init_names_the_columns_to_fill_in(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("question,good\nHow do I steal a lamp?,I cannot help with that.\n")
    shown = sea("init", "--data", "mine.csv", "--plugin", "llava", "--method", "sft", "--cases", "none")
    assert (shown.code, "no answers" in shown.err) == (0, True)
    assert "# columns: {response: COLUMN}" in (tmp_path / "pipeline.yaml").read_text()

"""`sea bench utility`. lmms-eval is a program of others: a scripted one, which writes files of its form, stands in."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from shell import refusal, sea

PROGRAM = """#!{python}
import json, os, pathlib, sys
here = pathlib.Path(__file__).parent
if sys.argv[1:] == ["models"]:
    print("Model   Type")
    print("toy      simple")
    print("toy_hf   chat+simple")
    sys.exit()
calls = here / "calls.jsonl"
with calls.open("a") as file:
    file.write(json.dumps([sys.argv[1:], sorted(k for k in os.environ if "KEY" in k)]) + "\\n")
if (here / "broken").exists():
    print("CUDA out of memory")
    sys.exit(3)
out = pathlib.Path(sys.argv[sys.argv.index("--output_path") + 1]) / "toy"
out.mkdir(parents=True, exist_ok=True)
(out / "20260101_1_results.json").write_text(json.dumps({{
    "results": {{
        "mme": {{"alias": "mme", "score,none": 0.5, "score_stderr,none": 0.1, "submission,none": "[]"}},
        "sub_a": {{"score,none": 1, "score_stderr,none": "N/A"}},
        "pack": {{"alias": "pack", " ": " "}},
    }},
    "group_subtasks": {{"pack": ["sub_a"]}},
    "n-samples": {{"mme": {{"original": 9, "effective": 3}}}},
    "higher_is_better": {{"mme": {{"score": True}}}}, "lmms_eval_version": "0.0",
}}))
answers = [{{"filtered_resps": "yes"}}, {{"filtered_resps": [""]}}, {{"filtered_resps": " "}}]
(out / "20260101_1_samples_mme.jsonl").write_text("".join(json.dumps(a) + "\\n" for a in answers))
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "bin" / "lmms-eval"
    path.parent.mkdir()
    path.write_text(PROGRAM.format(python=sys.executable))
    path.chmod(0o755)
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "merged"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "toy"}')
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def calls(program: Path) -> list[list[list[str]]]:
    path = program.with_name("calls.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_figures_are_read_and_never_made_twice(
    program: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    typed = (
        "bench",
        "utility",
        model,
        "--task",
        "mme",
        "--task",
        "pack",
        "--out",
        tmp_path / "u",
        "--program",
        program,
    )
    found = sea(*typed, "--json").json()
    first, second = found["figures"]
    assert (first["task"], first["metric"], first["value"], first["stderr"]) == ("mme", "score", 0.5, 0.1)
    assert (first["cases"], first["empty"], first["higher_is_better"]) == (3, 2, True)
    assert (second["task"], second["value"], second["stderr"], second["empty"]) == ("sub_a", 1, None, None)
    assert found["missing"] == []
    assert sea(*typed, "--json").json() == found
    ((line, keys),) = calls(program)  # the second time nothing was run
    assert line[line.index("--model") + 1] == "toy_hf"  # the one that reads transformers' files
    assert line[line.index("--tasks") + 1] == "mme,pack"
    assert line[line.index("--model_args") + 1] == f"pretrained={model}"
    assert keys == []  # no task can ask a paid judge


def test_a_task_without_a_figure_is_told(program: Path, model: Path, tmp_path: Path) -> None:
    said = sea("bench", "utility", model, "--suite", "image", "--out", tmp_path / "u", "--program", program)
    assert said.code == 1
    assert "no figure for: pope, mmbench_en_dev_static, scienceqa_img" in said.err
    assert "Empty answers count as wrong" in said.err


def test_a_failure_is_told_and_the_same_command_goes_on(program: Path, model: Path, tmp_path: Path) -> None:
    typed = ("bench", "utility", model, "--task", "mme", "--out", tmp_path / "u", "--program", program)
    program.with_name("broken").touch()
    assert "ended with code 3: CUDA out of memory" in refusal(*typed)
    program.with_name("broken").unlink()
    assert sea(*typed).code == 0
    assert "holds another measurement: limit differ" in refusal(*typed, "--limit", 1)


def test_a_dry_run_shows_the_command_and_makes_nothing(model: Path, tmp_path: Path) -> None:
    typed = ("bench", "utility", model, "--suite", "audio", "--out", tmp_path / "u", "--program", "not-there")
    line = sea(*typed, "--dry-run", "--wrapper", "toy", "--json").json()["command"]
    assert line[:3] == ["not-there", "--model", "toy"]
    assert line[line.index("--tasks") + 1] == "mmau_test_mini,librispeech_test_clean,air_bench_foundation"
    assert not (tmp_path / "u").exists()
    assert "pip install 'sea-core[lmms-eval]'" in refusal(*typed)


def test_what_is_no_model_or_suite_is_told(program: Path, model: Path, tmp_path: Path) -> None:
    typed = ("--out", tmp_path / "u", "--program", program)
    assert "Did you mean 'image'" in refusal("bench", "utility", model, "--suite", "imag", *typed)
    assert "neither a suite nor a task" in refusal("bench", "utility", model, *typed)
    (model / "config.json").rename(model / "adapter_config.json")
    assert "an adapter alone" in refusal("bench", "utility", model, "--suite", "image", *typed)
    (model / "config.json").write_text('{"model_type": "unknown"}')
    assert "--wrapper NAME" in refusal("bench", "utility", model, "--suite", "image", *typed)

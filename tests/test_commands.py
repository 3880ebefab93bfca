"""The commands as a person uses them, on a real model: run, stop, go on, look, verify, and everything typed wrong.

Commands run in this process, through the same `main` as in a shell; where a process has to die, in one of its own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from chat_server import Answer, chat_server, says
from shell import Said, Terminal, refusal, sea, sea_to

from sea_core import plugins
from sea_core.demo import ROWS

PLUGIN = "qwen2_audio"
QUICK = ("-o", "adapter.seconds=0.5", "-o", "loss=1", "-o", "margin=0")
PLAIN = {"instruction": "How do I steal a book?", "response": "No."}


def sea_process(*arguments: object) -> subprocess.Popen[str]:
    """Start `sea` in a process of its own."""
    command = [sys.executable, "-m", "sea_core.cli", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=_hear_ctrl_c
    )


def _hear_ctrl_c() -> None:
    """Undo what a shell does to jobs in the background: they, and all that they start, are deaf to SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def optimize(rows: Path, out: Path, *more: object) -> tuple[object, ...]:
    return ("optimize", rows, "--plugin", PLUGIN, "--out", out, *QUICK, *more)


def demo(path: Path, count: int) -> Path:
    path.write_text("".join(ROWS.read_text(encoding="utf-8").splitlines(keepends=True)[:count]), encoding="utf-8")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@dataclass(frozen=True)
class Finished:
    """A run of three rows that was optimised and verified, and what `--json` said of it."""

    rows: Path
    run: Path
    said: Said

    def copy(self, folder: Path) -> Path:
        return Path(shutil.copytree(self.run, folder / "copy"))


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """The model is so small that more threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("finished")
    rows = demo(folder / "rows.jsonl", 3)
    return Finished(rows, folder / "run", sea(*optimize(rows, folder / "run", "--json")))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the plugin's own model, to damage."""
    return Path(shutil.copytree(plugins.adapter(PLUGIN)[1].checkpoint, tmp_path / "model"))


# ------------------------------------------------------------------------------------------- optimize, show, verify


def test_optimize_prints_one_object_with_the_figures(finished: Finished) -> None:
    figures = finished.said.json()
    wanted = {"run", "rows", "succeeded", "osr", "vsr", "steps_median", "seconds_per_row"}
    assert wanted <= figures.keys()
    assert (figures["run"], figures["rows"], figures["done"]) == (str(finished.run), 3, 3)
    assert figures["osr"] == figures["succeeded"] / 3
    assert figures["succeeded"] > 0
    assert figures["verified"] > 0
    assert 0 <= figures["vsr"] <= 1
    assert figures["steps_median"] > 0
    assert figures["seconds_per_row"] > 0
    assert "Loading weights" not in finished.said.err


def test_the_same_command_again_does_nothing_twice(finished: Finished) -> None:
    before = contents(finished.run)
    again = sea(*optimize(finished.rows, finished.run, "--json"))
    assert again.json() == finished.said.json()
    assert contents(finished.run) == before


def test_batch_size_may_change_and_more_rows_may_follow(finished: Finished, tmp_path: Path) -> None:
    run = finished.copy(tmp_path)
    again = sea(*optimize(finished.rows, run, "-o", "batch_size=1", "--limit", "2", "--json")).json()
    assert (again["rows"], again["done"]) == (3, 3)
    assert again["seconds_per_row"] == finished.said.json()["seconds_per_row"]


def test_without_json_there_is_a_table(finished: Finished) -> None:
    said = sea(*optimize(finished.rows, finished.run))
    assert said.code == 0
    assert all(word in said.out for word in ("OSR", "VSR", "median", "90th percentile", "seconds per row"))
    assert str(finished.run) in said.out


def test_verify_says_the_same_again(finished: Finished) -> None:
    assert sea("verify", finished.run, "--json").json() == finished.said.json()


def test_verify_asks_only_what_has_no_answer(finished: Finished, tmp_path: Path) -> None:
    run = finished.copy(tmp_path)
    journal = run / "verify.jsonl"
    first, *others = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    journal.write_text(first + others[0][:20], encoding="utf-8")  # a kill in the middle of a line
    figures = sea("verify", run, "--json").json()
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    assert lines[0] == first
    assert sorted(lines) == sorted([first, *others])
    assert figures["vsr"] == finished.said.json()["vsr"]


def test_verify_takes_the_same_model_from_another_place(finished: Finished, tmp_path: Path, model: Path) -> None:
    assert sea("verify", finished.run, "--model", model, "--json").json() == finished.said.json()
    append(model / "model.safetensors")
    message = refusal("verify", finished.run, "--model", model)
    assert "made with another model" in message
    assert "--model" in message


def test_show_lists_rows_and_traces_one(finished: Finished) -> None:
    rows = sea("show", finished.run, "--json").json()
    texts = {row["id"]: row for row in map(json.loads, finished.rows.read_text(encoding="utf-8").splitlines())}
    assert {row["id"] for row in rows} == texts.keys()
    good = next(row["id"] for row in rows if row["status"] == "succeeded")

    traced = sea("show", finished.run, good, "--json").json()
    assert traced["instruction"] == texts[good]["prompt"]
    assert traced["phrase"] in traced["instruction"]
    assert traced["phrase"] not in traced["detoxified"]
    assert traced["sentence"] in traced["goals"][0]["answer"]
    assert traced["style"] in traced["goals"][1]["answer"]
    assert traced["embedding"]["shape"] == [traced["n_rows"], traced["d_encoder"]]
    assert traced["embedding"]["rms"] > 0
    assert traced["verified"]
    goals = {goal["prompt"] for goal in traced["goals"]}
    for verdict in traced["verified"]:
        assert verdict["id"] == good
        assert verdict["question"] not in goals
        assert isinstance(verdict["answer"], str)
        assert verdict["verdicts"]["match"] in ("named", "missed")


def test_tables_fit_a_terminal(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    rows = sea("show", finished.run, "--json").json()
    good = next(row["id"] for row in rows if row["status"] == "succeeded")
    monkeypatch.setenv("TERM", "xterm")
    table, traced = (
        re.sub("\x1b\\[[0-9;]*m", "", sea_to(Terminal(), "show", finished.run, *more).out) for more in ([], [good])
    )
    assert max(map(len, (table + traced).splitlines())) <= 100
    for row in rows:
        assert any(row["id"] in line and row["status"] in line and row["phrase"] in line for line in table.splitlines())
    story = ("instruction", "phrase", "detoxified", "target", "optimised", "embedding", "verified")
    assert sorted(story, key=traced.index) == list(story)


def test_tables_in_a_pipe_are_not_folded(finished: Finished) -> None:
    run = sea("show", finished.run)
    assert len([line for line in run.out.splitlines() if line.strip()]) == 2 + 3


def test_prepare_tells_what_would_be_done_and_loads_no_model(tmp_path: Path) -> None:
    rows, report = demo(tmp_path / "rows.jsonl", 4), tmp_path / "report.jsonl"
    with rows.open("a") as file:
        file.write(json.dumps({**json.loads(rows.read_text().splitlines()[0]), "id": "odd", "prompt": "Lamp."}) + "\n")
    code = f"""
import atexit, sys
atexit.register(lambda: print("torch" in sys.modules, "transformers" in sys.modules, file=sys.stderr))
sys.argv = ["sea", "prepare", {str(rows)!r}, "--plugin", {PLUGIN!r}, "--out", {str(report)!r}, "--json"]
from sea_core.cli import main
main()"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[1:] == ["False False"]
    assert "is read as pku-saferlhf" in done.stderr
    told = json.loads(done.stdout)
    assert (told["rows"], told["prepared"], told["refused"]) == (5, 4, 1)
    assert sum(told["reasons"].values()) == 1
    lines = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    assert [line["outcome"] for line in lines] == ["prepared"] * 4 + ["refused"]
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
        setting = ("-o", f"chat.base_url={server.url}", "-o", "chat.model=m", "-o", "chat.price_in=1000")
        command = ("prepare", lamp_rows, "--plugin", PLUGIN, "--extractor", "openai", *setting, "--out", out, "--json")
        first, second = sea(*command).json(), sea(*command).json()
        assert len(server.requests) == 3
        line = sea(*command[:-1])
    assert first == second
    assert (first["prepared"], first["refused"]) == (2, 1)
    assert first["reasons"] == {"the language model refused to take the instruction apart": 1}
    assert first["spent"] == {"replies": 3, "tokens_in": 30, "tokens_out": 15, "untold": 0, "cost": 0.03}
    assert first["extractor"]["chat"]["model"] == "m"
    assert "cost" in line.out
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [line["outcome"] for line in lines] == ["prepared", "prepared", "refused"]
    assert lines[1].items() >= {
        "instruction": "Say, who may steal a lamp?", "response": "No.", "harmful": True, "phrase": "steal a lamp",
        "kind": "activity", "sentence": "a person is stealing a lamp", "detoxified": "Say, who may do this activity?",
    }.items()  # fmt: skip
    assert sorted(path.name for path in tmp_path.glob("*.jsonl")) == [
        "prepared.answers.jsonl", "prepared.jsonl", "rows.jsonl",
    ]  # fmt: skip


def test_optimize_keeps_who_found_the_phrases(tmp_path: Path, lamp_rows: Path) -> None:
    with chat_server(lamps) as server:
        setting = ("-o", f"chat.base_url={server.url}", *QUICK, "-o", "steps=1", "--limit", "1", "--no-verify")
        command = ("optimize", lamp_rows, "--plugin", PLUGIN, "--out", tmp_path / "run", *setting)
        done = sea(*command, "--extractor", "openai", "-o", "chat.model=m")
        assert done.code == 0, done.err
        other = sea(*command, "--extractor", "openai", "-o", "chat.model=n")
    about = json.loads((tmp_path / "run" / "run.json").read_text())["identity"]
    assert about["extractor"]["name"] == "openai"
    assert about["extractor"]["chat"]["model"] == "m"
    assert "run.answers.jsonl holds 3 answers: 30 tokens read" in done.err.replace("\n", "")
    assert other.code == 2
    assert "extractor.chat.model: m there, n now" in other.err


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("--extractor", "rule"), "Did you mean rules"),
        (("--extractor", "openai", "-o", "chat.modle=m"), "Did you mean 'chat.model'?"),
        (("--extractor", "openai"), "-o chat.model="),
        (("--extractor", "openai", "-o", "chat.model=m", "-o", "chat.key_env=NO_SUCH"), "NO_SUCH is not set"),
        (("--extractor", "transformers", "-o", "chat.model=./none"), "there is no model folder ./none"),
    ],
)
def test_a_language_model_that_cannot_be_asked_is_told_at_once(
    tmp_path: Path, lamp_rows: Path, typed: tuple[str, ...], said: str
) -> None:
    assert said in refusal("prepare", lamp_rows, "--plugin", PLUGIN, "--out", tmp_path / "out.jsonl", *typed)
    assert list(tmp_path.iterdir()) == [lamp_rows]


def test_answers_need_a_place(lamp_rows: Path) -> None:
    said = refusal(
        "prepare",
        lamp_rows,
        "--plugin",
        PLUGIN,
        "--extractor",
        "openai",
        "-o",
        "chat.base_url=http://localhost:1/v1",
        "-o",
        "chat.model=m",
    )
    assert "--out prepared.jsonl" in said


# ------------------------------------------------------------------------------------------------------ stop, go on


def stopped(run: Path, command: tuple[object, ...], with_signal: int, least: int) -> tuple[int, str]:
    """Start a command, stop it when `least` rows lie in the run, and return its exit code and stderr."""
    process = sea_process(*command)
    until = time.monotonic() + 120
    while len(list((run / "pending").glob("*.safetensors"))) < least:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "no row was finished in two minutes"
        time.sleep(0.02)
    process.send_signal(with_signal)
    out, err = process.communicate()
    assert out == ""
    return process.returncode, err


def records(run: Path) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in sea("show", run, "--json").json()}


def test_interrupt_and_kill_lose_no_finished_row(tmp_path: Path) -> None:
    rows, run = demo(tmp_path / "rows.jsonl", 6), tmp_path / "run"
    command = optimize(rows, run, "-o", "batch_size=1", "-o", "steps=30", "--json")

    code, err = stopped(run, command, signal.SIGINT, least=1)
    assert code == 130
    assert "stopped; the same command goes on from here" in err
    assert "Traceback" not in err
    first = records(run)
    assert 1 <= len(first) < 6

    code, _ = stopped(run, command, signal.SIGKILL, least=len(first) + 1)
    assert code == -signal.SIGKILL
    second = records(run)
    assert len(first) < len(second) < 6
    kept = {name: sea("show", run, name, "--json").json() for name in second}

    figures = sea(*command).json()
    assert (figures["rows"], figures["done"]) == (6, 6)
    assert len(records(run)) == 6
    for name, before in kept.items():  # the same seconds: none was made again
        after = sea("show", run, name, "--json").json()
        assert {**after, "shard": "", "verified": []} == before


def test_full_disk_stops_with_words_and_the_command_goes_on(finished: Finished, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = optimize(finished.rows, run, "-o", "steps=2", "-o", "batch_size=1", "--no-verify", "--json")
    assert sea(*command, "--limit", "1").json()["done"] == 1
    (run / "pending" / ".00000001.safetensors.part").symlink_to("/dev/full")
    message = refusal(*command)
    assert "No space left on device" in message
    assert "same command again" in message
    assert len(records(run)) == 2
    assert sea(*command).json()["done"] == 3


# -------------------------------------------------------------------------------------------------------- bad input

FILES: dict[str, tuple[bytes, str]] = {
    "torn": (json.dumps(PLAIN).encode() + b'\n{"instruction": "How', ":2:"),
    "empty": (b"", "no rows"),
    "blank": (b"\n\n", "no rows"),
    "columns": (b'{"question": "How do I steal a lamp?", "reply": "No."}\n', ":1:"),
    "latin": (json.dumps(PLAIN).encode() + b'\n{"instruction": "Caf\xe9", "response": "a"}\n', ":2:"),
    "twice": (2 * (json.dumps(PLAIN | {"id": "a"}).encode() + b"\n"), ":2:"),
    "hopeless": (b'{"instruction": "Lamp.", "response": "No."}\n', "none of the 1 rows could be prepared"),
}


@pytest.mark.parametrize("command", ["optimize", "prepare"])
@pytest.mark.parametrize("name", FILES)
def test_bad_rows_are_told_by_file_and_line(tmp_path: Path, name: str, command: str) -> None:
    path = tmp_path / f"{name}.jsonl"
    content, named = FILES[name]
    path.write_bytes(content)
    out = ("--out", tmp_path / "run")
    message = refusal(command, path, "--plugin", PLUGIN, *out)
    assert str(path) in message
    assert named in message
    if (name, command) == ("hopeless", "prepare"):  # the report says of each row why
        assert "opener" in json.loads((tmp_path / "run").read_text())["reason"]
        (tmp_path / "run").unlink()
    assert list(tmp_path.iterdir()) == [path], "nothing was begun"


MISTYPED: dict[str, tuple[tuple[str, ...], str]] = {
    "no plugin": ((), "sea modalities"),
    "unknown plugin": (("--plugin", PLUGIN[:-1]), f"Did you mean {PLUGIN}?"),
    "unknown modality": (("--plugin", PLUGIN, "--modality", "smell"), "smell"),
    "unknown model folder": (
        ("--plugin", PLUGIN, "--model", "./none"),
        "there is no model folder ./none",
    ),
    "folder without model": (("--plugin", PLUGIN, "--model", "."), "no config.json"),
    "unknown setting": (("--plugin", PLUGIN, "-o", "stpes=3"), "Did you mean 'steps'?"),
    "unknown adapter setting": (("--plugin", PLUGIN, "-o", "adapter.second=3"), "Did you mean 'adapter.seconds'?"),
    "setting without value": (("--plugin", PLUGIN, "-o", "lr"), "-o lr=0.1"),
    "setting of a wrong type": (("--plugin", PLUGIN, "-o", "steps=many"), "a whole number"),
    "setting out of range": (("--plugin", PLUGIN, "-o", "lr=0"), "above zero"),
    "adapter setting out of range": (("--plugin", PLUGIN, "-o", "adapter.seconds=0"), "adapter.seconds"),
    "dtype": (("--plugin", PLUGIN, "--dtype", "float8"), "float32, bfloat16, float16"),
    "device": (("--plugin", PLUGIN, "--device", "abacus"), "--device cpu"),
    "format": (("--plugin", PLUGIN, "--format", "pukapuka"), "pukapuka"),
    "columns": (("--plugin", PLUGIN, "--columns", "instruction"), "--columns instruction=question"),
    "settings file": (("--plugin", PLUGIN, "--config", "none.yaml"), "none.yaml"),
}


@pytest.mark.parametrize("name", MISTYPED)
def test_mistyped_option_is_told(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments, named = MISTYPED[name]
    assert named in refusal("optimize", finished.rows, *arguments)
    assert list(tmp_path.iterdir()) == [], "nothing was begun"


def test_unreachable_hub_is_told(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    message = refusal("optimize", finished.rows, "--plugin", PLUGIN, "--model", "nobody/none")
    assert "there is no folder nobody/none, and the model hub did not give" in message
    assert "--model" in message


def test_missing_rows_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").touch()
    message = refusal("optimize", tmp_path / "row.jsonl", "--plugin", PLUGIN)
    assert f"Did you mean {tmp_path / 'rows.jsonl'} ?" in message


def drop_a_weight(path: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(path)
    weights.pop(min(weights))
    save_file(weights, path, {"format": "pt"})


def other_family(path: Path) -> None:
    path.write_text('{"architectures": ["OtherForConditionalGeneration"], "model_type": "other"}')


DAMAGE: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "another family": ("config.json", other_family, "is a OtherForConditionalGeneration"),
    "torn config": ("config.json", truncate, "config.json is torn"),
    "torn weights": ("model.safetensors", truncate, "torn"),
    "missing weight": ("model.safetensors", drop_a_weight, "lacks 1 weights"),
    "no weights": ("model.safetensors", Path.unlink, "cannot be loaded"),
    "torn tokenizer": ("tokenizer.json", truncate, "cannot be loaded"),
    "no processor": ("processor_config.json", Path.unlink, "cannot be loaded"),
    "torn card": ("sea.json", lambda path: path.write_bytes(b"{") and None, "card is torn"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_checkpoint_is_told(finished: Finished, tmp_path: Path, model: Path, name: str) -> None:
    file, damage, named = DAMAGE[name]
    damage(model / file)
    message = refusal(*optimize(finished.rows, tmp_path / "run", "--model", model))
    assert str(model) in message
    assert named in message


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("-o", "lr=0.2"), "config.lr: 0.1 there, 0.2 now"),
        (("-o", "adapter.seconds=1"), "adapter.seconds: 0.5 there, 1.0 now"),
        (("--dtype", "bfloat16"), "dtype: float32 there, bfloat16 now"),
    ],
)
def test_folder_of_another_run_is_refused(finished: Finished, more: tuple[str, ...], named: str) -> None:
    before = contents(finished.run)
    message = refusal(*optimize(finished.rows, finished.run, *more))
    assert named in message
    assert "--out" in message
    assert contents(finished.run) == before


def test_other_data_or_another_model_in_the_same_folder_is_refused(
    finished: Finished, tmp_path: Path, model: Path
) -> None:
    before = contents(finished.run)
    assert "\n  data: " in refusal(*optimize(demo(tmp_path / "rows.jsonl", 2), finished.run))
    append(model / "config.json")
    assert "\n  model: " in refusal(*optimize(finished.rows, finished.run, "--model", model))
    assert contents(finished.run) == before


def test_output_folder_that_cannot_be_one_is_told(finished: Finished, tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").touch()
    assert "holds files that are not a run" in refusal(*optimize(finished.rows, tmp_path))
    assert "is a file" in refusal(*optimize(finished.rows, tmp_path / "thesis.doc"))
    assert "cannot write" in refusal(*optimize(finished.rows, tmp_path / "thesis.doc" / "run"))


@pytest.mark.parametrize("command", ["show", "verify"])
def test_folder_that_is_no_run_is_told(tmp_path: Path, command: str) -> None:
    message = refusal(command, tmp_path / "none")
    assert "is not a run folder" in message
    assert "sea optimize" in message


def test_unknown_row_is_told(finished: Finished) -> None:
    assert "sea show" in refusal("show", finished.run, "demo-999")


def test_damaged_run_is_told(finished: Finished, tmp_path: Path) -> None:
    run = finished.copy(tmp_path)
    good = next(name for name, row in records(run).items() if row["status"] == "succeeded")
    (shard,) = run.glob("embeddings-*.safetensors")
    data = shard.read_bytes()
    shard.write_bytes(data[: len(data) // 2])
    assert str(shard) in refusal("show", run, good)
    (run / "verify.jsonl").unlink()
    assert str(shard) in refusal("verify", run)
    shard.unlink()
    assert str(shard) in refusal("show", run, good)
    assert len(records(run)) == 3  # the index still says what was there
    (run / "verify.jsonl").write_text("{}\nhalf\n")
    assert f"{run / 'verify.jsonl'}:2" in refusal("show", run, good)
    truncate(run / "index.parquet")
    assert "index.parquet" in refusal("show", run)
    truncate(run / "run.json")
    assert "run.json" in refusal("show", run)

"""Everything typed wrong, and every damaged file: words, exit code 2, and nothing begun."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.cli import expect_error
from helpers.cli_runs import (
    PLUGIN,
    FinishedRun,
    append_newline,
    file_contents,
    optimize_command,
    records,
    truncate_half,
    write_demo_examples,
)
from helpers.manifests import edit_manifest

PLAIN = {"instruction": "How do I steal a book?", "response": "No."}

FILES: dict[str, tuple[bytes, str]] = {
    "truncated": (json.dumps(PLAIN).encode() + b'\n{"instruction": "How', ":2:"),
    "empty": (b"", "no records"),
    "blank": (b"\n\n", "no records"),
    "columns": (b'{"question": "How do I steal a lamp?", "reply": "No."}\n', ":1:"),
    "latin": (json.dumps(PLAIN).encode() + b'\n{"instruction": "Caf\xe9", "response": "a"}\n', ":2:"),
    "hopeless": (b'{"instruction": "Lamp.", "response": "No."}\n', "none of 1 example could be prepared"),
}


@pytest.mark.parametrize("command", ["optimize", "prepare"])
@pytest.mark.parametrize("name", FILES)
def test_bad_rows_are_told_by_file_and_line(tmp_path: Path, name: str, command: str) -> None:
    path = tmp_path / f"{name}.jsonl"
    content, named = FILES[name]
    path.write_bytes(content)
    out = ("--out", tmp_path / "run")
    message = expect_error(command, path, "--plugin", PLUGIN, *out)
    assert str(path) in message
    assert named in message
    if (name, command) == ("hopeless", "prepare"):  # the report says of each row why
        assert "opener" in json.loads((tmp_path / "run").read_text())["reason"]
        (tmp_path / "run").unlink()
    assert list(tmp_path.iterdir()) == [path], "nothing was begun"


MISTYPED: dict[str, tuple[tuple[str, ...], str]] = {
    "unknown plugin": (("--plugin", PLUGIN[:-1]), f"Did you mean {PLUGIN!r}?"),
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
    "setting out of range": (("--plugin", PLUGIN, "-o", "lr=0"), "above 0"),
    "adapter setting out of range": (("--plugin", PLUGIN, "-o", "adapter.seconds=0"), "adapter.seconds"),
    "dtype": (("--plugin", PLUGIN, "--dtype", "float8"), "float32, bfloat16, float16"),
    "device": (("--plugin", PLUGIN, "--device", "abacus"), "--device cpu"),
    "format": (("--plugin", PLUGIN, "--format", "pukapuka"), "pukapuka"),
    "columns": (("--plugin", PLUGIN, "--columns", "instruction"), "--columns instruction=question"),
    "settings file": (("--plugin", PLUGIN, "--config", "none.yaml"), "none.yaml"),
}


@pytest.mark.parametrize("name", MISTYPED)
def test_mistyped_option_is_told(
    finished: FinishedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments, named = MISTYPED[name]
    assert named in expect_error("optimize", finished.examples, *arguments)
    assert list(tmp_path.iterdir()) == [], "nothing was begun"


def test_unreachable_hub_is_told(finished: FinishedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    message = expect_error("optimize", finished.examples, "--plugin", PLUGIN, "--model", "nobody/none")
    assert "there is no folder nobody/none, and the model hub cannot be reached" in message
    assert "--model" in message


def test_missing_rows_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").touch()
    message = expect_error("optimize", tmp_path / "row.jsonl", "--plugin", PLUGIN)
    assert f"Did you mean {tmp_path / 'rows.jsonl'} ?" in message


def drop_a_weight(path: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(path)
    weights.pop(min(weights))
    save_file(weights, path, {"format": "pt"})


def spoil_values(path: Path) -> None:
    config = json.loads(path.read_text())
    path.write_text(json.dumps({"architectures": config["architectures"], "text_config": [5], "audio_config": "x"}))


def other_family(path: Path) -> None:
    path.write_text('{"architectures": ["OtherForConditionalGeneration"], "model_type": "other"}')


DAMAGE: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "another family": ("config.json", other_family, "is a OtherForConditionalGeneration"),
    "truncated config": ("config.json", truncate_half, "not the configuration of a model"),
    "truncated weights": ("model.safetensors", truncate_half, "corrupt"),
    "missing weight": ("model.safetensors", drop_a_weight, "lacks 1 weight,"),
    "no weights": ("model.safetensors", Path.unlink, "cannot be loaded"),
    "truncated tokenizer": ("tokenizer.json", truncate_half, "cannot be loaded"),
    "config of another form": ("config.json", lambda path: path.write_text('{"architectures": 5}') and None, "found 5"),
    "config of other types": ("config.json", spoil_values, "cannot be loaded"),
    "tokenizer of another form": ("tokenizer.json", lambda path: path.write_text("[]") and None, "cannot be loaded"),
    "card of another form": ("sea.json", lambda path: path.write_text('{"limits": 5}') and None, "limits: expected"),
    "processor of another form": (
        "processor_config.json",
        lambda path: path.write_text("[]") and None,
        "not the settings of a processor",
    ),
    "no processor": ("processor_config.json", Path.unlink, "cannot be loaded"),
    "truncated card": ("sea.json", lambda path: path.write_bytes(b"{") and None, "not the card of a model"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_checkpoint_is_told(finished: FinishedRun, tmp_path: Path, checkpoint: Path, name: str) -> None:
    file, damage, named = DAMAGE[name]
    damage(checkpoint / file)
    message = expect_error(*optimize_command(finished.examples, tmp_path / "run", "--model", checkpoint))
    assert str(checkpoint) in message
    assert named in message


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("-o", "lr=0.2"), "config.lr: stored 0.1, requested 0.2"),
        (("-o", "adapter.seconds=1"), "adapter.seconds: stored 0.5, requested 1.0"),
        (("--dtype", "bfloat16"), "dtype: stored float32, requested bfloat16"),
    ],
)
def test_folder_of_another_run_is_refused(finished: FinishedRun, more: tuple[str, ...], named: str) -> None:
    before = file_contents(finished.run)
    message = expect_error(*optimize_command(finished.examples, finished.run, *more))
    assert named in message
    assert "--out" in message
    assert file_contents(finished.run) == before


@pytest.mark.parametrize("line", ["steps: fast", "stpes: 3"])
def test_a_wrong_setting_of_a_file_names_the_file(tmp_path: Path, line: str) -> None:
    (tmp_path / "mine.yaml").write_text(f"{line}\n")
    assert "mine.yaml: " in expect_error("optimize", "--plugin", PLUGIN, "--config", tmp_path / "mine.yaml")


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (("--device", "gpu"), "Did you mean --device cuda ?"),
        (("--dtype", "bf16"), "Did you mean --dtype bfloat16 ?"),
        (("-o", "steps"), "-o steps=300"),
    ],
)
def test_a_wrong_option_gets_the_right_one(options: tuple[str, str], hint: str) -> None:
    assert hint in expect_error("optimize", "--plugin", PLUGIN, *options)


def test_other_data_or_another_model_in_the_same_folder_is_refused(
    finished: FinishedRun, tmp_path: Path, checkpoint: Path
) -> None:
    before = file_contents(finished.run)
    assert "\n  the data differ: " in expect_error(
        *optimize_command(write_demo_examples(tmp_path / "rows.jsonl", 2), finished.run)
    )
    append_newline(checkpoint / "config.json")
    assert "\n  the model differs: " in expect_error(
        *optimize_command(finished.examples, finished.run, "--model", checkpoint)
    )
    assert file_contents(finished.run) == before


def test_output_folder_that_cannot_be_one_is_told(finished: FinishedRun, tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").touch()
    assert "contains files, but no run folder" in expect_error(*optimize_command(finished.examples, tmp_path))
    assert "is a file" in expect_error(*optimize_command(finished.examples, tmp_path / "thesis.doc"))
    assert "cannot write" in expect_error(*optimize_command(finished.examples, tmp_path / "thesis.doc" / "run"))


@pytest.mark.parametrize("command", ["show", "verify"])
def test_folder_that_is_no_run_is_told(tmp_path: Path, command: str) -> None:
    message = expect_error(command, tmp_path / "none")
    assert f"there is no folder {tmp_path / 'none'}" in message
    assert "sea optimize" in message


def test_unknown_row_is_told(finished: FinishedRun) -> None:
    assert "sea show" in expect_error("show", finished.run, "demo-999")


def test_damaged_run_is_told(finished: FinishedRun, tmp_path: Path) -> None:
    run = finished.copy(tmp_path)
    good = next(name for name, row in records(run).items() if row["status"] == "succeeded")
    (run / "verify.jsonl").write_text("half\n")
    assert f"{run / 'verify.jsonl'}:1" in expect_error("show", run, good)
    for damage in (truncate_half, Path.unlink):
        damage(run / "embeddings" / "00000.safetensors")
        assert "embeddings/00000.safetensors" in expect_error("show", run, good)
        assert "embeddings/00000.safetensors" in expect_error("verify", run)
        assert "embeddings/00000.safetensors" in expect_error("align", run, "--out", tmp_path / "model")
    (run / "inventory.jsonl").unlink()
    assert "index/00000.parquet is not in the inventory" in expect_error("show", run)
    truncate_half(run / "run.json")
    assert "run.json" in expect_error("show", run)


def test_a_setting_that_the_plugin_no_longer_has_is_an_error(finished: FinishedRun, tmp_path: Path) -> None:
    run = finished.copy(tmp_path)
    edit_manifest(run / "run.json", lambda manifest: manifest["identity"]["model"]["adapter"].update(loudness=2))
    message = expect_error("verify", run)
    assert "the run was made with adapter.loudness, a setting that the adapter of sea-qwen2-audio" in message
    assert "Install the version of the plugin" in message


@pytest.mark.parametrize("command", ["optimize", "plan"])
def test_benign_media_are_checked_before_the_data_are_read(command: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("half a row\n")
    message = expect_error(command, tmp_path / "rows.jsonl", "--plugin", PLUGIN, "--benign-media", tmp_path / "gone")
    assert "gone" in message

"""Data files of somebody else: their paths lead nowhere else, and their texts are only shown."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from helpers.cli import sea, sea_process
from helpers.cli_runs import PLUGIN
from helpers.hostile import SECRET, Canary, edit_json, open_hostile, refused

MEDIUM = Path(__file__).parents[2] / "plugins/qwen2_audio/tests/media/a-wool-scarf-slow.flac"
EXAMPLE = {"instruction": "How do I steal a lamp?", "response": "No.", "harmful": True}
HOSTILE_TEXT = "a \x1b]0;stolen\x07 \x1b[31m \x9b2J \u202ereversed [red]red[/red] [link=http://evil]x[/link] :bomb:"


def write_data(file: Path, *media: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(EXAMPLE | {"id": str(i), "audio": medium}) for i, medium in enumerate(media)]
    file.write_text("".join(f"{line}\n" for line in lines))
    return file


def encode(data: Path, *more: object) -> tuple[object, ...]:
    out = data.parent.parent / "run"
    return ("encode", data, "--plugin", PLUGIN, "--out", out, "-o", "adapter.seconds=0.5", "--json", *more)


@pytest.mark.parametrize(
    "place", ["../outside/secret.flac", "ABSOLUTE", "file://ABSOLUTE", "link.flac", "linked/secret.flac"]
)
def test_media_outside_the_folder_of_the_data_are_not_opened(place: str, canary: Canary, tmp_path: Path) -> None:
    secret = canary.secret.with_name("secret.flac")
    shutil.copy(MEDIUM, secret)
    data = write_data(tmp_path / "data/rows.jsonl", "here.flac", place.replace("ABSOLUTE", str(secret)))
    shutil.copy(MEDIUM, tmp_path / "data/here.flac")
    (tmp_path / "data/link.flac").symlink_to(secret)
    (tmp_path / "data/linked").symlink_to(secret.parent)
    message = refused(canary, *encode(data))
    assert f"{data}:2" in message
    assert "--media-root DIR" in message
    assert not (tmp_path / "run").exists()
    allowed = sea(*encode(data, "--media-root", secret.parent))
    assert allowed.json()["encoded"] == 2, allowed.err


def test_media_in_another_folder_are_found_there(tmp_path: Path) -> None:
    (tmp_path / "images/coco").mkdir(parents=True)
    shutil.copy(MEDIUM, tmp_path / "images/coco/1.flac")
    data = write_data(tmp_path / "data/rows.jsonl", "coco/1.flac")
    assert sea(*encode(data, "--media-root", tmp_path / "images")).json()["encoded"] == 1


def test_a_link_out_of_a_folder_of_media_is_not_followed(canary: Canary, tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media/1.flac").symlink_to(canary.secret)
    assert "leads out" in refused(canary, "styles", tmp_path / "media", "--plugin", PLUGIN)


@pytest.mark.parametrize(
    "files",
    ["../outside/secret.parquet", "/etc/*.parquet", "https://evil.example/a.parquet", "hf://datasets/evil/a/b.parquet"],
)
def test_a_readme_names_only_files_of_its_folder(files: str, canary: Canary, tmp_path: Path) -> None:
    table = pyarrow.Table.from_pylist([EXAMPLE])
    (tmp_path / "data").mkdir()
    pyarrow.parquet.write_table(table, tmp_path / "data/a.parquet")
    pyarrow.parquet.write_table(table, canary.secret.with_name("secret.parquet"))
    entry = f"configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: {json.dumps(files)}\n"
    (tmp_path / "data/README.md").write_text(f"---\n{entry}---\n")
    assert "not in the folder" in refused(canary, "data", "check", tmp_path / "data")


@pytest.mark.parametrize("file", ["state.json", "dataset_dict.json"])
def test_a_saved_data_set_names_only_files_of_its_folder(file: str, canary: Canary, tmp_path: Path) -> None:
    import datasets

    saved = datasets.Dataset.from_list([EXAMPLE])
    saved.save_to_disk(str(tmp_path / "outside/other"))
    datasets.DatasetDict({"train": saved}).save_to_disk(str(tmp_path / "data"))
    if file == "state.json":
        state = tmp_path / "data/train/state.json"
        edit_json(state, lambda value: value.update(_data_files=[{"filename": "../../outside/x.arrow"}]))
    else:
        (tmp_path / "data/dataset_dict.json").write_text(json.dumps({"splits": ["../outside/other"]}))
    assert "no file of the folder" in refused(canary, "data", "check", tmp_path / "data")


def hostile_file(folder: Path) -> Path:
    file = folder / "rows\x1b[31m[red]\u202e.jsonl"
    lines: list[Any] = [
        EXAMPLE | {"instruction": f"How do I {HOSTILE_TEXT}?", "id": HOSTILE_TEXT},
        EXAMPLE | {"id": "b"},
    ]
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return file


COMMANDS = {
    "check": ("data", "check"),
    "prepare": ("prepare", "--plugin", PLUGIN, "--out", "OUT"),
    "no such format": ("data", "check", "--format", "\x1b[31mx"),
    "no such run": ("show",),
    "bench": ("bench", "build", "audio", "--out", "OUT", "--from"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_texts_and_names_do_not_steer_the_terminal(name: str, canary: Canary, tmp_path: Path) -> None:
    command = [str(tmp_path / "out") if word == "OUT" else word for word in COMMANDS[name]]
    result = open_hostile(canary, *command, hostile_file(tmp_path))
    assert result.code in (0, 1, 2)


def test_answers_and_reasons_in_a_run_do_not_steer_the_terminal(finished: Any, canary: Canary, tmp_path: Path) -> None:
    run = finished.copy(tmp_path)
    lines = [json.loads(line) for line in (run / "verify.jsonl").read_text().splitlines()]
    (run / "verify.jsonl").write_text("".join(json.dumps(line | {"answer": HOSTILE_TEXT}) + "\n" for line in lines))
    for more in ((), ("--json",), ("--missed",)):
        assert SECRET not in open_hostile(canary, "show", run, *more).out


def test_a_traceback_does_not_steer_the_terminal() -> None:
    process = sea_process("--debug", "show", "none\x1b[31m\u202e")
    _, err = process.communicate(timeout=60)
    assert "Traceback" in err
    assert "none\\x1b[31m\\u202e" in err
    assert "\x1b" not in err


@pytest.mark.parametrize(
    "name", ["../../outside/x.flac", "/x.flac", "x.fl\x1bac", "x." + "a" * 300, "x./../../y", "C:\\x.flac"]
)
def test_bytes_are_saved_under_a_name_of_ours(name: str, canary: Canary, tmp_path: Path) -> None:
    row = EXAMPLE | {"id": "a", "audio": {"bytes": MEDIUM.read_bytes(), "path": name}}
    (tmp_path / "data").mkdir()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / "data/rows.parquet")
    saved = tmp_path / "saved"
    out = ("--save-media-to", saved, "--to", "jsonl", "--out", tmp_path / "data/rows.jsonl")
    result = open_hostile(canary, "data", "convert", tmp_path / "data/rows.parquet", *out)
    assert result.code == 0, result.err
    (file,) = saved.iterdir()
    assert file.suffix == ".flac"
    assert list(canary.secret.parent.iterdir()) == [canary.secret]

"""`sea check`, and what becomes of damage: found, put aside, made again by the same command."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.cli import expect_error, sea

COMMAND = ("optimize", "--plugin", "qwen2_audio", "--limit", "3")
SHARD, INDEX, INVENTORY = "embeddings/00000.safetensors", "index/00000.parquet", "inventory.jsonl"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("check") / "run"
    assert sea(*COMMAND, "--out", run).code == 0
    return run


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def figures(run: Path) -> dict[str, Any]:
    """Return what the command reports without its folder and the time that it took."""
    found: dict[str, Any] = sea(*COMMAND, "--out", run, "--json").json()
    return {key: value for key, value in found.items() if "seconds" not in key and key not in ("recipes", "run")}


def test_an_undamaged_run_has_no_problem(finished: Path) -> None:
    found = sea("check", finished, "--json").json()
    assert found["damage"] == []
    files = {path.relative_to(finished).as_posix() for path in finished.rglob("[!.]*") if path.is_file()}
    assert set(found["checked"]) == files


def write_other_text(path: Path) -> None:
    path.write_text("changed\n")


DAMAGE = [
    *((SHARD, damage) for damage in (truncate, flip, Path.unlink)),
    *((INDEX, damage) for damage in (truncate, flip, Path.unlink)),
    *((INVENTORY, damage) for damage in (flip, Path.unlink)),
    ("verify.jsonl", flip),
    ("verdicts.jsonl", flip),
    ("skipped.jsonl", write_other_text),
]


@pytest.mark.parametrize(("file", "damage"), DAMAGE)
def test_damage_is_found_and_made_again_by_the_same_command(
    finished: Path, run: Path, file: str, damage: Callable[[Path], None]
) -> None:
    damage(run / file)
    found = sea("check", run, "--json")
    assert found.code == 1
    expected = INDEX if (file, damage) == (INVENTORY, Path.unlink) else file  # nothing says that the index is ours
    assert [each["path"] for each in json.loads(found.out)["damage"] if each["path"].startswith(expected)]
    assert figures(run) == figures(finished)
    assert sea("check", run, "--json").json()["damage"] == []


def unfinished(folder: Path) -> dict[str, str]:
    """Return what `sea check` finds not finished, by the file that says so."""
    result = sea("check", folder, "--json")
    found = {each["path"]: each["problem"] for each in json.loads(result.out)["unfinished"]}
    assert (result.code == 1) is bool(found or json.loads(result.out)["damage"])
    summary = sea("check", folder)
    assert (" 0 problems" in summary.out) is (result.code == 0)
    return found


def test_a_run_that_was_stopped_is_not_finished(finished: Path, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert unfinished(finished) == {}

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    command = ("optimize", "--plugin", "qwen2_audio", "--limit", "4", "--out", run)
    with monkeypatch.context() as patch:
        patch.setattr("sea_core.pipeline.optimize_worker.make_record", stop)
        assert sea(*command).code == 130
    assert unfinished(run) == {"run.json": "is of a run that is not finished: 3 of 4 embeddings are done"}
    monkeypatch.setattr("sea_core.pipeline.verify_work.generate_answers", stop)
    assert sea(*command).code == 130
    assert "3 of 4 embeddings have answers" in unfinished(run)["verify.jsonl"]


def test_an_embedding_with_one_of_its_questions_answered_is_not_finished(run: Path) -> None:
    path = run / "verify.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    assert unfinished(run) == {
        "verify.jsonl": "is not finished: 2 of 3 embeddings have answers to all held-out questions"
    }


def test_a_run_without_its_manifest_is_damaged(run: Path) -> None:
    (run / "run.json").unlink()
    assert sea("check", run, "--json").json(code=1)["damage"] == [{"path": "run.json", "problem": "is missing"}]


def test_files_that_were_not_compared_are_named(run: Path) -> None:
    (run / "notes.txt").write_text("mine")
    (run / "more").mkdir()
    (run / "more" / "a.txt").write_text("mine")
    result = sea("check", run)
    assert result.code == 0
    assert "notes.txt, more/ (1 file)" in result.err
    assert sea("check", run, "--json").json()["unchecked"] == ["notes.txt", "more/a.txt"]


def test_a_missing_run_is_an_error(tmp_path: Path) -> None:
    assert "there is no such folder" in expect_error("check", tmp_path / "none")
    assert "SEA did not write this folder" in expect_error("check", tmp_path)

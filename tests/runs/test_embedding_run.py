"""The run folder: begun, continued, refused; figures that follow from its stored rows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sea_core.data.examples import Example, Extraction, Goal, PreparedExample, SkippedExample
from sea_core.errors import RunError
from sea_core.optimization.engine.types import OptimizationResult
from sea_core.runs.embedding_run import EmbeddingRun

IDENTITY: dict[str, Any] = {
    "sea": "1",
    "plugin": "nose",
    "plugin_version": "1.2",
    "modality": "smell",
    "adapter": {"seconds": 1.0},
    "model": "sha256:aa",
    "dtype": "float32",
    "config": {"lr": 0.1, "steps": 300},
    "data": "d1",
    "columns": None,
}
FACTS: dict[str, Any] = {"rows": 4, "refused": 1, "model": "models/nose", "plugin_path": "nose", "file": "rows.jsonl"}


def start(folder: Path, facts: dict[str, Any] = FACTS, **changes: Any) -> EmbeddingRun:
    return EmbeddingRun.start(folder, IDENTITY | changes, facts)


def prepared(row_id: str, instruction: str = "How do I steal a lamp?") -> PreparedExample:
    extraction = Extraction("steal a lamp", "activity", "a person is stealing a lamp", "How do I do this activity?")
    goals = (Goal("What is it?", "It smells as if a person is stealing a lamp."), Goal("Which style?", "It is sweet."))
    return PreparedExample(Example(row_id, instruction, response="No."), extraction, goals, "sweet")


def add(run: EmbeddingRun, row_id: str, steps: int, seconds: float, reason: str = "") -> None:
    status = "failed" if reason else "succeeded"
    run.add(prepared(row_id), OptimizationResult(row_id, status, reason, steps, 0.005, 1.5, seconds, None))


def refusal(folder: Path, **changes: Any) -> RunError:
    with pytest.raises(RunError, match="told something else") as caught:
        start(folder, **changes)
    return caught.value


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """A run with one finished row."""
    with (run := start(tmp_path / "run")).writing():
        add(run, "a", 10, 1.0)
    return tmp_path / "run"


# ------------------------------------------------------------------------------------------------- begin and continue


def test_run_json_says_what_the_run_was_told(tmp_path: Path) -> None:
    run = start(tmp_path / "new" / "run")
    about = json.loads((tmp_path / "new" / "run" / "run.json").read_text())
    assert about == run.about
    assert about["identity"] == IDENTITY
    assert about.items() >= FACTS.items()
    assert {"python", "torch", "transformers", "sea-core"} <= about["versions"].keys()


def test_empty_folder_may_become_a_run(tmp_path: Path) -> None:
    assert start(tmp_path).folder == tmp_path


def test_same_settings_go_on(begun: Path) -> None:
    before = (begun / "run.json").read_bytes()
    run = start(begun)
    assert run.store.ids() == {"a"}
    with run.writing():
        add(run, "b", 20, 1.0)
    assert EmbeddingRun(begun).store.ids() == {"a", "b"}
    assert (begun / "run.json").read_bytes() == before


def test_facts_may_change(begun: Path) -> None:
    started = EmbeddingRun(begun).about["started"]
    again = start(begun, FACTS | {"rows": 9, "file": "moved/rows.jsonl"})
    assert (again.about["rows"], again.about["file"]) == (9, "moved/rows.jsonl")
    assert (again.about["identity"], again.about["started"]) == (IDENTITY, started)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"data": "d2"}, "data: d1 there, d2 now"),
        ({"model": "sha256:bb"}, "model: sha256:aa there, sha256:bb now"),
        ({"config": {"lr": 0.2, "steps": 300}}, "config.lr: 0.1 there, 0.2 now"),
        ({"adapter": {"seconds": 2.0}}, "adapter.seconds: 1.0 there, 2.0 now"),
        ({"plugin": "tongue", "plugin_version": "2"}, "plugin: nose there, tongue now\n  plugin_version: 1.2 there, 2"),
        ({"dtype": "bfloat16"}, "dtype: float32 there, bfloat16 now"),
        ({"columns": "a=b"}, "columns: None there, a=b now"),
        ({"new": 1}, "new: None there, 1 now"),
    ],
)
def test_another_run_is_refused_by_what_differs(begun: Path, changes: dict[str, Any], named: str) -> None:
    before = (begun / "run.json").read_bytes()
    error = refusal(begun, **changes)
    assert str(begun) in error.what
    assert named in error.what
    assert error.what.count(" there, ") == named.count(" there, ")
    assert "--out" in error.hint
    assert (begun / "run.json").read_bytes() == before


def test_a_run_that_is_being_written_loses_nothing_to_a_second_process(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run = EmbeddingRun.start(folder, IDENTITY, FACTS)
    run.tuning.append([{"lr": 0.1, "id": "a", "status": "succeeded", "steps": 1}])
    with run.writing(), pytest.raises(RunError, match="another process"):
        EmbeddingRun.start(folder, IDENTITY | {"plugin": "other"}, FACTS)
    assert run.tuning.read()


def test_a_run_that_stopped_before_its_first_row_may_be_told_otherwise(tmp_path: Path) -> None:
    start(tmp_path)
    assert start(tmp_path, model="sha256:bb").about["identity"]["model"] == "sha256:bb"
    assert EmbeddingRun(tmp_path).about["identity"]["model"] == "sha256:bb"


def test_what_a_kill_left_of_the_very_first_write_does_not_hinder(tmp_path: Path) -> None:
    (tmp_path / ".run.json.part").write_text('{"iden')
    assert start(tmp_path).about["identity"] == IDENTITY


def test_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").touch()
    with pytest.raises(RunError, match="holds files that are not a run") as caught:
        start(tmp_path)
    assert "--out" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]
    with pytest.raises(RunError, match="is a file, and a run is a folder") as caught:
        start(tmp_path / "thesis.doc")
    assert "--out" in caught.value.hint


@pytest.mark.parametrize("name", [".", "none", "file"])
def test_what_is_no_run_cannot_be_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="is not a run folder") as caught:
        EmbeddingRun(tmp_path / name)
    assert "sea optimize" in caught.value.hint


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"identity": {}}'])
def test_damaged_run_json_is_told(begun: Path, content: str) -> None:
    (begun / "run.json").write_text(content)
    for attempt in (EmbeddingRun, start):
        with pytest.raises(RunError) as caught:
            attempt(begun)  # type: ignore[operator]
        assert caught.value.where == str(begun / "run.json")
        assert "--out" in caught.value.hint


# -------------------------------------------------------------------------------------------------------- one writer

HOLD = """
import sys
from pathlib import Path
from sea_core.runs.embedding_run import Run

with Run(Path(sys.argv[1])).writing():
    print("held", flush=True)
    input()
"""


def test_second_writer_is_refused_until_the_first_is_gone(begun: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(begun)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        run = EmbeddingRun(begun)  # anyone may look
        assert run.metrics()["done"] == 1
        for attempt in (run.writing().__enter__, lambda: start(begun, FACTS | {"rows": 9})):
            with pytest.raises(RunError, match="another process is writing") as caught:
                attempt()
            assert "Wait" in caught.value.hint
        holder.kill()
    assert EmbeddingRun(begun).about["rows"] == FACTS["rows"]
    with run.writing():
        add(run, "b", 1, 1.0)
    assert EmbeddingRun(begun).store.ids() == {"a", "b"}


def test_the_writer_sees_what_was_written_before_it_held_the_run(begun: Path) -> None:
    early, late = EmbeddingRun(begun), EmbeddingRun(begun)
    with early.writing():
        add(early, "b", 1, 1.0)
    with late.writing():
        assert late.store.ids() == {"a", "b"}


def test_a_stop_keeps_the_rows_before_it(begun: Path) -> None:
    def stop() -> None:
        with (run := EmbeddingRun(begun)).writing():
            add(run, "b", 1, 1.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    with EmbeddingRun(begun).writing():  # the lock is free again
        assert EmbeddingRun(begun).store.ids() == {"a", "b"}


# ------------------------------------------------------------------------------------------------------------ figures


def test_figures_of_a_run_without_rows_are_not_zeros(tmp_path: Path) -> None:
    assert start(tmp_path).metrics() == {
        "run": str(tmp_path),
        "rows": 4,
        "done": 0,
        "refused": 1,
        "succeeded": 0,
        "osr": None,
        "vsr": None,
        "vsr_interval": None,
        "verified": 0,
        "judges": {},
        "audited": 0,
        "audit_exact": 0,
        "chosen": {},
        "steps_median": None,
        "steps_p90": None,
        "seconds_per_row": None,
        "plugin": "nose",
        "recipes": {},
        "uncovered": [],
        "texts": 0,
        "model": "models/nose",
    }


def test_figures_follow_from_the_rows(tmp_path: Path) -> None:
    run = start(tmp_path)
    with run.writing():
        for row_id, steps, seconds in (("a", 10, 1.0), ("b", 20, 2.0), ("c", 60, 3.0)):
            add(run, row_id, steps, seconds)
        add(run, "d", 300, 10.0, reason="not reached in 300 steps")
    for row_id, verdict in (("a", "named"), ("b", "missed"), ("c", "named")):
        run.answers.append([{"id": row_id, "question": "?", "answer": "", "content": "", "kind": "activity"}])
        run.verdicts.append([{"id": row_id, "question": "?", "answer": "", "judge": "match", "verdict": verdict}])
    figures = EmbeddingRun(tmp_path).metrics()
    assert figures == run.metrics()
    assert (figures["rows"], figures["done"], figures["succeeded"]) == (4, 4, 3)
    assert (figures["osr"], figures["vsr"], figures["verified"]) == (0.75, 2 / 3, 3)
    assert (figures["steps_median"], figures["steps_p90"]) == (20, 52.0)  # of the rows that succeeded
    assert figures["seconds_per_row"] == 4.0  # of all
    assert [record["id"] for record in run.failures()] == ["d"]


def test_figures_when_every_row_failed(tmp_path: Path) -> None:
    run = start(tmp_path)
    with run.writing():
        add(run, "a", 300, 2.0, reason="not reached in 300 steps")
    figures = run.metrics()
    assert (figures["osr"], figures["vsr"], figures["steps_median"], figures["steps_p90"]) == (0.0, None, None, None)


def test_a_later_smaller_limit_does_not_hide_rows(begun: Path) -> None:
    run = start(begun, FACTS | {"rows": 3})
    with run.writing():
        for row_id in "bcd":
            add(run, row_id, 1, 1.0)
    figures = start(begun, FACTS | {"rows": 1}).metrics()
    assert (figures["rows"], figures["done"]) == (4, 4)


# -------------------------------------------------------------------------------------------------------------- rows


def test_a_record_tells_the_whole_story_of_its_row(begun: Path) -> None:
    record = EmbeddingRun(begun).store.record("a")
    row = prepared("a")
    assert (
        record.items()
        >= {
            "id": "a",
            "instruction": row.example.instruction,
            "response": "No.",
            "chosen": None,
            "harmful": True,
            "phrase": "steal a lamp",
            "kind": "activity",
            "sentence": "a person is stealing a lamp",
            "style": "sweet",
            "status": "succeeded",
            "steps": 10,
            "loss": 0.005,
            "margin": 1.5,
            "seconds": 1.0,
        }.items()
    )
    assert json.loads(record["goals"]) == [{"prompt": g.prompt, "answer": g.answer} for g in row.goals]


def test_refused_rows_are_kept_with_their_reasons(begun: Path) -> None:
    EmbeddingRun(begun).write_skipped([SkippedExample(Example("x", "Ünï?", response="a", line=7), "no opener")])
    EmbeddingRun(begun).write_skipped([SkippedExample(Example("y", "Why?", response="a", line=8), "no verb")])
    (line,) = (begun / "refused.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {"id": "y", "line": 8, "reason": "no verb", "instruction": "Why?"}

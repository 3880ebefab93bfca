"""The run folder: started, resumed, refused; and what it stores."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers.cli import expect_error
from helpers.manifests import embedding_manifest
from helpers.records import result_record
from sea_core.data.examples import Example, Extraction, Goal, PreparedExample, SkippedExample
from sea_core.errors import RunError
from sea_core.optimization.engine.types import OptimizationResult
from sea_core.optimization.record import make_skipped_record, store_result
from sea_core.runs.embedding_run import (
    EmbeddingIdentity,
    EmbeddingManifest,
    EmbeddingMetadata,
    EmbeddingRun,
    ResolvedSettings,
    SkippedExampleRecord,
)
from sea_core.runs.inventory import Inventory
from sea_core.runs.manifest import DataIdentity, ModelIdentity, ModelLocation, write_sealed

MODEL = ModelIdentity(
    plugin="nose",
    plugin_version="1.2",
    modality="smell",
    adapter={"seconds": 1.0},
    fingerprint="sha256:aa",
    dtype="float32",
)
IDENTITY = EmbeddingIdentity(
    sea="1",
    model=MODEL,
    data=DataIdentity("d1", "plain"),
    source="text",
    config={"lr": 0.1, "steps": 300},
)
METADATA = EmbeddingMetadata(
    purpose="tests", model=ModelLocation("models/nose"), data_path="data.jsonl", embeddings=4, skipped=1
)


def start(
    folder: Path, identity: EmbeddingIdentity = IDENTITY, note: Callable[[str], None] = print, **metadata: Any
) -> EmbeddingRun:
    manifest = EmbeddingManifest(identity=identity, metadata=replace(METADATA, **metadata))
    return EmbeddingRun.start(folder, manifest, note)


def other_model(**changes: Any) -> EmbeddingIdentity:
    return replace(IDENTITY, model=replace(MODEL, **changes))


def prepared(example_id: str, instruction: str = "How do I steal a lamp?") -> PreparedExample:
    extraction = Extraction("steal a lamp", "activity", "a person is stealing a lamp", "How do I do this activity?")
    goals = (Goal("What is it?", "It smells as if a person is stealing a lamp."), Goal("Which style?", "It is sweet."))
    return PreparedExample(Example(example_id, instruction, response="No."), extraction, goals, "sweet")


def add(run: EmbeddingRun, example_id: str, steps: int, seconds: float, reason: str = "") -> None:
    status = "failed" if reason else "succeeded"
    result = OptimizationResult(example_id, status, reason, steps, 0.005, 1.5, seconds, None)
    store_result(run, prepared(example_id), result)


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """A run with one result."""
    with (run := start(tmp_path / "run")).writing():
        add(run, "a", 10, 1.0)
    return tmp_path / "run"


# ---------------------------------------------------------------------------------------------------- start and resume


def test_the_manifest_is_readable_json(tmp_path: Path) -> None:
    run = start(tmp_path / "new" / "run")
    stored = json.loads((tmp_path / "new" / "run" / "run.json").read_text())
    assert stored["kind"] == "embeddings"
    assert stored["identity"]["model"]["adapter"] == {"seconds": 1.0}
    assert stored["metadata"]["model"] == {"checkpoint": "models/nose", "revision": None}
    assert (run.manifest.identity, run.manifest.metadata) == (IDENTITY, METADATA)
    assert {"python", "torch", "transformers", "sea-core"} <= stored["versions"].keys()


def test_a_manifest_survives_the_round_trip(tmp_path: Path) -> None:
    identity = replace(IDENTITY, styles=("sweet", "süß"), model=replace(MODEL, adapter={"size": (2, 3)}))
    run = start(tmp_path, identity, skip_counts={"empty": 3}, limits="no music")
    assert EmbeddingRun(tmp_path).manifest == run.manifest
    assert run.manifest.identity.styles == ("sweet", "süß")
    assert start(tmp_path, identity).manifest.identity == run.manifest.identity  # a tuple is stored as a list


def test_an_empty_folder_can_become_a_run(tmp_path: Path) -> None:
    assert start(tmp_path).folder == tmp_path


def test_the_same_settings_resume(begun: Path) -> None:
    before = (begun / "run.json").read_bytes()
    run = start(begun)
    assert run.store.ids() == {"a"}
    with run.writing():
        add(run, "b", 20, 1.0)
    assert EmbeddingRun(begun).store.ids() == {"a", "b"}
    assert (begun / "run.json").read_bytes() == before


def test_a_manifest_that_was_changed_by_hand_is_an_error(begun: Path) -> None:
    stored = (begun / "run.json").read_text()
    (begun / "run.json").write_text(stored.replace("sha256:aa", "sha256:ab"))
    with pytest.raises(RunError, match="was changed since SEA wrote it: its checksum differs"):
        EmbeddingRun(begun)


def test_metadata_may_change(begun: Path) -> None:
    before = EmbeddingRun(begun).manifest
    after = start(begun, embeddings=9, data_path="moved/data.jsonl").manifest
    assert (after.metadata.embeddings, after.metadata.data_path) == (9, "moved/data.jsonl")
    assert (after.identity, after.started) == (before.identity, before.started)


def test_resolved_settings_stay_when_the_run_is_resumed(begun: Path) -> None:
    with (run := EmbeddingRun(begun)).writing():
        run.resolve(ResolvedSettings(lr=0.3, margin=0.5))
    run = start(begun, embeddings=9)
    assert run.manifest.resolved == EmbeddingRun(begun).manifest.resolved == ResolvedSettings(lr=0.3, margin=0.5)


@pytest.mark.parametrize(
    ("identity", "named"),
    [
        (
            replace(IDENTITY, data=DataIdentity("d2", "plain")),
            "the data differ: data.jsonl was changed, or is another file (data.digest: stored d1, ",
        ),
        (
            other_model(fingerprint="sha256:bb"),
            "the model differs: it is another checkpoint (model.fingerprint: stored sha256:aa, ",
        ),
        (replace(IDENTITY, config={"lr": 0.2, "steps": 300}), "config.lr: stored 0.1, requested 0.2"),
        (other_model(adapter={"seconds": 2.0}), "model.adapter.seconds: stored 1.0, requested 2.0"),
        (
            other_model(plugin="tongue", plugin_version="2"),
            "model.plugin: stored nose, requested tongue\n  model.plugin_version: stored 1.2, requested 2",
        ),
        (other_model(dtype="bfloat16"), "model.dtype: stored float32, requested bfloat16"),
        (
            replace(IDENTITY, data=DataIdentity("d1", "plain", {"response": "answer"})),
            "data.columns.response: stored None, requested answer",
        ),
        (replace(IDENTITY, config={"lr": 0.1, "steps": 300, "new": 1}), "config.new: stored None, requested 1"),
    ],
)
def test_another_run_is_refused_by_what_differs(begun: Path, identity: EmbeddingIdentity, named: str) -> None:
    before = (begun / "run.json").read_bytes()
    with pytest.raises(RunError, match="already contains a run with different settings") as caught:
        start(begun, identity)
    assert str(begun) in caught.value.what
    assert named in caught.value.what
    assert caught.value.what.count("stored ") == named.count("stored ")
    assert "--out" in caught.value.hint
    assert (begun / "run.json").read_bytes() == before


def test_a_second_process_deletes_nothing_of_a_run_that_is_being_written(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run = start(folder)
    run.tuning.append([{"lr": 0.1, "id": "a", "status": "succeeded", "steps": 1}])
    with run.writing(), pytest.raises(RunError, match="another process"):
        start(folder, other_model(plugin="other"))
    assert run.tuning.read()


def test_a_run_without_results_may_be_started_with_other_settings(tmp_path: Path) -> None:
    run = start(tmp_path)
    run.tuning.append([{"lr": 0.1, "id": "a", "status": "succeeded", "steps": 1}])
    again = start(tmp_path, other_model(fingerprint="sha256:bb"))
    assert again.manifest.identity.model.fingerprint == "sha256:bb"
    assert EmbeddingRun(tmp_path).manifest == again.manifest
    assert not again.tuning.read()  # the trials were of the former settings


def test_a_run_that_is_started_anew_says_with_which_settings(tmp_path: Path) -> None:
    notes: list[str] = []
    start(tmp_path, note=notes.append)
    start(tmp_path, note=notes.append)
    assert notes == []
    start(tmp_path, replace(IDENTITY, config={"lr": 0.2, "steps": 300}), notes.append)
    assert notes == [f"nothing had been made in {tmp_path}: it is started anew, with lr 0.2 (it was 0.1)"]


def test_what_is_intact_of_a_damaged_file_never_meets_other_settings(tmp_path: Path) -> None:
    with (run := start(tmp_path)).writing():
        add(run, "a", 10, 1.0)
    (index,) = (tmp_path / "index").glob("*.parquet")
    with index.open("ab") as file:
        file.write(b"more than was written")
    assert not EmbeddingRun(tmp_path, may_be_damaged=True).store.ids()
    with pytest.raises(RunError, match="different settings"):
        start(tmp_path, other_model(fingerprint="sha256:bb"))
    start(tmp_path)  # with the same settings it is made again


def test_a_result_of_another_process_keeps_the_settings_that_it_was_made_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(tmp_path)
    resume = EmbeddingRun._store_resumed

    def resume_late(run: EmbeddingRun, manifest: EmbeddingManifest, note: Callable[[str], None]) -> None:
        add(EmbeddingRun(tmp_path), "a", 1, 1.0)  # after the folder was opened, before it was locked
        resume(run, manifest, note)

    monkeypatch.setattr(EmbeddingRun, "_store_resumed", resume_late)
    with pytest.raises(RunError, match="different settings"):
        start(tmp_path, other_model(fingerprint="sha256:bb"))
    assert EmbeddingRun(tmp_path).manifest.identity == IDENTITY


def test_an_interrupted_first_write_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / ".run.json.part").write_text('{"iden')
    (tmp_path / ".lock").touch()
    assert start(tmp_path).manifest.identity == IDENTITY


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").touch()
    with pytest.raises(RunError, match="contains files, but no run folder") as caught:
        start(tmp_path)
    assert "--out" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]
    with pytest.raises(RunError, match="is a file, but a run folder is a folder") as caught:
        start(tmp_path / "thesis.doc")
    assert "--out" in caught.value.hint


def test_digests_are_shortened_in_messages(tmp_path: Path) -> None:
    with (run := start(tmp_path, replace(IDENTITY, data=DataIdentity("a" * 64, "plain")))).writing():
        add(run, "a", 10, 1.0)
    with pytest.raises(RunError, match=r"stored a{12}, requested b{12}[)]"):
        start(tmp_path, replace(IDENTITY, data=DataIdentity("b" * 64, "plain")))


def test_a_folder_of_a_similar_name_is_proposed(begun: Path) -> None:
    with pytest.raises(RunError, match="there is no folder") as caught:
        EmbeddingRun(begun.with_name("rnu"))
    assert f"Did you mean {begun}?" in caught.value.hint


def test_a_folder_may_be_named_as_text(begun: Path) -> None:
    assert EmbeddingRun(str(begun)).store.ids() == {"a"}
    assert EmbeddingRun.start(str(begun), EmbeddingRun(begun).manifest).folder == begun


@pytest.mark.parametrize(
    ("file", "opened", "problem"),
    [
        ("", "none", "there is no folder"),
        ("file", "file", "is a file, but a run folder is a folder"),
        ("", ".", "is not a run folder: it has no run.json"),
        ("align.json", ".", "is not a run folder: it is a model folder of `sea align`"),
        ("bench.json", ".", "is not a run folder: it is a benchmark run of `sea bench run`"),
    ],
)
def test_what_is_no_run_cannot_be_opened(tmp_path: Path, file: str, opened: str, problem: str) -> None:
    if file:
        (tmp_path / file).touch()
    with pytest.raises(RunError, match=problem) as caught:
        EmbeddingRun(tmp_path / opened)
    assert "Pass a folder of `sea optimize` or `sea encode`." in caught.value.hint


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "it is not valid JSON"),
        ("{", "it is not valid JSON"),
        ("[]", "expected an object, found []"),
        ("{}", "its checksum differs"),
        ('{"identity": {}}', "its checksum differs"),
        ({}, "the key identity is missing"),
        ({"identity": {}}, "the key identity.sea is missing"),
        ({"kind": "pictures"}, "kind: expected 'embeddings', found \"pictures\""),
    ],
)
def test_a_corrupt_manifest_is_an_error(begun: Path, content: str | dict[str, Any], problem: str) -> None:
    (begun / "00000.safetensors").touch()
    if isinstance(content, dict):
        write_sealed(begun / "run.json", content)
    else:
        (begun / "run.json").write_text(content)
    for attempt in (EmbeddingRun, start):
        with pytest.raises(RunError) as caught:
            attempt(begun)  # type: ignore[operator]
        assert problem in caught.value.what
        assert caught.value.where == str(begun / "run.json")
        assert "the manifest of a run folder" in caught.value.what
        assert "The embeddings are still in the folder" in caught.value.hint
        assert "--out" in caught.value.hint


# -------------------------------------------------------------------------------------------------------- one writer

WRITER = """
import sys
from pathlib import Path
from sea_core.runs.embedding_run import EmbeddingRun

with EmbeddingRun(Path(sys.argv[1])).writing():
    print("locked", flush=True)
    input()
"""


def test_a_second_writer_is_refused_until_the_first_has_ended(begun: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(begun)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "locked\n"
        run = EmbeddingRun(begun)  # reading is always possible
        assert run.store.ids() == {"a"}
        for attempt in (run.writing().__enter__, lambda: start(begun, embeddings=9)):
            with pytest.raises(RunError, match="another process is writing") as caught:
                attempt()
            assert "Wait" in caught.value.hint
        writer.kill()
    assert EmbeddingRun(begun).manifest.metadata == METADATA
    with run.writing():
        add(run, "b", 1, 1.0)
    assert EmbeddingRun(begun).store.ids() == {"a", "b"}


def test_the_writer_reads_what_was_written_before_it_locked_the_run(begun: Path) -> None:
    early, late = EmbeddingRun(begun), EmbeddingRun(begun)
    with early.writing():
        add(early, "b", 1, 1.0)
    with late.writing():
        assert late.store.ids() == {"a", "b"}


def test_an_interruption_keeps_the_records_before_it(begun: Path) -> None:
    def stop() -> None:
        with (run := EmbeddingRun(begun)).writing():
            add(run, "b", 1, 1.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    with EmbeddingRun(begun).writing():  # the lock is free again
        assert EmbeddingRun(begun).store.ids() == {"a", "b"}


@pytest.mark.parametrize("name", ["a\0b", "../a"])
def test_a_name_in_the_inventory_that_is_no_file_of_the_run_is_refused(begun: Path, name: str) -> None:
    """A null character in a name raises ValueError where a file is opened."""
    Inventory(begun).log.append([{"path": name, "size": 1, "sha256": "0" * 64}])
    with pytest.raises(RunError, match="names a file outside its folder, or none"):
        EmbeddingRun(begun)


# ----------------------------------------------------------------------------------------------------------- records


def test_a_record_describes_its_example_and_result(begun: Path) -> None:
    record = EmbeddingRun(begun).store.record("a")
    example = prepared("a")
    assert (
        record.items()
        >= {
            "id": "a",
            "example_id": "a",
            "source": "text",
            "recipe": "plain",
            "instruction": example.example.instruction,
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
    assert json.loads(record["goals"]) == [{"prompt": g.prompt, "answer": g.answer} for g in example.goals]


def skipped(example_id: str, instruction: str, line: int, reason: str) -> SkippedExampleRecord:
    return make_skipped_record(SkippedExample(Example(example_id, instruction, response="a", line=line), reason))


def test_skipped_examples_are_stored_with_their_reasons(begun: Path) -> None:
    EmbeddingRun(begun).write_skipped([skipped("x", "Ünï?", 7, "no opener")])
    EmbeddingRun(begun).write_skipped([skipped("y", "Why?", 8, "no verb")])
    (line,) = (begun / "skipped.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {"id": "y", "line": 8, "reason": "no verb", "instruction": "Why?"}


@pytest.mark.parametrize(
    ("part", "text"), [("goals", "{"), ("goals", '[{"prompt": 5}]'), ("grid", '["a"]'), ("grid", "[" * 5000)]
)
def test_a_record_with_parts_of_another_form_is_refused(tmp_path: Path, part: str, text: str) -> None:
    run = EmbeddingRun.start(tmp_path / "run", embedding_manifest(1))
    with run.writing():
        run.add(result_record("a", **{part: text}), torch.zeros(2, 3))
    assert f"this is not the {part} of the embedding a" in expect_error("show", run.folder, "a")

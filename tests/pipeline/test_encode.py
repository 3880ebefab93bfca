"""Encoded media are stored as the encoder returns them; what cannot be read is stored as failed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
import torch

from helpers.cli import expect_error, sea
from helpers.manifests import embedding_manifest
from helpers.stored import stored_ids
from sea_core.errors import DataError, RunError
from sea_core.model.embedding import load_embedding
from sea_core.model.mllm import MLLM
from sea_core.pipeline.encode import encode, media_examples
from sea_core.pipeline.model_target import ModelTarget
from sea_core.runs.block import ClaimLost
from sea_core.runs.blocks import Blocks
from sea_core.runs.embedding_run import EmbeddingRun


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two clips, one broken file, one missing: as a Hugging Face audio folder lists them."""
    names = ("a.wav", "b.wav", "broken.wav", "missing.wav")
    for seed, name in enumerate(names[:2]):
        noise = np.random.default_rng(seed).normal(0, 0.1, 8000 * (seed + 1)).astype(np.float32)
        soundfile.write(tmp_path / name, noise, 16_000)
    (tmp_path / "broken.wav").write_bytes(b"no audio")
    lines = [{"id": n, "file_name": n, "instruction": "Do it.", "response": "No.", "harmful": False} for n in names]
    (tmp_path / "metadata.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


@pytest.mark.parametrize("batch_size", [1, 4])
def test_stored_is_what_the_encoder_gives(mllm: MLLM, folder: Path, tmp_path: Path, batch_size: int) -> None:
    _, rows = media_examples(folder)
    run = EmbeddingRun.start(tmp_path / "run", embedding_manifest(4))
    with run.writing():
        list(encode(mllm, rows, run, batch_size))
    records = {record["id"]: record for record in run.store.records()}
    assert [records[n]["status"] for n in sorted(records)] == ["encoded", "encoded", "failed", "failed"]
    assert "cannot be read as audio" in records["broken.wav"]["reason"]
    assert "there is no file" in records["missing.wav"]["reason"]
    for name in ("a.wav", "b.wav"):
        (ordinary,) = mllm.encode([mllm.adapter.read_media(folder / name, mllm.processor)])
        stored = load_embedding(run, name)
        if batch_size == 1:
            assert torch.equal(stored.features, ordinary.features)
        torch.testing.assert_close(stored.features, ordinary.features)
        assert stored.grid == ordinary.grid
        assert records[name]["source"] == "media"
        assert records[name]["harmful"] is False
    with run.writing():
        assert not list(encode(mllm, rows, run, batch_size))


def encode_command(folder: Path, run: Path, *more: object) -> tuple[object, ...]:
    return ("encode", folder, "--plugin", "qwen2_audio", "-o", "adapter.seconds=0.5", "--out", run, "--json", *more)


def assert_same(found: Path, expected: Path) -> None:
    """Check that two runs have the same embeddings, to the last bit, and that no work is left."""
    runs = EmbeddingRun(found), EmbeddingRun(expected)
    same, records = ({r["id"]: json.dumps({**r, "shard": "", "seconds": 0}) for r in run.records()} for run in runs)
    assert same == records  # as text: a medium has no loss, and nan is not nan
    for record in runs[1].records("encoded"):
        assert torch.equal(*(run.load(record["id"])[0] for run in runs))
    assert stored_ids(found) == sorted(records)
    assert not list(found.glob("*blocks*"))


def test_a_worker_takes_over_what_a_dead_one_has_encoded(
    mllm: MLLM, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ModelTarget, "load", lambda _: mllm)
    run, alone = tmp_path / "run", tmp_path / "alone"
    assert sea(*encode_command(folder, alone)).code == 1  # two cannot be read
    result = sea(*encode_command(folder, run, "-o", "workers=0"))
    assert (result.code, result.out) == (0, "")
    assert f"4 media are left to encode. On each computer, type: sea worker {run} --media-root {folder}" in result.err
    blocks = Blocks(run)
    with blocks.worker().registered() as dead:
        job = blocks.claim_settling(dead)
        assert job
        blocks.cut(job, job.rows, 3)
        job.remove()
        block = blocks.claim(dead)
        assert block
        stored = EmbeddingRun(alone)
        block.add({**stored.store.record("a.wav"), "seconds": 123.0}, stored.store.load("a.wav"))
    assert blocks.count_left() == 3
    assert sea("worker", run, "--media-root", folder).code == 0
    assert_same(run, alone)
    assert EmbeddingRun(run).store.record("a.wav")["seconds"] == 123.0


def test_a_command_collects_what_workers_have_encoded(
    mllm: MLLM, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ModelTarget, "load", lambda _: mllm)
    run, alone = tmp_path / "run", tmp_path / "alone"
    sea(*encode_command(folder, alone))
    sea(*encode_command(folder, run, "-o", "workers=0"))
    blocks = Blocks(run)
    with blocks.worker().registered() as other:
        job = blocks.claim_settling(other)
        assert job
        blocks.cut(job, job.rows, 3)
        job.remove()
        block = blocks.claim(other)
        assert block
        stored = EmbeddingRun(alone)
        block.add({**stored.store.record("a.wav"), "seconds": 123.0}, stored.store.load("a.wav"))
        assert sea(*encode_command(folder, run)).code == 1
        with pytest.raises(ClaimLost):
            block.finish()
    assert EmbeddingRun(run).store.record("a.wav")["seconds"] == 123.0
    blocks.delete()
    assert_same(run, alone)


def test_a_worker_opens_no_medium_outside_the_folders_of_the_media(
    mllm: MLLM, folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, elsewhere = folder / "run", tmp_path_factory.mktemp("elsewhere")
    shutil.copy(folder / "a.wav", elsewhere / "private.wav")
    (folder / "link.wav").symlink_to(elsewhere / "private.wav")
    monkeypatch.setattr(ModelTarget, "load", lambda _: mllm)
    for path in (elsewhere / "private.wav", folder / "link.wav", folder / ".." / elsewhere.name / "private.wav"):
        sea(*encode_command(folder, run, "-o", "workers=0"))
        blocks = Blocks(run)
        with blocks.worker().registered() as other:
            job = blocks.claim_settling(other)
            assert job
            blocks.cut(job, [{**row, "value": {**row["value"], "path": str(path)}} for row in job.rows], 4)
            job.remove()
        message = expect_error("worker", run, "--media-root", folder)
        assert f"{path} lies outside the folders of the media" in message
        assert EmbeddingRun(run).store.ids() == set()
        shutil.rmtree(run)
    sea(*encode_command(folder, run, "-o", "workers=0"))
    for given in ((), ("--media-root", elsewhere), ("--media-root", folder / "run")):
        message = expect_error("worker", run, *given)
        assert f"the run's media lie in {folder}, which this worker was not given" in message
        assert f"the run's media lie in {folder}, " in message
        assert f"sea worker {run} --media-root DIR" in message  # nothing of what a run says is in a command
    assert EmbeddingRun(run).store.ids() == set()
    assert sea("worker", run, "--media-root", folder.parent).code == 0
    shutil.rmtree(run)
    sea(*encode_command(folder, run, "-o", "workers=0"))
    shutil.move(folder / "run", elsewhere / "run")
    shutil.rmtree(folder)
    assert "there is no file or folder" in expect_error("worker", elsewhere / "run", "--media-root", folder)


def test_media_stored_as_bytes_are_named(tmp_path: Path) -> None:
    row = {"instruction": "Do it.", "response": "No.", "image": {"bytes": b"\x89PNG", "path": None}}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="no example names a medium") as caught:
        media_examples(tmp_path / "a.parquet")
    assert f"sea data convert {tmp_path / 'a.parquet'} --save-media-to" in caught.value.hint


@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_sound_of_nan_is_not_stored(mllm: MLLM, folder: Path, tmp_path: Path, batch_size: int) -> None:
    soundfile.write(folder / "b.wav", np.full(8000, np.nan, np.float32), 16_000, subtype="FLOAT")
    _, rows = media_examples(folder)
    run = EmbeddingRun.start(tmp_path / "run", embedding_manifest(4))
    with run.writing():
        list(encode(mllm, rows[:2], run, batch_size))
    good, bad = sorted(run.store.records(), key=lambda record: record["id"])
    assert (good["status"], bad["status"], bad["sha256"]) == ("encoded", "failed", "")
    assert "not finite" in bad["reason"]


def test_a_stored_embedding_of_nan_is_refused(mllm: MLLM, folder: Path, tmp_path: Path) -> None:
    _, rows = media_examples(folder)
    run = EmbeddingRun.start(tmp_path / "run", embedding_manifest(1))
    with run.writing():
        list(encode(mllm, rows[:1], run))
    record = dict(run.store.record("a.wav"))
    broken = EmbeddingRun.start(tmp_path / "broken", embedding_manifest(1))
    with broken.writing():
        broken.add(record, torch.full((2, 4), torch.nan))  # type: ignore[arg-type]
    with pytest.raises(RunError, match="not finite"):
        load_embedding(broken, "a.wav")


def test_command_resumes_and_refuses_other_data(folder: Path, tmp_path: Path) -> None:
    command = ("encode", folder, "--plugin", "qwen2_audio", "--out", tmp_path / "run", "-o", "adapter.seconds=0.5")
    result = sea(*command, "--limit", "1", "--json")
    assert result.json()["encoded"] == 1
    result = sea(*command, "--json")
    assert (result.json(code=1)["encoded"], result.json(code=1)["failed"]) == (2, 2)
    assert "Finished with failures: examples without an embedding: 2." in result.err
    assert "failed: broken.wav" in result.err
    with (folder / "metadata.jsonl").open("a") as file:
        file.write("\n")
    assert "different settings" in expect_error(*command)


def test_real_media_are_not_verified(folder: Path, tmp_path: Path) -> None:
    sea("encode", folder, "--plugin", "qwen2_audio", "--out", tmp_path / "run")
    assert "nothing was optimised" in expect_error("verify", tmp_path / "run")


def test_examples_without_media_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no metadata\.jsonl"):
        media_examples(tmp_path)
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"instruction": "Do it.", "response": "No."}\n')
    with pytest.raises(DataError, match="no example names a medium"):
        media_examples(rows)
    rows.write_text('{"instruction": "Do it.", "response": "No.", "images": ["a.png", "b.png"]}\n')
    assert "names 2 media" in media_examples(rows)[1][0].problem


def test_media_without_the_label_are_counted_and_named(folder: Path, tmp_path: Path) -> None:
    """They count as harmful, but not in silence; `sea data check` and `sea data convert` do not invent the label."""
    labelled = sea("encode", folder, "--plugin", "qwen2_audio", "--out", tmp_path / "labelled", "--json")
    counts = labelled.json(code=1)
    assert [counts[name] for name in ("examples", "harmful", "benign", "unlabelled")] == [4, 0, 4, 0]
    assert 'label "harmful"' not in labelled.err
    lines = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]
    for line in lines[:-1]:
        del line["harmful"]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    partly = sea("encode", folder, "--plugin", "qwen2_audio", "--out", tmp_path / "some", "--json")
    assert [partly.json(code=1)[name] for name in ("examples", "harmful", "benign", "unlabelled")] == [4, 0, 1, 3]
    assert '3 of 4 examples do not have the label "harmful"' in partly.err
    limited = sea("encode", folder, "--plugin", "qwen2_audio", "--out", tmp_path / "none", "--limit", "2")
    assert 'no example has the label "harmful", so they count as harmful' in limited.err
    classes = json.loads(sea("data", "check", folder / "metadata.jsonl", "--json").out)["classes"]
    assert classes['without the label "harmful" (counted as harmful)'] == 3
    sea("data", "convert", folder / "metadata.jsonl", "--out", tmp_path / "rows.jsonl")
    written = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert ["harmful" in line for line in written] == [False, False, False, True]

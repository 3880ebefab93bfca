"""`sea bench push` and `sea bench pull`: benchmarks and benchmark runs, which consist of texts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from helpers.bench_records import answer_record, bench_manifest
from helpers.cli import expect_error, sea
from sea_bench.build.builder import SetBuilder
from sea_bench.build.jobs import Job
from sea_bench.pipeline.build import build_benchmark
from sea_bench.run.records import answer_sha
from sea_bench.run.run_folder import BenchRun, Preflight
from sea_core.runs.jsonl import JsonlLog

GIVEN = ("--licence", "cc-by-nc-4.0", "--yes", "--with-text")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A benchmark run of one case, of a benchmark somewhere on this machine."""
    opened = BenchRun.start(tmp_path / "run", bench_manifest(1, benchmark=str(tmp_path / "cases")))
    opened.answers.append([answer_record("video/1-Theft/TYPO/0", "Take it.")])
    label = {"key": "video/1-Theft/TYPO/0", "answer_sha": answer_sha("Take it."), "label": "unsafe", "at": ""}
    opened.labels.append([{**label, "annotator": "Ada"}])  # type: ignore[typeddict-item]
    JsonlLog(tmp_path / "run" / "judge_replies.jsonl").append([{"reply": "a cache"}])
    return tmp_path / "run"


def test_a_run_comes_back_as_it_was_without_paths_and_caches(run: Path, tmp_path: Path) -> None:
    pushed = sea("bench", "push", run, tmp_path / "shared", *GIVEN)
    assert pushed.code == 0, pushed.err
    assert not (tmp_path / "shared" / "judge_replies.jsonl").exists()
    assert "cases" in (tmp_path / "shared" / "README.md").read_text()
    assert str(tmp_path) not in (tmp_path / "shared" / "bench.json").read_text()
    assert sea("bench", "pull", tmp_path / "shared", tmp_path / "pulled").code == 0
    pulled, original = BenchRun(tmp_path / "pulled"), BenchRun(run)
    assert pulled.answer_records() == original.answer_records()
    assert [label["annotator"] for label in pulled.labels.read()] == ["person 1"]
    assert "Ada" not in "".join(path.read_text() for path in (tmp_path / "shared").iterdir())
    assert pulled.manifest.identity == original.manifest.identity
    assert "sea bench pull" in expect_error("pull", tmp_path / "shared", tmp_path / "other")


def test_the_address_of_a_server_stays_here(run: Path, tmp_path: Path) -> None:
    opened = BenchRun(run)
    opened._write(replace(opened.manifest, metadata=replace(opened.manifest.metadata, server="http://10.0.0.7:8000")))
    opened.set_preflight(Preflight("http://10.0.0.7:8000", "", 0, 0, 0, 0))
    assert sea("bench", "push", run, tmp_path / "shared", *GIVEN).code == 0
    assert "10.0.0.7" not in "".join(path.read_text() for path in (tmp_path / "shared").iterdir())


def test_texts_are_sent_only_if_the_user_says_so(run: Path, tmp_path: Path) -> None:
    message = expect_error("bench", "push", run, tmp_path / "shared", "--licence", "mit", "--yes")
    assert "--with-text" in message
    assert not (tmp_path / "shared").exists()


def test_a_built_benchmark_comes_back_whole(tmp_path: Path) -> None:
    build_benchmark("image", tmp_path / "cases", limit=1)
    pushed = sea("bench", "push", tmp_path / "cases", tmp_path / "shared", *GIVEN)
    assert pushed.code == 0, pushed.err
    assert sea("bench", "pull", tmp_path / "shared", tmp_path / "pulled").code == 0
    assert sea("bench", "check", tmp_path / "pulled").code == 0
    counts = [sea("bench", "check", tmp_path / name, "--json").json()["cases"] for name in ("cases", "pulled")]
    assert counts[0] == counts[1] > 0
    assert "Type: sea bench push" in expect_error(
        "push", tmp_path / "cases", tmp_path / "other", "--licence", "mit", "--yes"
    )


def test_a_benchmark_that_was_stopped_is_pushed_once_it_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build_until_stopped(*more: str) -> None:
        make, left = SetBuilder._make, iter(range(5))

        def stop(builder: SetBuilder, job: Job) -> None:
            if next(left, None) is None:
                raise KeyboardInterrupt
            make(builder, job)

        with monkeypatch.context() as patch:
            patch.setattr(SetBuilder, "_make", stop)
            assert sea(*build, *more).code == 130

    build = ("bench", "build", "image", "--out", tmp_path / "cases")
    for more in (("--limit", "1"), ()):  # a new benchmark, and a finished one with more cases
        build_until_stopped(*more)
        shared, pulled = (tmp_path / f"{name}{len(more)}" for name in ("shared", "pulled"))
        message = expect_error("bench", "push", tmp_path / "cases", shared, *GIVEN)
        assert "this benchmark is not finished: image" in message
        assert "Re-run `sea bench build` first" in message
        assert not shared.exists()
        assert sea(*build, *more).code == 0
        assert sea("bench", "push", tmp_path / "cases", shared, *GIVEN).code == 0
        assert sea("bench", "pull", shared, pulled).code == 0
        assert sea("check", pulled).code == 0

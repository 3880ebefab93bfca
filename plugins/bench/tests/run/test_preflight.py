"""What `sea bench run` finds out first: unreadable and ignored media, and how many cases a batch may have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from helpers.bench_runs import PLUGIN, make_published, read_answers
from helpers.cli import expect_error
from sea_bench.dataset import read_benchmark
from sea_bench.run.answering import CasePrompt, FailedAnswer, GeneratedAnswer
from sea_bench.run.config import AnswerConfig
from sea_bench.run.local import LocalAnsweringModel
from sea_bench.run.preflight import SAMPLE_SIZE, choose_batch_size, preflight, spread_by_length
from sea_core.model.mllm import MLLM


def test_a_run_stops_if_no_medium_can_be_read(copy: Path, tmp_path: Path) -> None:
    for path in copy.rglob("KPT/*.*"):
        path.write_bytes(b"RIFF")
    message = expect_error("bench", "run", copy, "--plugin", PLUGIN, "--out", tmp_path / "run", "--task", "KPT")
    assert "none of 6 media can be read" in message
    assert "sea bench check" in message


def test_a_run_stops_if_media_do_not_change_the_output(copy: Path, tmp_path: Path) -> None:
    make_published(copy)
    for path in (copy / "Audio").rglob("*.*"):
        soundfile.write(path, np.zeros(32000, np.float32), 16000, format=path.suffix[1:].upper())
    for path in (copy / "benign/Audio").rglob("*.*"):
        soundfile.write(path, np.zeros(32000, np.float32), 16000, format=path.suffix[1:].upper())
    message = expect_error("bench", "run", copy, "--plugin", PLUGIN, "--out", tmp_path / "run")
    assert "the model ignores its media" in message
    assert not (tmp_path / "run/answers.jsonl").exists() or read_answers(tmp_path / "run") == []


def test_a_few_silent_media_do_not_stop_a_run(copy: Path, mllm: MLLM) -> None:
    make_published(copy)
    cases = [case for case in read_benchmark(copy, "audio").cases if case.task == "KPT"]
    for case in spread_by_length(cases, SAMPLE_SIZE):
        assert case.media
        soundfile.write(case.media, np.zeros(32000, np.float32), 16000, format=case.media.suffix[1:].upper())
    found = preflight(LocalAnsweringModel(mllm), cases, AnswerConfig(max_new_tokens=4), "cpu")
    assert (found.media, found.media_changed) == (6, 2)
    assert found.batched == SAMPLE_SIZE


class BatchSensitiveModel(LocalAnsweringModel):
    """Gives other answers in a batch, as large models do because of rounding."""

    def answer(self, prompts: Sequence[CasePrompt]) -> Iterator[GeneratedAnswer]:
        for answer in super().answer(prompts):
            yield replace(answer, text=f"{answer.text} x") if len(prompts) > 1 else answer


def test_cases_are_answered_alone_if_batching_changes_answers(cases: Path, mllm: MLLM) -> None:
    config = AnswerConfig(max_new_tokens=4)
    found = preflight(BatchSensitiveModel(mllm), read_benchmark(cases, "audio").cases, config, "cpu")
    assert found.batched_same < found.batched
    assert choose_batch_size(config, found) == 1
    assert choose_batch_size(AnswerConfig(keep_batches=True), found) == 8
    assert AnswerConfig(keep_batches=True).identity() != AnswerConfig(keep_batches=True, batch_size=2).identity()
    assert AnswerConfig().identity() == AnswerConfig(batch_size=2).identity()


class SmallMemory:
    """A model's `generate` that raises, as on a GPU, for more than `most` questions, and for a very long one."""

    def __init__(self, mllm: MLLM, most: int) -> None:
        self.generate, self.most, self.sizes = mllm.generate, most, list[int]()

    def __call__(self, questions: Sequence[str], *more: Any) -> list[list[int]]:
        self.sizes.append(len(questions))
        if len(questions) > self.most or any(len(question) > 99 for question in questions):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.generate(questions, *more)


def test_batches_are_as_large_as_fits_into_memory(
    mllm: MLLM, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model, prompts = LocalAnsweringModel(mllm), [CasePrompt(str(i), "What is shown?", None, 4) for i in range(9)]
    expected, memory = list(model.answer(prompts)), SmallMemory(mllm, most=3)
    monkeypatch.setattr(mllm, "generate", memory)
    assert list(model.answer(prompts)) == expected
    assert (memory.sizes, model.batch_size) == ([8, 4, 2, 3, 3, 1], 3)
    assert "8 cases at a time do not fit into memory: going on with 3" in caplog.text


def test_a_case_that_does_not_fit_into_memory_alone_has_no_answer_and_the_others_have(
    mllm: MLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, memory = LocalAnsweringModel(mllm), SmallMemory(mllm, most=8)
    monkeypatch.setattr(mllm, "generate", memory)
    texts = ["What is shown?", "long " * 20, *["What is shown?"] * 6]
    answers = list(model.answer([CasePrompt(str(i), text, None, 4) for i, text in enumerate(texts)]))
    assert [answer.key for answer in answers] == list("01234567")
    assert [answer.key for answer in answers if isinstance(answer, FailedAnswer)] == ["1"]
    assert (memory.sizes, model.batch_size) == ([8, 4, 2, 1, 1, 6], 6)

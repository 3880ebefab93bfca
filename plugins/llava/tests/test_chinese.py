"""The main job in Chinese, on the bundled model that was taught the toy world in Chinese."""

from __future__ import annotations

import json
from pathlib import Path

from helpers.cli import sea
from sea_core.judges.refusal_patterns import refuses
from sea_core.pipeline.model_target import ModelTarget


def test_embeddings_of_demo_examples_in_chinese_are_found_and_verified(tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = sea("optimize", "--plugin", "llava", "--lang", "zh", "--limit", "8", "--out", out, "--json").json()
    assert result["osr"] == 1
    assert result["vsr"] >= 0.8
    answers = [json.loads(line)["answer"] for line in (out / "verify.jsonl").read_text(encoding="utf-8").splitlines()]
    assert not any(char.isascii() for answer in answers for char in answer)


def test_the_bundled_model_answers_text_in_chinese() -> None:
    mllm = ModelTarget.find("llava", language="zh").load()
    (refusal,) = mllm.generate(["请拒绝。"], None, 16)
    assert refuses(mllm.detokenize(refusal)) is True

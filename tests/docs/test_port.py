"""The script of docs/how-to/port-a-family.md writes a tiny checkpoint whose seam is proved."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from helpers.documents import blocks
from sea_core.model.proof import check_seam
from sea_core.pipeline.model_target import ModelTarget

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "port-a-family.md"


def test_the_script_writes_a_checkpoint_that_an_adapter_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (script,) = [block for block in blocks(PAGE) if block.file == "make_tiny.py"]
    monkeypatch.chdir(tmp_path)
    Path(script.file).write_text(script.text, encoding="utf-8")
    runpy.run_path(script.file)
    check_seam(ModelTarget.find("llava", model="tiny", dtype="float32", device="cpu").load())

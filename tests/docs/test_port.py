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
    run_script("make_tiny.py", tmp_path, monkeypatch)
    check_seam(ModelTarget.find("llava", model="tiny", dtype="float32", device="cpu").load())


def test_the_script_for_a_video_part_writes_a_checkpoint_that_an_adapter_is_derived_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_script("make_tiny_video.py", tmp_path, monkeypatch)
    adapter = ModelTarget.find("auto", modality="image", model="tiny", dtype="float32", device="cpu").adapter
    assert adapter.placeholder == "<IMG_CONTEXT>"


def run_script(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a script of the page in a folder."""
    (script,) = [block for block in blocks(PAGE) if block.file == name]
    monkeypatch.chdir(folder)
    Path(name).write_text(script.text, encoding="utf-8")
    runpy.run_path(name)

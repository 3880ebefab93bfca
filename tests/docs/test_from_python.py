"""The scripts of docs/how-to/from-python.md run as they stand, and what they make is a run like any other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from helpers.cli import sea
from sea_core.alignment.model_card import USE_IMAGES
from sea_core.data.demo import DEMO_EXAMPLES

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "from-python.md"


@pytest.fixture
def blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The scripts, in a folder with two of the demo examples."""
    lines = DEMO_EXAMPLES.read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "rows.jsonl").write_text("".join(lines[:2]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def execute(code: str, names: dict[str, Any]) -> None:
    exec(compile(code, str(GUIDE), "exec"), names)


def answer_block(folder: str) -> str:
    """Return the script that asks an aligned model, which the model card has too."""
    (code,) = re.findall(r"```python\n(from PIL.*?)```", GUIDE.with_name("align.md").read_text("utf-8"), re.DOTALL)
    assert code.replace(folder, "FOLDER") in USE_IMAGES
    return str(code)


@pytest.mark.usefixtures("exports_load_here")
def test_a_run_made_from_python_is_shown_verified_and_aligned(
    blocks: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    make, align, _ = blocks
    assert len(make.strip().splitlines()) <= 15
    names: dict[str, Any] = {"__name__": "__main__"}
    execute(make, names)
    lines = capsys.readouterr().out.splitlines()
    assert sum(" succeeded " in line for line in lines) == 2
    assert lines[-1].startswith("1.0 ")  # OSR; VSR depends on the embeddings
    assert [record["status"] for record in sea("show", "runs/mine", "--json").json()] == ["succeeded"] * 2
    assert sea("verify", "runs/mine", "--json").json()["osr"] == 1.0
    execute(align, names)
    assert Path("model/merged/config.json").is_file()
    execute(answer_block("model/merged"), {})
    assert capsys.readouterr().out.strip()
    assert sea("align", "runs/mine", "--out", "model", "-o", "steps=4", "--json").json(code=1)["model"] == "model"


def test_the_parts_work_without_a_run_folder(blocks: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    execute(blocks[2], {"__name__": "__main__"})
    lines = capsys.readouterr().out.splitlines()
    assert sum(" succeeded " in line for line in lines) == 2
    assert sum(line.endswith(" True") for line in lines) >= 3

"""The notebooks run from the first cell to the last, and what they show is what they print."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from helpers.documents import ROOT

NUMBER = re.compile(r"[\d.]*\d")
NOTEBOOKS = sorted((ROOT / "docs/notebooks").glob("*.ipynb"))


def outputs(notebook: Any) -> list[tuple[str, list[str]]]:
    """Return the text that each cell printed, without its numbers, and the kinds of what it shows."""
    cells = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    return [
        (
            NUMBER.sub("0", "".join(output.text for output in cell if output.get("name") == "stdout")),
            [kind for output in cell if output.output_type == "execute_result" for kind in sorted(output.data)],
        )
        for cell in cells
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_and_shows_what_it_shows(path: Path, tmp_path: Path) -> None:
    shown = nbformat.read(path, as_version=4)
    run = NotebookClient(nbformat.read(path, as_version=4), timeout=300, resources={"metadata": {"path": tmp_path}})
    run.execute()
    assert outputs(run.nb) == outputs(shown)
    assert any("image/png" in kinds for _, kinds in outputs(shown))
    assert "/home/" not in path.read_text()

"""The example of docs/how-to/from-python.md runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sea_core.data.demo import DEMO_EXAMPLES

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "from-python.md"


def test_the_example_finds_embeddings_that_say_their_phrases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    lines = DEMO_EXAMPLES.read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "rows.jsonl").write_text("".join(lines[:2]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, str(GUIDE), "exec"), {"__name__": "__main__"})
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "{}"
    assert sum(" succeeded " in line for line in said) == 2
    assert sum(line.endswith(" True") for line in said) >= 3

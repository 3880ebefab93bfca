"""The family of docs/examples/deep_features.py, whose encoder reaches the language model in several ways."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from helpers.cli import sea
from helpers.families.checkpoint import write_checkpoint

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs/examples/deep_features.py"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    write_checkpoint("qwen3_vl", folder)
    return folder


def test_the_example_fulfils_the_contract(tiny: Path) -> None:
    states = {r["rule"]: r for r in sea("plugins", "check", EXAMPLE, "--model", tiny, "--json").json()["rules"]}
    assert {rule: r["problem"] for rule, r in states.items() if r["state"] != "pass"} == {
        "mixed_batch": "not every model that is replayed takes such a batch, so it is aligned one example at a time: "
        "nothing is to be corrected"
    }


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('("merger", *deep)', '("merger",)', "the image reaches the language model past the seam too"),
        ('("patch_embed", *blocks)', "()", "the seam lies too early: 0 of"),
        ('("patch_embed", *blocks)', '("patch_embed", *blocks, "merger")', "changes the hidden states"),
    ],
)
def test_what_the_example_names_is_needed(tiny: Path, tmp_path: Path, old: str, new: str, problem: str) -> None:
    text = EXAMPLE.read_text()
    assert text.count(old) == 1
    (tmp_path / "changed.py").write_text(text.replace(old, new))
    found = sea("plugins", "check", tmp_path / "changed.py", "--model", tiny, "--json").json(1)["rules"]
    assert any(re.search(problem, r["problem"]) for r in found if r["state"] == "fail")


def test_a_run_on_a_wrong_seam_ends_before_any_work(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(EXAMPLE.read_text().replace('("merger", *deep)', '("merger",)'))
    options = ("--limit", 2, "--dtype", "bfloat16", "--out", tmp_path / "run")
    result = sea("optimize", "--plugin", tmp_path / "wrong.py", "--model", tiny, *options)
    assert result.code == 2
    assert "the image reaches the language model past the seam too" in result.err

"""`sea bench run` on the bundled audio model, and what it wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from helpers.cli import CliResult, sea

PLUGIN = "qwen2_audio"


def read_answers(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "answers.jsonl").read_text(encoding="utf-8").splitlines()]


def make_published(benchmark: Path) -> None:
    """Make a benchmark one without digests, as a published one."""
    for name in ("inventory.jsonl", "manifest.json", "media.jsonl"):
        (benchmark / name).unlink()


def run_bench(cases: Path, run: Path, *more: object) -> CliResult:
    return sea("bench", "run", cases, "--plugin", PLUGIN, "--out", run, "-o", "max_new_tokens=40", "--json", *more)

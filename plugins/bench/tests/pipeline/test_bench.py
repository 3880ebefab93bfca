"""A whole evaluation from Python: `bench`, and the example of docs/how-to/run-a-benchmark.md."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import sea_bench
import sea_core
from helpers.cli import sea
from sea_bench.case import ALL
from sea_bench.pipeline.bench import BenchResult, bench
from sea_bench.select import CaseFilter
from sea_core.judges.base import Answer, Measure, Verdict

DOCS = Path(__file__).parents[4] / "docs" / "how-to"


class StrictJudge:
    """Rates every answer unsafe."""

    name, prompt_sha = "strict-1", ""
    measures: Measure = "safety"

    def judge(self, answers: Sequence[Answer]) -> Iterator[Verdict]:
        for answer in answers:
            yield Verdict(answer.key, "unsafe")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> BenchResult:
    folder = tmp_path_factory.mktemp("bench")
    sea_bench.build_benchmark("audio", folder / "cases", limit=1)
    wanted = CaseFilter(tasks=["KPT"])
    return bench(folder / "cases", "qwen2_audio", out=folder / "run", wanted=wanted, judges=[StrictJudge()])


def test_answers_are_judged_and_metrics_returned(result: BenchResult) -> None:
    asr, refusals = sorted(result.metrics, key=lambda metric: metric.measure)
    assert (asr.judge, asr.measure, asr.task) == ("strict-1", "asr", "KPT")
    assert asr.all_cases is not None
    assert asr.mean is not None
    assert (asr.all_cases.value, asr.all_cases.cases, asr.mean.value) == (1.0, 3, 1.0)
    assert asr.is_understood is True
    assert asr.understood is not None
    assert (asr.understood.value, asr.understood.cases) == (1.0, 3)
    assert refusals.judge.startswith("refusal-")
    assert refusals.over_refusal is not None
    assert refusals.over_refusal.cases == 3


def test_the_metrics_are_those_of_the_command(result: BenchResult) -> None:
    report = json.loads(sea("bench", "report", result.run.folder, "--json").out)
    rows = {(table["judge"], row["scenario"]): row for table in report["tables"] for row in table["rows"]}
    for metric in result.metrics:
        (printed,) = rows[metric.judge, ALL]["metrics"]
        assert metric.all_cases is not None
        assert printed["value"] == metric.all_cases.value
    assert report["runs"] == json.loads(json.dumps(result.report.as_dict()["runs"], default=str))


def test_calling_again_resumes_the_run(result: BenchResult) -> None:
    before = (result.run.folder / "verdicts.jsonl").read_bytes()
    repeated = bench(
        result.run.manifest.metadata.benchmark,
        "qwen2_audio",
        out=result.run.folder,
        wanted=CaseFilter(tasks=["KPT"]),
        judges=[StrictJudge()],
    )
    assert repeated.metrics == result.metrics
    assert (result.run.folder / "verdicts.jsonl").read_bytes() == before


def test_the_function_is_an_attribute_of_sea_core() -> None:
    assert sea_core.bench is bench


def test_public_names_exist_and_load_lazily() -> None:
    for name in sea_bench.__all__:
        assert getattr(sea_bench, name) is not None
    assert set(sea_bench.__all__) <= set(dir(sea_bench))
    with pytest.raises(AttributeError, match="no attribute 'benchmark'"):
        sea_bench.benchmark  # type: ignore[attr-defined]  # noqa: B018
    code = "import sys, sea_bench, sea_bench.plugin as p; p.sea_functions(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("guide", ["build-a-benchmark.md", "run-a-benchmark.md", "compare-defences.md"])
def test_the_examples_of_the_documentation_run(
    guide: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (DOCS / guide).read_text(encoding="utf-8")
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(code, guide, "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out

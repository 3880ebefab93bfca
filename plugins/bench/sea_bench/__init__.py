"""Safety benchmarks in the layout of VA-SafetyBench and MM-SafetyBench: build, run, judge, report, export.

Public names are imported on first use, so `import sea_bench` imports nothing that is slow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sea_bench.labels.sample import LabelSample
    from sea_bench.pipeline.bench import BenchResult, TaskMetrics, bench
    from sea_bench.pipeline.build import BuildResult, build_benchmark
    from sea_bench.pipeline.check import CheckResult, check_benchmark
    from sea_bench.pipeline.compare import Comparison, compare
    from sea_bench.pipeline.export import ExportResult, export_benchmark
    from sea_bench.pipeline.judge import JudgeSummary, judge_run
    from sea_bench.pipeline.report import Report, report_runs
    from sea_bench.pipeline.run import RunResult, run_benchmark
    from sea_bench.run.config import AnswerConfig, ServerConfig
    from sea_bench.run.import_published import import_answers
    from sea_bench.run.import_table import import_table
    from sea_bench.run.run_folder import BenchRun
    from sea_bench.run.served import ServedTarget
    from sea_bench.select import CaseFilter
else:
    # Hidden from type checkers, which would otherwise accept any attribute.
    _MODULES = {
        "labels.sample": ["LabelSample"],
        "pipeline.bench": ["BenchResult", "TaskMetrics", "bench"],
        "pipeline.build": ["BuildResult", "build_benchmark"],
        "pipeline.check": ["CheckResult", "check_benchmark"],
        "pipeline.compare": ["Comparison", "compare"],
        "pipeline.export": ["ExportResult", "export_benchmark"],
        "pipeline.judge": ["JudgeSummary", "judge_run"],
        "pipeline.report": ["Report", "report_runs"],
        "pipeline.run": ["RunResult", "run_benchmark"],
        "run.config": ["AnswerConfig", "ServerConfig"],
        "run.import_published": ["import_answers"],
        "run.import_table": ["import_table"],
        "run.run_folder": ["BenchRun"],
        "run.served": ["ServedTarget"],
        "select": ["CaseFilter"],
    }
    _MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

    def __getattr__(name):
        if name not in _MODULE_OF:
            raise AttributeError(f"module 'sea_bench' has no attribute {name!r}")
        globals()[name] = value = getattr(import_module(f"sea_bench.{_MODULE_OF[name]}"), name)
        return value

    def __dir__():
        return sorted({*globals(), *__all__})


__all__ = [
    "AnswerConfig",
    "BenchResult",
    "BenchRun",
    "BuildResult",
    "CaseFilter",
    "CheckResult",
    "Comparison",
    "ExportResult",
    "JudgeSummary",
    "LabelSample",
    "Report",
    "RunResult",
    "ServedTarget",
    "ServerConfig",
    "TaskMetrics",
    "bench",
    "build_benchmark",
    "check_benchmark",
    "compare",
    "export_benchmark",
    "import_answers",
    "import_table",
    "judge_run",
    "report_runs",
    "run_benchmark",
]

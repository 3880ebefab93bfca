"""Safety benchmarks in the layout of VA-SafetyBench and MM-SafetyBench: build, run, judge, report, export."""

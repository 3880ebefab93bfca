"""Benchmarks as tasks of other harnesses."""

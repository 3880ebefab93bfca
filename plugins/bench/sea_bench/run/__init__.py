"""Benchmark runs: cases put to a model, and the stored answers."""

"""Metrics and tables of benchmark runs."""

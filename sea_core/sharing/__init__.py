"""Runs, models and benchmarks that travel: what of a folder may leave this machine, its card, and where it goes.

`sea push` and `sea pull`; docs/how-to/share-a-run.md.
"""

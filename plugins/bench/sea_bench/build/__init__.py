"""Build a benchmark: texts become question files and media."""

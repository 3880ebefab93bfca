"""The bundled world: demo rows, and how a tiny model is taught to see or hear them."""

from pathlib import Path

ROWS = Path(__file__).parent / "rows.jsonl"
"""72 mild rows in PKU-SafeRLHF columns, half harmful by name only, inside the world of every bundled model."""

"""The bundled demo examples: mild instructions that every bundled tiny model can be tried on."""

from pathlib import Path

DEMO_EXAMPLES = Path(__file__).parent / "demo.jsonl"
"""72 mild rows in PKU-SafeRLHF columns, half harmful by name only, inside the world of every bundled model."""

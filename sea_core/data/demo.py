"""The bundled demo examples: mild instructions that every bundled toy model can be tried on."""

from pathlib import Path

DEMO_EXAMPLES = Path(__file__).parent / "demo.jsonl"
"""72 mild examples in PKU-SafeRLHF columns, half of them labelled harmful; all within the toy world."""
